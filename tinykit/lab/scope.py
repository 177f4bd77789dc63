"""The scope: traces of the IMU as they come, with their true rate and every lost sample."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from .. import look
from ..data import Recording, units
from .widget import FRAMES_PER_S, LabWidget, link_of, module, sheet, source_html, span

_SECONDS = 8.0  # what the picture shows
_ACCOUNT_S = 60.0  # what the foot counts over


@dataclass(frozen=True)
class Facts:
    """What the foot says; measured over the last minute or since the start.

    ``rate_hz`` and ``jitter_ms`` by the board's clock, samples ``received`` and ``lost``, the
    ``seconds`` they span, seconds since the last one (``silent_s``), and seconds since the last
    gap (``gap_s``, None if there is none).
    """

    rate_hz: float = 0.0
    jitter_ms: float = 0.0
    received: int = 0
    lost: int = 0
    seconds: float = 0.0
    silent_s: float = 0.0
    gap_s: float | None = None


def facts_of(samples, silent_s: float = 0.0) -> Facts:
    """Rate, jitter and losses of a block of samples."""
    n = len(samples)
    if n < 2:
        return Facts(received=n, silent_s=silent_s)
    steps, times = np.diff(samples.index), np.diff(samples.time_s)
    span = float(samples.time_s[-1] - samples.time_s[0])
    even = times[steps == 1]
    gaps = np.flatnonzero(steps > 1)
    return Facts(
        rate_hz=float(steps.sum() / span) if span > 0 else 0.0,
        jitter_ms=float(even.std() * 1000) if len(even) else 0.0,
        received=n,
        lost=int((steps - 1).sum()),
        seconds=span,
        silent_s=silent_s,
        gap_s=float(samples.time_s[-1] - samples.time_s[gaps[-1] + 1]) if len(gaps) else None,
    )


def runs_of(index: np.ndarray) -> list[list[int]]:
    """Rows at which the running number starts anew: ``[[row, index], ...]``."""
    starts = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist()]
    return [[row, int(index[row])] for row in starts]


class Scope(LabWidget):
    """Live traces; made by ``tk.lab.scope``.

    Attributes
    ----------
    kept : list of Recording
        What "Keep last 5 s" kept, the latest last.
    """

    _esm = module("scope")
    _css = sheet()
    title = "Scope"

    def __init__(self, board, sensor: str = "imu", view: str = "overlay", limits=(2.0, 250.0)):
        self.sensor = sensor
        self.kept: list[Recording] = []
        self._stream = board.stream(sensor)
        self._cursor = 0
        self._last_at = self._first_at = time.monotonic()
        channels = tuple(self._stream.channels)
        config = {
            "channels": list(channels),
            "per_unit": [float(v) for v in units.counts_per_unit(channels)],
            "rate_hz": float(self._stream.rate_hz),
            "view": view,
            "limits": [float(v) for v in limits],
        }
        super().__init__(board, config)
        self.run()

    def start(self) -> None:
        if self._stream is None or self._stream.closed:
            self._stream = self.board.stream(self.sensor)
            self._cursor = 0
        self._first_at = self._last_at = time.monotonic()

    def stop(self) -> None:
        self._stream.close()

    def flush(self) -> None:
        if self.unseen():
            return
        stream = self._stream
        written = stream.read_new(self._cursor)[1]
        fresh = self.fresh(written > 0)
        if fresh:
            self._cursor = max(0, written - round(_SECONDS * stream.rate_hz) - 1)
        samples, self._cursor = stream.read_new(self._cursor)
        if len(samples):
            self._last_at = time.monotonic()
            counts = np.ascontiguousarray(samples.counts, np.int16)
            self.tell("samples", [counts.tobytes()], runs=runs_of(samples.index), fresh=fresh)
        if self.due():
            self.tell("status", **self._status())

    def on_keep(self, content, buffers) -> None:
        """Keep the last five seconds up to the sample the student sees."""
        samples, _ = self._stream.read_new()
        end = int(content.get("last", -1))
        last = end if end >= 0 else int(samples.index[-1]) if len(samples) else 0
        rows = np.flatnonzero((samples.index <= last) & (samples.index > last - round(5 * self._stream.rate_hz)))
        if len(rows) < 2:
            self.tell("kept", text="nothing to keep yet")
            return
        self.kept.append(self._recording(samples, rows))
        name = f"scope.kept[{len(self.kept) - 1}]"
        self.tell("kept", text=f"{len(rows) / self._stream.rate_hz:.1f} s kept as {name} of this widget")

    def _recording(self, samples, rows) -> Recording:
        index, times = samples.index[rows], samples.time_s[rows]
        lost = int((np.diff(index) - 1).sum())
        return Recording(
            units.to_units(samples.counts[rows], samples.channels),
            channels=samples.channels,
            rate_hz=self._stream.rate_hz,
            device=self.board.device_name,
            recorded_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            timestamps_ms=(times - times[0]) * 1000,
            quality={"lost": lost},
            source=self.board.port,
        )

    @property
    def facts(self) -> Facts:
        """Rate, jitter and losses over the last minute."""
        stream = self._stream
        written = stream.read_new(self._cursor)[1]
        samples, _ = stream.read_new(max(0, written - round(_ACCOUNT_S * stream.rate_hz)))
        return facts_of(samples, time.monotonic() - self._last_at)

    def _status(self) -> dict:
        facts = self.facts
        link, note = link_of(self.board, time.monotonic() - self._first_at, facts.silent_s, facts.gap_s)
        return {"link": link, "note": note, "facts": dict(facts.__dict__)}

    def settle(self, seconds: float) -> None:
        deadline = time.monotonic() + 3 * seconds + 5
        wanted = min(seconds, _SECONDS) * self._stream.rate_hz
        while self._stream.read_new(0)[1] < wanted and time.monotonic() < deadline:
            time.sleep(1 / FRAMES_PER_S)

    def snapshot(self) -> look.Html:
        stream = self._stream
        written = stream.read_new(self._cursor)[1]
        samples, _ = stream.read_new(max(0, written - round(_SECONDS * stream.rate_hz)))
        if len(samples) < 2:
            body = look.note("none", "No samples yet.", "run this cell to see the traces live.")
            return look.card("Scope", source_html(self.head), body)
        step = np.diff(samples.index)
        gaps = [(int(row) + 1, int(step[row]) - 1) for row in np.flatnonzero(step > 1)]
        picture = look.traces(
            units.to_units(samples.counts, samples.channels), stream.rate_hz, samples.channels, gaps,
            limits=tuple(self.config["limits"]),
        )  # fmt: skip
        facts = self.facts
        foot = look.dots(
            look.number(facts.rate_hz, "Hz", 1), f"jitter {look.number(facts.jitter_ms, 'ms', 1)}",
            f"{look.number(facts.lost)} lost of {look.number(facts.lost + facts.received)} in {span(facts.seconds)}",
        )  # fmt: skip
        return look.card("Scope", source_html(self.head), picture, foot, state=("none", "still picture"))


def scope(board, sensor: str = "imu", view: str = "overlay", limits=(2.0, 250.0)) -> Scope:
    """Show a sensor's traces as they come: true rate, jitter, every lost sample.

    Parameters
    ----------
    board : Board
    sensor : str
        As ``board.info.sensors`` names it.
    view : str
        ``"overlay"`` (acceleration and rotation in one plot each) or ``"lanes"`` (a strip per axis).
    limits : (float, float)
        Half ranges at first, in g and deg/s; they stay until you change them.

    Returns
    -------
    Scope
        A widget. ``scope.kept`` holds what "Keep last 5 s" kept, as recordings without a label.

    Raises
    ------
    BoardError
        The board has no such sensor, or is gone.
    """
    return Scope(board, sensor, view, limits)
