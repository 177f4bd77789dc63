"""Files of a program from templates: words in @CAPITALS@, and bytes as C arrays."""

from __future__ import annotations

import re
from pathlib import Path

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_WORD = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def filled(template: str, words: dict) -> bytes:
    """A template's text with its words put in.

    Parameters
    ----------
    template : str
        Its place under ``templates/``.
    words : dict of str to anything with a text
        For each ``@WORD@`` in it; further ones are not missed.
    """
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    return _WORD.sub(lambda found: str(words[found.group(1)]), text).encode("utf-8")


def array(data: bytes) -> str:
    """The inside of a C array of bytes, 16 a line."""
    return "\n".join(
        "    " + " ".join(f"0x{byte:02x}," for byte in data[at : at + 16]) for at in range(0, len(data), 16)
    )


def whole(text: str) -> str:
    """A text that may stand in a C comment or on one line of Markdown: no ends of comments, no new lines."""
    return re.sub(r"[\r\n]+", " ", text).replace("*/", "* /").replace("/*", "/ *")
