"""Which programs have a port open."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_KNOWN = (  # what stands in a command line -> what people call it; the first that is found counts
    ("ipykernel", "another notebook"),
    ("serial-monitor", "the Arduino IDE's serial monitor"),
    ("arduino-ide", "the Arduino IDE"),
    ("arduino-cli", "arduino-cli"),
    ("bossac", "an upload that is under way (bossac)"),
    ("edge-impulse", "Edge Impulse's tool"),
    ("modemmanager", "ModemManager"),
)


@dataclass(frozen=True)
class Holder:
    """A program that has a port open.

    Parameters
    ----------
    pid : int
        Its process.
    name : str
        What people call it.
    """

    pid: int
    name: str

    @property
    def here(self) -> bool:
        """Whether it is this program itself."""
        return self.pid == os.getpid()

    def __str__(self) -> str:
        return "this program itself" if self.here else f"{self.name} (process {self.pid})"


def holders(address: str) -> list[Holder]:
    """Programs that have a port open, as far as this user may know: Linux and macOS; empty elsewhere.

    Parameters
    ----------
    address : str
        The port's name.
    """
    if sys.platform.startswith("linux"):
        return _by_proc(os.path.realpath(address))
    return _by_lsof(address)


def _by_proc(path: str) -> list[Holder]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == path for fd in (folder / "fd").iterdir()):
                found.append(Holder(int(folder.name), _called(_line(folder))))
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return sorted(found, key=lambda holder: holder.pid)


def _line(folder: Path) -> list[str]:
    """The command line of a process; of a notebook's kernel with the notebook's name at its end."""
    words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    if any("ipykernel" in word for word in words):
        for entry in (folder / "environ").read_bytes().split(b"\0"):
            if entry.startswith(b"JPY_SESSION_NAME="):  # Jupyter's own word for it
                words.append(entry.split(b"=", 1)[1].decode("utf-8", "replace"))
    return [word for word in words if word]


def _by_lsof(address: str) -> list[Holder]:
    if shutil.which("lsof") is None:
        return []
    # A Mac has every port twice, /dev/cu.X and /dev/tty.X.
    names = {address, address.replace("/dev/cu.", "/dev/tty."), os.path.realpath(address)}
    try:
        said = subprocess.run(["lsof", "-Fpc", *names], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_lsof(said, _by_ps)


def parse_lsof(said: str, line_of) -> list[Holder]:
    """What ``lsof -Fpc`` says: a line ``p`` with the process, a line ``c`` with its name.

    Parameters
    ----------
    said : str
    line_of : callable
        Process -> its command line as a list of words; empty: unknown.
    """
    found, pid = {}, None
    for line in said.splitlines():
        if line[:1] == "p" and line[1:].isdigit():
            pid = int(line[1:])
        elif line[:1] == "c" and pid is not None:
            found[pid] = Holder(pid, _called(line_of(pid) or [line[1:]]))
    return [found[pid] for pid in sorted(found)]


def _by_ps(pid: int) -> list[str]:
    try:
        command = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []


def _called(words: list[str]) -> str:
    line = " ".join(words).lower()
    for part, name in _KNOWN:
        if part in line:
            notebook = words[-1].replace("\\", "/").split("/")[-1]
            return f"the notebook {notebook}" if part == "ipykernel" and notebook.endswith(".ipynb") else name
    names = [word.replace("\\", "/").split("/")[-1] for word in words]
    # `python .../tinykit listen`, `python -m tinykit.cli listen`
    for place, name in enumerate(names):
        if name in ("tinykit", "tinykit.exe", "tinykit.cli") and place + 1 < len(names):
            return f"`tinykit {names[place + 1]}`"
    return " ".join(names[:2]) if names and names[0].startswith("python") else (names or ["a program"])[0]
