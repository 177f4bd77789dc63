#!/usr/bin/env python3
"""Makes tinykit's environment and starts things in it. Needs Python 3.10 to 3.12 and nothing else.

    python kit.py env     the environment, in .venv
    python kit.py lab     JupyterLab on the lessons
    python kit.py test    all tests, lessons included (more words go to pytest)
    python kit.py tour    runs the lessons without a board and leaves them in tour/ as HTML
    python kit.py lock    writes requirements.lock anew from pyproject.toml

The Makefile calls this file, so that make and Windows without make do the same.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "tinykit-stamp"
OLDEST, NEWEST = (3, 10), (3, 12)


def main(words):
    targets = {"env": env, "lab": lab, "test": test, "tour": tour, "lock": lock}
    if not words or words[0] not in targets:
        print(__doc__.strip())
        return 0 if words in (["help"], ["--help"], ["-h"]) else 2
    return targets[words[0]](words[1:])


def env(_words=()):
    """Make .venv, or make it anew when the lock file or the Python version has changed."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SystemExit(
            f"tinykit needs Python 3.10 to 3.12, and this is Python {sys.version_info[0]}.{sys.version_info[1]}. "
            "Next: run this file with one of those (python3.12 kit.py, or on Windows py -3.12 kit.py), "
            "or say make PYTHON=python3.12."
        )
    if _fresh():
        return 0
    if VENV.exists():
        print("The environment in .venv is out of date; it is made anew.", flush=True)
        shutil.rmtree(VENV)
    print("Making the environment in .venv: about 3 GB, a few minutes the first time.", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", str(VENV)]):
        shutil.rmtree(VENV, ignore_errors=True)
        raise SystemExit(
            "Python could not make a virtual environment. Next: on Debian and Ubuntu install "
            "python3-venv (sudo apt install python3-venv), elsewhere install Python from python.org."
        )
    pip = [str(_python()), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    _call(pip + ["--progress-bar", "on", "-r", str(LOCK)], "The packages could not be installed.")
    _call(pip + ["--no-deps", "--no-build-isolation", "-e", str(ROOT)], "tinykit itself could not be installed.")
    _settings()
    STAMP.write_text(_state())
    return 0


def lab(words=()):
    env()
    # In a container one is often root; the server listens on this machine only, and wants its token.
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    port = [] if any(w.startswith("--port") for w in words) else ["--port=8888"]
    return _run(
        ["jupyter", "lab", str(ROOT / "notebooks"), "--ServerApp.ip=127.0.0.1", *port, *root,
         # Nothing is asked of the network: no news, no look for a newer version.
         "--LabApp.news_url=", "--LabApp.extension_manager=readonly",
         "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate", *words]
    )  # fmt: skip


def test(words=()):
    env()
    # A file is never cut in two: its tests share boards and trained networks.
    return _run(["pytest", "-n", "logical", "--dist", "loadfile", *words])


def tour(words=()):
    env()
    return _run(["tinykit.lab.tour", *words])


def lock(_words=()):
    """The same versions for a whole classroom, on Linux, macOS and Windows."""
    command = [
        "uv", "pip", "compile", "pyproject.toml", "--extra", "lab", "--extra", "test",
        "--universal", "--python-version", "3.10", "--no-header", "-o", str(LOCK), *_words,
    ]  # fmt: skip
    if not shutil.which("uv"):
        raise SystemExit("Locking needs uv. Next: pip install uv, then again.")
    return subprocess.call(command, cwd=ROOT)


def _python():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _state():
    text = LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode() + str(ROOT).encode()
    return hashlib.sha256(text).hexdigest()


def _fresh():
    return STAMP.exists() and STAMP.read_text() == _state() and _python().exists()


def _settings():
    # JupyterLab asks on its first start whether it may fetch news: the answer is no.
    folder = VENV / "share/jupyter/lab/settings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overrides.json").write_text(
        json.dumps({"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}})
    )


def _run(module_and_words):
    environment = dict(os.environ, TF_USE_LEGACY_KERAS="1")
    # Programs of the environment are found by what runs in it (jupyter looks for jupyter-lab on PATH).
    environment["PATH"] = str(_python().parent) + os.pathsep + environment.get("PATH", "")
    try:
        return subprocess.call([str(_python()), "-m", *module_and_words], cwd=ROOT, env=environment)
    except KeyboardInterrupt:
        return 130


def _call(command, what):
    if subprocess.call(command, cwd=ROOT):
        raise SystemExit(
            what + " The reason is above. Next: check the network connection and the free disk space (3 GB), "
            "then run this again; it goes on where packages are already downloaded."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
