"""The audio scope: waveform, log-mel spectrogram and level of a microphone, with every lost sample."""

from __future__ import annotations

import time

import numpy as np

from .. import look
from ..data import Recording, units
from ..data.take import LIMITS
from .sound import features
from .tap import Tap
from .widget import LabWidget, link_of, module, sheet, source_html, span

# Loudness of the loudest part, dB of full scale: below, a take is called too quiet; above, speech's peaks,
# some 9 dB over its root mean square, are cut off.
WANTED_DBFS = (LIMITS.quiet_db + 10.0, -9.0)
SETTLES_S = 3.5
_SECONDS = 4.0  # what the picture shows
_KEEPS = (1, 2, 3, 5)


class AudioScope(LabWidget):
    """Sound as it comes; made by ``tk.lab.scope(board, "mic")``.

    The kernel sends new samples only (32 kB a second); the spectrogram is computed in the browser.

    Attributes
    ----------
    kept : list of Recording
        What "Keep" kept, the latest last.
    """

    _esm = module("audioscope", "sound")
    _css = sheet("sound")
    title = "Audio scope"

    def __init__(self, board):
        self.kept: list[Recording] = []
        self._tap = Tap(board, "mic", 30.0)
        config = {
            "rate_hz": float(self._tap.stream.rate_hz),
            "seconds": _SECONDS,
            "wanted": list(WANTED_DBFS),
            "keeps": list(_KEEPS),
        }
        super().__init__(board, config)
        self.run()

    def start(self) -> None:
        self._tap.open()

    def stop(self) -> None:
        self._tap.close()

    def flush(self) -> None:
        if self.unseen():
            return
        fresh = self.fresh(self._tap.written > 0)
        samples = self._tap.news(_SECONDS + 0.1 if fresh else None)
        if len(samples):
            buffers, runs = self._tap.message(samples)
            self.tell("samples", buffers, fresh=fresh, **runs)
        if self.due(0.5 if self._tap.settling else 1.0):
            self.tell("status", **self._status())

    def _status(self) -> dict:
        tap = self._tap
        if tap.settling:
            text = f"the microphone settles, {SETTLES_S:g} s"
            link, note = {"kind": "run", "picture": "run", "text": text}, None
        else:
            gap = tap.gap_s
            link, note = link_of(self.board, time.monotonic() - tap.first_at, tap.silent_s, gap)
        stats = tap.stream.stats
        facts = {
            "rate_hz": stats.rate_hz if np.isfinite(stats.rate_hz) else 0.0,
            "received": stats.received, "lost": stats.lost, "seconds": stats.seconds, "silent_s": tap.silent_s,
        }  # fmt: skip
        return {"link": link, "note": note, "facts": facts, "settling": tap.settling}

    def on_keep(self, content, buffers) -> None:
        """Keep the last seconds up to the sample that the student sees."""
        rate = self._tap.stream.rate_hz
        samples, _ = self._tap.stream.read_new()
        index = samples.index
        end = int(content.get("last", -1))
        last = end if end >= 0 else int(index[-1]) if len(samples) else 0
        rows = np.flatnonzero((index <= last) & (index > last - round(float(content["seconds"]) * rate)))
        if len(rows) < 2:
            self.tell("kept", text="nothing to keep yet")
            return
        self.kept.append(
            Recording(
                units.to_units(samples.counts[rows], samples.channels),
                channels=samples.channels,
                rate_hz=rate,
                device=self.board.device_name,
                recorded_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                quality={"lost": int((np.diff(index[rows]) - 1).sum())},
                source=self.board.port,
            )
        )
        name = f"scope.kept[{len(self.kept) - 1}]"
        self.tell("kept", text=f"{len(rows) / rate:.1f} s kept as {name} of this widget")

    def settle(self, seconds: float) -> None:
        self._tap.wait(min(seconds, _SECONDS), 3 * seconds + 5 + 3 * SETTLES_S)

    def snapshot(self) -> look.Html:
        samples = self._tap.latest(_SECONDS)
        if len(samples) < 1000:
            body = look.note("none", "No sound yet.", "run this cell to hear and see it live.")
            return look.card(self.title, source_html(self.head), body)
        heard = Recording(units.to_units(samples.counts, samples.channels), samples.channels, self._tap.stream.rate_hz)
        stats = self._tap.stream.stats
        total = look.number(stats.lost + stats.received)
        facts = look.dots(
            look.number(stats.rate_hz, "Hz", 0), f"{look.number(stats.lost)} lost of {total} in {span(stats.seconds)}"
        )
        return features(heard, title=self.title, subtitle=source_html(self.head), foot=facts, state="still picture")
