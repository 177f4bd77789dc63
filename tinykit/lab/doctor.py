"""Is this computer ready for the course? One row a question, with what to do where the answer is no."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from dataclasses import asdict, dataclass

from .. import look
from ..errors import TinykitError


@dataclass(frozen=True)
class Finding:
    """One row of the doctor's report.

    Parameters
    ----------
    what : str
        What was looked at.
    state : str
        ``"ok"``, ``"warn"`` (the course works without it) or ``"bad"``.
    found : str
        What was found.
    next : str
        What to do, empty where nothing is to be done.
    """

    what: str
    state: str
    found: str
    next: str = ""


class Doctor:
    """All findings; ``ok`` when nothing stands in the way of the course."""

    def __init__(self, findings):
        self.findings = tuple(findings)

    @property
    def ok(self) -> bool:
        return all(f.state != "bad" for f in self.findings)

    def as_dict(self) -> dict:
        return {"ok": self.ok, "findings": [asdict(f) for f in self.findings]}

    def _verdict(self) -> str:
        return "ready for the course" if self.ok else "something stands in the way"

    def __repr__(self) -> str:
        rows = []
        for f in self.findings:
            rows.append(f"{f.state:<5}{f.what:<18}{f.found}" + (f"\n     Next: {f.next}" if f.next else ""))
        return "\n".join([*rows, "", self._verdict()])

    def _repr_html_(self) -> str:
        rows = [
            (look.state(f.state, f.what), _wrapped(f.found) + (_wrapped(f"Next: {f.next}") if f.next else ""))
            for f in self.findings
        ]
        body = look.table(rows, head=("looked at", "found"), raw=True)
        state = look.state("ok", "ready") if self.ok else look.state("bad", "not ready")
        return look.card("Set-up", self._verdict(), body, state=state)


def _wrapped(text) -> str:
    # Cells don't wrap by themselves, and the list of packages is long.
    return f'<div style="white-space:normal">{look.esc(text)}</div>'


def doctor() -> Doctor:
    """Look at Python, the packages, the compiler, the virtual board and the ports.

    Nothing is changed but the build cache, and nothing is asked of the network. The first call
    builds the firmware, which takes some seconds.
    """
    return Doctor([_python(), *_packages(), _core(), _virtual_board(), *_ports()])


def _python() -> Finding:
    version = platform.python_version()
    found = f"Python {version}, {platform.system()} {platform.machine()}"
    if (3, 10) <= sys.version_info[:2] <= (3, 12):
        return Finding("Python", "ok", found)
    return Finding("Python", "bad", found, "Use Python 3.10, 3.11 or 3.12; TensorFlow has no package for this one.")


def _packages():
    course = ("jupyterlab", "ipywidgets", "anywidget", "matplotlib", "tensorflow", "tf_keras",
              "tensorflow-model-optimization", "scikit-learn")  # fmt: skip
    found, missing = [], []
    for name in course:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("packages", "bad", "missing: " + ", ".join(missing), "Run python kit.py env, or make env.")
    else:
        yield Finding("packages", "ok", ", ".join(found))


def _core() -> Finding:
    from ..features import load_core

    try:
        load_core()
    except (TinykitError, OSError) as error:
        return Finding("device core", "bad", str(error), "Run python kit.py env; it brings the compiler (ziglang).")
    return Finding("device core", "ok", "compiled for this computer")


def _virtual_board() -> Finding:
    from ..board import connect

    try:
        with connect("virtual://nano33ble/doctor?flash=memory") as board:
            info = board.info
    except (TinykitError, OSError) as error:
        return Finding("virtual board", "bad", str(error), "Send this line to the project; the lessons need it.")
    return Finding("virtual board", "ok", f"answers, firmware {info.firmware}: {info.size_in_words}")


def _ports():
    from ..board import ports

    real = [port for port in ports() if port.kind != "virtual"]
    if not real:
        yield Finding("USB board", "warn", "none attached", "None is needed: the virtual board stands in for it.")
    for port in real:
        yield Finding("USB board", "ok" if port.kind == "nano33ble" else "warn", str(port))
