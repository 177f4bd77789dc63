"""Which files of the device core a program needs: by what its functions call, file after file."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from .. import toolchain
from ..errors import BuildError

# What a program of either sensor calls.
SENSOR = {
    "imu": ("tk_solo_feel", "tk_history_init", "tk_history_push"),
    "mic": ("tk_solo_hear", "tk_mic_init", "tk_mic_tend"),
}

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_NAME = re.compile(r"\btk_\w+")
# A function or a table, at the beginning of a line; the house's style keeps calls indented.
_DEFINED = re.compile(
    r"^(?!static\b|typedef\b|extern\b|#)[A-Za-z_][\w \t*]*?\b(tk_\w+)(?:\[[^\n]*\])* ?(?:\(|= ?\{)", re.M
)
_INCLUDE = re.compile(r'^#include "(tk_[\w.]+)"', re.M)


def needed(names, without=()) -> list[Path]:
    """C files that define these functions and all that they use, and the headers of those files.

    Parameters
    ----------
    names : iterable of str
        Functions and tables of the core.
    without : iterable of str
        Those that the program has itself.

    Returns
    -------
    list of Path
        Sorted by name.

    Raises
    ------
    BuildError
        No file of the core defines one of them.
    """
    home, uses = _index()
    wanted, files = list(dict.fromkeys(names)), set()
    for name in wanted:
        if name not in home:
            raise BuildError(f"The device core has no {name}.", "Install tinykit again, or check out hardware/ again.")
    seen = {*wanted, *without}
    while wanted:
        path = home[wanted.pop()]
        if path in files:
            continue
        files.add(path)
        fresh = {name for name in uses[path] if name in home} - seen
        seen |= fresh
        wanted += sorted(fresh)
    return sorted(_with_headers(files))


def _with_headers(files: set[Path]) -> set[Path]:
    found, waiting = set(files), list(files)
    while waiting:
        path = waiting.pop()
        for name in _INCLUDE.findall(_text(path)):
            header = path.with_name(name)
            if header not in found:
                found.add(header)
                waiting.append(header)
    return found


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, Path], dict[Path, set[str]]]:
    """Where each name is defined; which names each file uses."""
    home: dict[str, Path] = {}
    uses: dict[Path, set[str]] = {}
    for path in toolchain.core_sources():
        text = _text(path)
        for name in _DEFINED.findall(text):
            home[name] = path
        # What a file includes as code (.inc) is part of it.
        for name in _INCLUDE.findall(text):
            if name.endswith(".inc"):
                text += _text(path.with_name(name))
        uses[path] = set(_NAME.findall(text))
    return home, uses


@lru_cache(maxsize=256)
def _text(path: Path) -> str:
    return _COMMENT.sub(" ", path.read_text(encoding="utf-8"))
