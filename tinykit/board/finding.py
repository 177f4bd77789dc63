"""A finding: what was looked at, how it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remedy:
    """Something that can be mended from here, once somebody agrees.

    Parameters
    ----------
    offer : str
        What would be done, and how long it takes: a sentence that "Do it?" may follow.
    act : callable
        Does it; called with ``tell(text)``, for its progress. Returns a ``Finding``: how it went.
    """

    offer: str
    act: Callable[[Callable[[str], None]], Finding]


def steps(tell: Callable[[str], None], words: dict[str, str]) -> Callable[[str, str], None]:
    """``tell`` as a function of (step, text) that is called often: each step is told once, in ``words``."""
    last = []

    def progress(step: str, text: str) -> None:
        if last != [step]:
            last[:] = [step]
            tell(f"{words[step]}{f': {text}' if text else ''}")

    return progress


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
    name : str
        One word for it, the same for ever, for programs: ``"busy"``, ``"bootloader"``...
    port : str
        Which board it is about: its port; empty: none.
    picture : str
        A picture that shows what to do: ``"double_tap"``, or empty.
    remedy : Remedy, optional
        What tinykit can do about it.
    """

    what: str
    state: str
    found: str
    next: str = ""
    name: str = ""
    port: str = ""
    picture: str = ""
    remedy: Remedy | None = field(default=None, compare=False, repr=False)

    def as_dict(self) -> dict:
        """For JSON; ``mend`` is the remedy's offer, or None."""
        words = {key: getattr(self, key) for key in ("what", "state", "found", "next", "name", "port", "picture")}
        return {**words, "mend": self.remedy.offer if self.remedy else None}
