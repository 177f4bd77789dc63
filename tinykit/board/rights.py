"""The right to open a port, which Linux gives to a group or by a udev rule."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import BoardError

RULE = 'SUBSYSTEMS=="usb", ATTRS{idVendor}=="2341", MODE:="0666"'
FOLDER = Path("/etc/udev/rules.d")
FILE = "60-tinykit.rules"  # not that of Arduino's installer, which has more in it and is the user's


def way_in(address: str) -> str:
    """What to do so that this user may open a port, from how things stand."""
    if not sys.platform.startswith("linux"):
        return "Check the permissions of the port; unplug the board, plug it in again, and retry."
    if has_rule():
        return (
            "The udev rule for Arduino's boards is there, and works for what is plugged in after it: unplug the "
            "board and plug it in again."
        )
    group, waits = _group(address)
    if waits:
        return (
            f"You are in the group {group}, but this session began before that: log out and log in again (or restart)."
        )
    return (
        f"Run `sudo usermod -a -G {group} $USER`, log out and log in again; or let `tinykit doctor --mend` write a "
        f"udev rule ({FOLDER / FILE}: {RULE}), and plug the board in again."
    )


def has_rule(folder: Path | None = None) -> bool:
    """Whether there is a udev rule that names all of Arduino's boards, or this one."""
    folder = folder or FOLDER
    for path in folder.glob("*.rules") if os.path.isdir(folder) else ():
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        if any(_allows(line) for line in lines):
            return True
    return False


def _allows(line: str) -> bool:
    ours = "2341" in line and ("idProduct" not in line or "805a" in line.lower())
    return ours and "MODE" in line and not line.lstrip().startswith("#")


def can_write_rule() -> bool:
    """Whether ``write_rule`` can be tried here: on Linux with sudo, and somebody to type a password."""
    return sys.platform.startswith("linux") and shutil.which("sudo") is not None and sys.stdin.isatty()


def write_rule(folder: Path | None = None) -> None:
    """Write the udev rule, as root by sudo, which asks for the password.

    Raises
    ------
    BoardError
        It was refused.
    """
    folder = folder or FOLDER
    script = 'mkdir -p "$1" && printf "%s\\n" "$2" > "$1/$3" && udevadm control --reload-rules && udevadm trigger'
    ended = subprocess.run(["sudo", "sh", "-c", script, "sh", str(folder), RULE, FILE])
    if ended.returncode:
        raise BoardError(
            f"The udev rule was not written (sudo ended with code {ended.returncode}).",
            f"Ask whoever administers this computer to write {RULE} into {folder / FILE}.",
        )


def _group(address: str) -> tuple[str, bool]:
    """Group that may open a port; whether this user was put into it, but not yet this session."""
    import grp
    import pwd

    usual = "uucp" if Path("/etc/arch-release").exists() else "dialout"
    try:
        entry = grp.getgrgid(os.stat(address).st_gid)
        me = pwd.getpwuid(os.geteuid()).pw_name
    except (OSError, KeyError):
        return usual, False
    if entry.gr_name in ("root", "tty"):
        return usual, False
    return entry.gr_name, me in entry.gr_mem and entry.gr_gid not in os.getgroups()
