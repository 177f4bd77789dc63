"""A long take, cut: words or movements by a threshold that a hand moves, or windows side by side."""

from __future__ import annotations

import numpy as np

from ..data import Recording, split_movements, split_words, take_quality
from ..data.movements import LONG_S, split_windows
from ..data.take import REST
from ..errors import TinykitError
from .widget import many

_ASIDE = 10  # long takes that can be had back
_WEAK_DB = 14.0  # so far below the usual is hardly the same movement


class Cut:
    """One long take and its parts, by the threshold that is set.

    Parameters
    ----------
    recording : Recording
        Sound is cut into words, motion into movements.
    seconds : float
        Length of each part's take.
    note : str
        What is to be said of the long take itself; that the board was away, perhaps.

    Attributes
    ----------
    parts : Segments
        What was found.
    windows : bool
        Whether it is cut into windows side by side; so it is where rest is recorded.
    """

    def __init__(self, recording: Recording, seconds: float = 1.0, note: str = ""):
        self.recording, self.seconds, self.note = recording, seconds, note
        self.windows = not recording.is_sound and (recording.label or "").lower() in REST
        self._threshold: float | None = None
        self._split()

    @property
    def noun(self) -> str:
        """What it is cut into: "word", "movement", "window"."""
        return self.parts.what

    def set(self, threshold_db: float) -> None:
        """Another threshold, dB above the noise floor, or above the rest."""
        self._threshold = float(threshold_db)
        self._split()

    def side_by_side(self, windows: bool) -> None:
        """Cut motion into windows, or into movements again."""
        self.windows = bool(windows) and not self.recording.is_sound
        self._split()

    def takes(self, chosen) -> list[tuple[Recording, TinykitError | None]]:
        """The chosen parts, each judged as a take of its own, with the refusal if it is one."""
        out = []
        for k in sorted({int(k) for k in chosen}):
            part = self.parts[k]
            samples = part.counts() if part.is_sound else part.samples
            quality = take_quality(
                samples, part.channels, part.rate_hz, timestamps_ms=part.timestamps_ms, label=part.label
            )
            part, refusal = part.with_(id="", quality=quality.to_dict()), None
            try:
                quality.require()
            except TinykitError as error:
                refusal = error
            out.append((part, refusal))
        return out

    def odd(self) -> dict[int, str]:
        """Parts that are unlike the others, with the reason: kept only if somebody says so."""
        spans = self.parts.spans
        if self.parts.doubt and self._threshold is None:
            return dict.fromkeys(range(len(spans)), "perhaps no single movement")
        if self.noun != "movement" or len(spans) < 3:
            return {}
        usual_s = float(np.median([s.end_s - s.start_s for s in spans]))
        usual_db = float(np.median([s.level_db for s in spans]))
        odd = {}
        for k, s in enumerate(spans):
            if s.end_s - s.start_s > max(LONG_S, 2 * usual_s):
                odd[k] = "much longer than the others"
            elif s.level_db < usual_db - _WEAK_DB:
                odd[k] = "much weaker than the others"
        return odd

    def message(self) -> tuple[list, dict]:
        """As the recorder sends it: hundredths of a decibel above the floor (int16), and the parts."""
        parts = self.parts
        above = np.clip((parts.envelope.db - parts.floor_db) * 100, -32768, 32767)
        facts = {
            "label": self.recording.label, "person": self.recording.person, "seconds": self.recording.seconds,
            "threshold": round(parts.threshold_db, 1), "floor": float(np.median(parts.floor_db)), "what": self.noun,
            "words": [[round(s.start_s, 3), round(s.end_s, 3), round(s.level_db, 1)] for s in parts.spans],
            "odd": [[k, why] for k, why in self.odd().items()], "doubt": parts.doubt, "note": self.note,
            "window": self.seconds,
        }  # fmt: skip
        return [np.rint(above).astype("<i2").tobytes()], facts

    def _split(self) -> None:
        if self.recording.is_sound:
            self.parts = split_words(self.recording, self._threshold, seconds=self.seconds)
        elif self.windows:
            self.parts = split_windows(self.recording, self.seconds)
        else:
            self.parts = split_movements(self.recording, self._threshold, seconds=self.seconds)


class Cutting:
    """What a recorder does with its long take; for ``Recorder``, which has a ledger."""

    cut: Cut | None = None
    _aside: tuple[Cut, ...] = ()  # long takes that are not open, the latest last

    def _show_cut(self) -> None:
        cut = self.cut
        if cut is None:
            self.tell("cut", words=None, before=bool(self._aside))
            return
        buffers, facts = cut.message()
        self.tell("cut", buffers, before=bool(self._aside), **facts)

    def _cut_now(self, recording: Recording, note: str = "") -> Cut:
        """A long take came: cut it, and show it; one that is open is put aside."""
        cut = Cut(recording, self.seconds, note)
        self._put_aside()
        self.cut = cut
        self.ledger.changed = True
        return self.cut

    def on_threshold(self, content, buffers) -> None:
        """The hand on the threshold moved."""
        if self.cut is not None:
            self.cut.set(float(content["db"]))
            self._show_cut()

    def on_windows(self, content, buffers) -> None:
        """Cut motion into windows, or into movements again."""
        if self.cut is not None:
            self.cut.side_by_side(bool(content["on"]))
            self._show_cut()

    def on_accept(self, content, buffers) -> None:
        """Keep the chosen parts as takes, if they are still those that the page shows."""
        cut = self.cut
        if cut is None:
            return
        there = len(cut.parts), round(cut.parts.threshold_db, 1)
        if (content.get("found", there[0]), content.get("threshold", there[1])) != there:
            self._show_cut()
            self.tell("told", state="warn", text="The parts have just changed; nothing was kept.", next="look again.")
            return
        takes = cut.takes(content["chosen"])
        cards = [self._kept(part, refusal)[0] for part, refusal in takes]
        refused = sum(card.state == "refused" for card in cards)
        twice = sum(card.why.startswith("same as") for card in cards)
        self._put_aside()
        text = f"{many(len(takes) - refused, cut.noun)} kept as takes"
        text += f", {refused} refused" if refused else ""
        text += f", {twice} of them there before" if twice else ""
        self.ledger.changed = True
        self.tell("told", state="warn" if refused or twice else "ok", text=f"{text}.")

    def on_drop(self, content, buffers) -> None:
        """Put the long take aside; it can be had back."""
        self._put_aside()
        self.ledger.changed = True

    def on_reopen(self, content, buffers) -> None:
        """The long take that was put aside last, once more; one that is open goes behind all others."""
        if self._aside:
            *others, before = self._aside
            self._aside = (*([self.cut] if self.cut else []), *others)
            self.cut = before
            self.ledger.changed = True

    def _put_aside(self) -> None:
        if self.cut is not None:
            self._aside = (*self._aside, self.cut)[-_ASIDE:]
        self.cut = None
