"""What arduino-cli says when it fails, in plain language; sources: arduino-cli 1.5, BOSSA 1.9 (Arduino's fork)."""

from __future__ import annotations

import re
import sys

from ..errors import ToolError
from .port import LINUX_RULES

INSTALL = (
    "Install arduino-cli (https://arduino.github.io/arduino-cli/latest/installation/) or the Arduino IDE 2 "
    "(https://www.arduino.cc/en/software), then try again."
)
DOUBLE_TAP = (
    "Press the board's reset button twice, quickly: the orange light breathes and the board waits in its "
    "bootloader. Then flash again."
)
# Exit codes, internal/cli/feedback/errorcodes.go.
_NETWORK, _CORE_CONFIG, _BAD_ARGUMENT, _INVENTORY = 5, 6, 7, 10

# What is looked for -> (name, sentence, way out). The first that is found counts: where the network failed,
# a missing platform is only what came of it. {port}, {tool} and {0} (the first group) are put in.
_WORDS = [
    (
        r"no such host|dial tcp|connection refused|network is unreachable|TLS handshake|proxyconnect|i/o timeout|"
        r"Client\.Timeout|Temporary failure in name|Error downloading|Failed to download|indexes could not be updated",
        "offline",
        "arduino-cli needs the internet for this, and could not reach downloads.arduino.cc.",
        "Connect this computer (behind a proxy: arduino-cli config set network.proxy URL) and try again; it is needed "
        "once, then flashing works offline.",
    ),
    (
        r"no space left on device|not enough space",
        "disk_full",
        "The disk is full.",
        "Free about 2 GB (the Arduino core with its compiler takes most of it), then try again.",
    ),
    (
        r"bad CPU type in executable",
        "no_rosetta",
        "Arduino's compiler for this board is made for Intel Macs, and Rosetta, which runs it, is not installed.",
        "Run softwareupdate --install-rosetta in a terminal, then try again.",
    ),
    (
        r"Platform '([^']+)' not found|Unknown FQBN: platform ([\w:]+)|platform ([\w:]+) is not installed",
        "no_core",
        "The Arduino core {0} is not installed.",
        "Run `{tool} core update-index` and `{tool} core install {0}`, or tk.flash() again with the internet at hand.",
    ),
    (
        r"Invalid FQBN|Unknown FQBN",
        "no_core",
        "arduino-cli knows no such board: {said}.",
        "Correct TINYKIT_FQBN, or leave it away: arduino:mbed_nano:nano33ble is the default.",
    ),
    (
        r"Library '?([^'\n]+?)'? not found|([\w.]+\.h): No such file or directory",
        "no_library",
        "The Arduino library for {0} is not installed.",
        "Connect this computer to the internet and try again: tinykit installs what is missing.",
    ),
    (
        r"text section exceeds|data section exceeds|region `\w+' overflowed|Sketch too big|Not enough memory;",
        "too_large",
        "The sketch is too large for the board.",
        "Use a smaller model, or a smaller arena.",
    ),
]

_UPLOAD_WORDS = [
    (
        r"Permission denied|permission denied",
        "no_rights",
        "You may not open {port}: permission denied.",
        LINUX_RULES if sys.platform.startswith("linux") else "Check the permissions of the port.",
    ),
    (
        r"port busy|Serial port busy|resource busy|Device or resource busy|Access is denied",
        "busy",
        "Another program holds {port}.",
        "Close the Arduino IDE's serial monitor, other notebooks (Kernel > Shut Down) and `tinykit` commands that use "
        "it, then flash again.",
    ),
    (
        r"No device found on|no upload port provided|[Pp]ort not found",
        "no_board",
        "The board on {port} did not go into its bootloader: its sketch has crashed, or the cable was pulled.",
        DOUBLE_TAP,
    ),
    (
        r"SAM-BA operation failed|Unable to connect|Verify failed|Flash (?:command|erase|write)|read error|write error",
        "cable",
        "The transfer to {port} broke off.",
        "Try another cable, and a port of the computer itself instead of a hub. " + DOUBLE_TAP,
    ),
]


def explain(task: str, code: int, answer: dict, said: str, tool: str, port: str = "", report: str = "") -> ToolError:
    """One clear sentence for a failure.

    Parameters
    ----------
    task : str
        What was being done: ``"compile"``, ``"upload"``, ``"install"`` or ``"look"``.
    code : int
        Exit code.
    answer : dict
        The JSON object that it printed, on whichever stream.
    said : str
        Everything that it said, the JSON's texts included.
    tool, port, report : str
        For the sentence: the executable's name, the port; and the whole for ``ToolError.report``.
    """
    message = (answer.get("error") or said).strip()
    said = said.strip() or message
    fault = first_fault(answer)
    for pattern, name, what, way in (*(_UPLOAD_WORDS if task == "upload" else ()), *_WORDS):
        found = re.search(pattern, said)
        if found:
            group = next((g for g in found.groups() if g), "")
            for word, text in (("{0}", group), ("{port}", port), ("{tool}", tool), ("{said}", _line(message))):
                what, way = what.replace(word, text), way.replace(word, text)
            return ToolError(name, what, way, report)
    if code == _NETWORK:
        _, name, what, way = _WORDS[0]
        return ToolError(name, what, way, report)
    if task == "compile" and fault:
        return ToolError(
            "compile",
            f"The sketch does not compile: {fault}.",
            "Mend that line; error.report (tinykit flash --verbose) has all that was said.",
            report,
        )
    if code in (_CORE_CONFIG, _INVENTORY):
        return ToolError(
            "failed",
            f"arduino-cli's own folder or settings are damaged: {_line(message)}.",
            f"Look at `{tool} config dump`; moving its data folder away and trying again makes a new one.",
            report,
        )
    if code == _BAD_ARGUMENT or "unknown flag" in said:
        return ToolError(
            "old", f"arduino-cli does not know what it was asked: {_line(message)}.", f"Update it. {INSTALL}", report
        )
    doing = {"compile": "compile the sketch", "upload": f"upload to {port}", "install": "install"}.get(task, "answer")
    return ToolError(
        "failed",
        f"arduino-cli could not {doing}: {_line(message) or f'it ended with code {code}'}.",
        "Read all that it said: error.report, or tinykit flash --verbose.",
        report,
    )


def first_fault(answer: dict) -> str:
    """The first error of a compilation as ``Board.ino, line 3: message``, or an empty string."""
    for entry in (answer.get("builder_result") or {}).get("diagnostics") or ():
        if str(entry.get("severity", "")).upper() in ("ERROR", "FATAL"):
            return place(entry)
    return ""


def place(entry: dict) -> str:
    """A diagnostic in one line."""
    file = re.split(r"[\\/]", entry.get("file") or "")[-1]
    where = f"{file}, line {entry['line']}" if file and entry.get("line") else file
    return f"{where}: {entry.get('message', '')}" if where else entry.get("message", "")


def _line(text: str) -> str:
    """The first line that says something, without its full stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else ""
