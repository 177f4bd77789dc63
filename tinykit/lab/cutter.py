"""A long take of one word, cut into its words: a threshold that a hand moves, words that are kept or not."""

from __future__ import annotations

import numpy as np

from ..data import Recording, split_words, take_quality
from ..errors import TakeRefused


class Cut:
    """One long take and its words by the threshold that is set.

    Parameters
    ----------
    recording : Recording
        Sound.
    seconds : float
        Length of each word's take.

    Attributes
    ----------
    words : Segments
        What ``tinykit.data.split_words`` found.
    """

    def __init__(self, recording: Recording, seconds: float = 1.0):
        self.recording, self.seconds = recording, seconds
        self.words = split_words(recording, seconds=seconds)

    def set(self, threshold_db: float) -> None:
        """Another threshold, dB above the noise floor."""
        self.words = split_words(self.recording, float(threshold_db), seconds=self.seconds)

    def takes(self, chosen) -> list[tuple[Recording, TakeRefused | None]]:
        """The chosen words, each judged as a take of its own, with the refusal if it is one."""
        out = []
        for k in sorted({int(k) for k in chosen}):
            word = self.words[k]
            quality = take_quality(word.counts(), word.channels, word.rate_hz, label=word.label)
            word, refusal = word.with_(id="", quality=quality.to_dict()), None
            try:
                quality.require()
            except TakeRefused as error:
                refusal = error
            out.append((word, refusal))
        return out

    def message(self) -> tuple[list, dict]:
        """As the recorder sends it: hundredths of a decibel above the noise floor (int16), and the words."""
        words = self.words
        above = np.clip((words.envelope.db - words.floor_db) * 100, -32768, 32767)
        facts = {
            "label": self.recording.label, "person": self.recording.person, "seconds": self.recording.seconds,
            "threshold": round(words.threshold_db, 1), "floor": float(np.median(words.floor_db)),
            "words": [[round(s.start_s, 3), round(s.end_s, 3), round(s.level_db, 1)] for s in words.spans],
        }  # fmt: skip
        return [np.rint(above).astype("<i2").tobytes()], facts

    def heard(self, k: int) -> np.ndarray:
        """Counts of word ``k`` as it would be kept: int16 (n,)."""
        return self.words[int(k)].counts()[:, 0]
