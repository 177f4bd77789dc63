"""Running a tool: its lines as they come, a limit, and nothing left behind when it is stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from ..errors import ToolError
from .arduino_words import INSTALL

_TICK_S = 0.3
_REST_S = 5.0  # for the last words of a tool that has ended; a child of its own may keep its pipe open

_AGAIN = {
    True: "Unplug the board, plug it in again, and try once more.",
    False: "Run this again: what was downloaded is kept. If it stops again the network or this computer is too slow.",
}


@dataclass(frozen=True)
class Ended:
    """What a tool left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def run(command, limit: float, told=None, tick=None) -> Ended:
    """Run a tool to its end.

    Parameters
    ----------
    command : list of str
    limit : float
        Seconds after which it is stopped.
    told : callable, optional
        Called with each line of standard output as it comes; a progress bar's parts are lines too.
    tick : callable, optional
        Called a few times a second while it runs.

    Raises
    ------
    ToolError
        ``absent``: there is no such program, or it can't be run; ``timeout``: it took too long.
    """
    # English, because the texts are looked into; no colours, and no look for a newer version.
    environment = dict(os.environ, ARDUINO_LOCALE="en", ARDUINO_UPDATER_ENABLE_NOTIFICATION="false", NO_COLOR="1")
    # A group of its own, so that what it started ends with it; on Windows, no window that pops up.
    own = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {"start_new_session": True}
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **own
        )
    except OSError as error:
        raise ToolError(
            "absent", f"{command[0]} can't be run: {(error.strerror or str(error)).lower()}.",
            f"{INSTALL} TINYKIT_ARDUINO_CLI names another one.",
        ) from None  # fmt: skip
    pipes = [_Pipe(process.stdout), _Pipe(process.stderr)]
    seen, end = 0, time.monotonic() + limit
    try:
        while process.poll() is None:
            pipes[0].thread.join(_TICK_S)  # ends early when the tool does
            if not pipes[0].thread.is_alive():
                time.sleep(0.01)
            if tick is not None:
                tick()
            seen = _tell(pipes[0], seen, told)
            if time.monotonic() > end:
                raise ToolError(
                    "timeout", f"{' '.join(command[:2])} was stopped after {limit:g} s: it did not end.",
                    _AGAIN[command[1:2] == ["upload"]], pipes[0].text + pipes[1].text,
                )  # fmt: skip
    except BaseException:
        _stop(process)
        raise
    for pipe in pipes:
        pipe.thread.join(_REST_S)
    _tell(pipes[0], seen, told, rest=True)
    return Ended(process.returncode, pipes[0].text, pipes[1].text)


def _tell(pipe, seen: int, told, rest: bool = False) -> int:
    if told is None:
        return seen
    lines = re.split(r"[\r\n]+", pipe.text[seen:])
    for line in lines if rest else lines[:-1]:
        if line.strip():
            told(line.strip())
    return len(pipe.text) if rest else len(pipe.text) - len(lines[-1])


def _stop(process) -> None:
    try:
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except OSError:  # it has ended by itself meanwhile
        pass
    process.wait()


class _Pipe:
    """Reads a stream on a thread of its own, so that neither of two can fill up and block the tool."""

    def __init__(self, stream):
        self._parts: list[bytes] = []
        self._stream = stream
        self.thread = threading.Thread(target=self._read, name="tinykit tool", daemon=True)
        self.thread.start()

    def _read(self):
        with self._stream:
            while data := self._stream.read1(65536):
                self._parts.append(data)

    @property
    def text(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")
