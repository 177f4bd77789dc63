"""The audio scope: waveform, log-mel spectrogram and level of a microphone, with every lost sample."""

from __future__ import annotations

import numpy as np

from .. import look
from ..data import Recording, units
from ..data.take import LIMITS
from .scope import Facts, SensorScope, guessed
from .sound import features
from .tap import Tap
from .widget import module, sheet, source_html

# Loudness of the loudest part, dB of full scale: below, a take is called too quiet; above, speech's peaks,
# some 9 dB over its root mean square, are cut off.
WANTED_DBFS = (LIMITS.quiet_db + 10.0, -9.0)
SETTLES_S = 3.5


class AudioScope(SensorScope):
    """Sound as it comes; made by ``tk.lab.scope(board, "mic")``.

    The kernel sends new samples only (32 kB a second); the spectrogram is computed in the browser.
    """

    _esm = module("audioscope", "glide", "steer", "sound", "spectrogram")
    _css = sheet("sound", "scope")
    title = "Audio scope"
    seconds = 4
    spans = (0.1, 0.2, 0.5, 1, 2, 4, 8)
    holds_s = 30.0
    fresh_s = 8.1
    keeps = (1, 2, 3, 5)

    def __init__(self, board, dataset=None, labels=None, person: str = ""):
        tap = Tap(board, "mic")  # longer than the page holds: what is paused can still be kept
        config = {"wanted": list(WANTED_DBFS), "limits": [1]}
        super().__init__(board, tap, config, dataset, labels, person)

    @property
    def status_s(self) -> float:
        """A microphone that settles is looked at more often."""
        return 0.5 if self._tap.settling else 1.0

    @property
    def facts(self) -> Facts:
        """Rate, jitter of the frames and losses since the stream was opened."""
        stream = self._tap.stream
        stats = stream.stats
        lost = stats.lost + stats.lost_estimated
        return Facts(
            stats.rate_hz if np.isfinite(stats.rate_hz) else 0.0, stats.jitter_ms, stats.received, lost,
            stats.seconds + stats.lost_estimated / stream.rate_hz, guessed(lost, stats), self._tap.silent_s,
            self._tap.gap_s,
        )  # fmt: skip

    def _status(self) -> dict:
        settling = self._tap.settling
        status = {**super()._status(), "settling": settling}
        if settling:
            text = f"the microphone settles, {SETTLES_S:g} s"
            status |= {"link": {"kind": "run", "picture": "run", "text": text}, "note": None}
        return status

    def settle(self, seconds: float) -> None:
        self._tap.wait(min(seconds, self.seconds), 3 * seconds + 5 + 3 * SETTLES_S)

    def snapshot(self) -> look.Html:
        samples = self._tap.latest(self.seconds)
        if len(samples) < 1000:
            body = look.note("none", "No sound yet.", "run this cell to hear and see it live.")
            return look.card(self.title, source_html(self.head), body)
        heard = Recording(units.to_units(samples.counts, samples.channels), samples.channels, self._tap.stream.rate_hz)
        foot = self.facts.told(0)
        return features(heard, title=self.title, subtitle=source_html(self.head), foot=foot, state="still picture")
