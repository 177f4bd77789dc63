"""The scope: traces of the IMU as they come, with their true rate and every lost sample."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from .. import look
from ..data import Recording, take_quality, units
from ..errors import BoardError, TinykitError
from .tap import Tap
from .widget import LabWidget, link_of, module, sheet, source_html, span

_ACCOUNT_S = 60.0  # what the foot counts over


@dataclass(frozen=True)
class Facts:
    """What the foot says; measured over the last minute or since the start.

    ``rate_hz`` and ``jitter_ms`` by the board's clock, samples ``received`` and ``lost``, the
    ``seconds`` they span, whether ``lost`` is ``"estimated"`` or ``"in part estimated"`` (a board
    without power numbers nothing), seconds since the last one (``silent_s``), and seconds since
    the last gap (``gap_s``, None if there is none).
    """

    rate_hz: float = 0.0
    jitter_ms: float = 0.0
    received: int = 0
    lost: int = 0
    seconds: float = 0.0
    guessed: str = ""
    silent_s: float = 0.0
    gap_s: float | None = None

    @property
    def losses(self) -> str:
        """Losses in words."""
        lost, came = look.number(self.lost), look.number(self.lost + self.received)
        return f"{lost} lost{f' ({self.guessed})' if self.guessed else ''} of {came} in {span(self.seconds)}"

    def told(self, digits: int) -> str:
        """The foot of a still picture; ``digits`` of the rate."""
        jitter = f"jitter {look.number(self.jitter_ms, 'ms', 1)}"
        return look.dots(look.number(self.rate_hz, "Hz", digits), jitter, self.losses)


def guessed(lost: int, stats) -> str:
    """Whether a count of lost samples was estimated, by the account of their stream."""
    if not lost or not stats.lost_estimated:
        return ""
    return "in part estimated" if stats.lost else "estimated"


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


class SensorScope(LabWidget):
    """What every scope does: new samples to the browser, how they stand once a second, and "Keep".

    Parameters
    ----------
    board : Board or BrowserSound
    tap : Tap
    config : dict
        What this scope's page needs beside what all need.
    dataset : Dataset, optional
        Where "Keep" puts its takes.
    labels : sequence of str, optional
        Labels to choose from, beside the dataset's.
    person : str
        Who is recorded.

    Attributes
    ----------
    kept : list of Recording
        What "Keep" kept, the latest last.
    """

    seconds = 8  # what the picture shows at first
    spans = (1, 2, 4, 8, 16, 32)  # and what it can show
    holds_s = 64.0  # what the page holds: as far back as a pause can be looked at
    fresh_s = 32.1  # what a new view is sent
    status_s = 1.0  # from one status to the next
    keeps = (5,)  # seconds that "Keep" offers

    def __init__(self, board, tap: Tap, config: dict, dataset=None, labels=None, person: str = ""):
        self.kept: list[Recording] = []
        self.dataset, self.person, self._wanted = dataset, person, tuple(labels or ())
        self._tap = tap
        config |= {
            "rate_hz": float(tap.stream.rate_hz),
            "seconds": self.seconds,
            "spans": list(self.spans),
            "holds_s": self.holds_s,
            "keeps": list(self.keeps),
            "labels": self._labels(),
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
        samples = self._tap.news(self.fresh_s if fresh else None)
        if len(samples):
            buffers, runs = self._tap.message(samples)
            self.tell("samples", buffers, fresh=fresh, **runs)
        if self.due(self.status_s):
            self.tell("status", **self._status())

    def on_keep(self, content, buffers) -> None:
        """Keep the last seconds up to the sample that the student sees, as a take where a dataset is given."""
        stream = self._tap.stream
        samples, _ = stream.read_new()
        index = samples.index
        end = int(content.get("last", -1))
        last = end if end >= 0 else int(index[-1]) if len(samples) else 0
        wanted = round(float(content.get("seconds", self.keeps[-1])) * stream.rate_hz)
        rows = np.flatnonzero((index <= last) & (index > last - wanted))
        if len(rows) < 2:
            late = len(index) and index[0] > last  # of a picture that was paused so long
            holds = f"that is too long ago: the computer keeps the last {self._tap.capacity_s:.0f} s"
            self.tell("kept", text=holds if late else "nothing to keep yet")
            return
        label = str(content.get("label", "")).strip()[:40] or None
        about = self._about(samples, rows)
        values = units.to_units(samples.counts[rows], samples.channels)
        quality = take_quality(
            values, samples.channels, stream.rate_hz, timestamps_ms=about.get("timestamps_ms"), index=index[rows],
            label=label,
        )  # fmt: skip
        recording = Recording(
            values,
            channels=samples.channels,
            rate_hz=stream.rate_hz,
            label=label,
            person=self.person,
            device=self.board.device_name,
            recorded_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            quality=quality.to_dict(),
            source=self.board.port,
            **about,
        )
        self.tell("kept", text=f"{len(rows) / stream.rate_hz:.1f} s kept as {self._keep(recording, quality)}")

    def _keep(self, recording: Recording, quality) -> str:
        """Keep it, and say where; what is no good as a take is kept too, but not in the dataset."""
        name = f"scope.kept[{len(self.kept)}]"
        self.kept.append(recording)
        if self.dataset is None:
            return f"{name} of this widget"
        if not recording.label:
            return f"{name}, but not as a take: it has no label"
        try:
            quality.require()
            self.kept[-1] = self.dataset.add(recording) or recording
        except TinykitError as refusal:
            why = refusal.what.removeprefix("The take was not kept: ").rstrip(".")
            return f"{name}, but not as a take: {why}"
        self.tell("labels", labels=self._labels())
        flag = "" if quality.verdict == "good" else f" ({quality.verdict})"
        return f"“{recording.label}”{flag}, take {len(self.dataset)} of {self.dataset.name}"

    def _status(self) -> dict:
        facts = self.facts
        link, note = link_of(self.board, time.monotonic() - self._tap.first_at, facts.silent_s, facts.gap_s)
        return {"link": link, "note": note, "facts": dict(facts.__dict__)}

    def _labels(self) -> list[str] | None:
        """Labels to offer; None without a dataset."""
        return None if self.dataset is None else list(dict.fromkeys([*self._wanted, *self.dataset.labels]))

    def _about(self, samples, rows) -> dict:
        """What else a kept recording states."""
        return {}


class Scope(SensorScope):
    """Live traces; made by ``tk.lab.scope``."""

    _esm = module("scope", "glide", "steer")
    _css = sheet("scope")
    title = "Scope"

    def __init__(self, board, view: str = "overlay", limits=(2.0, 250.0), dataset=None, labels=None, person: str = ""):
        tap = Tap(board, "imu")
        channels = tuple(tap.stream.channels)
        config = {
            "channels": list(channels),
            "per_unit": [float(v) for v in units.counts_per_unit(channels)],
            "view": view,
            "limits": [float(v) for v in limits],
        }
        super().__init__(board, tap, config, dataset, labels, person)

    def _about(self, samples, rows) -> dict:
        times = samples.time_s[rows]
        return {"timestamps_ms": (times - times[0]) * 1000}

    @property
    def facts(self) -> Facts:
        """Rate, jitter and losses over the last minute."""
        facts = facts_of(self._tap.latest(_ACCOUNT_S), self._tap.silent_s)
        return replace(facts, guessed=guessed(facts.lost, self._tap.stream.stats))

    def settle(self, seconds: float) -> None:
        self._tap.wait(min(seconds, self.seconds), 3 * seconds + 5)

    def snapshot(self) -> look.Html:
        stream = self._tap.stream
        samples = self._tap.latest(self.seconds)
        if len(samples):  # the rows of so many seconds go further back where some are missing
            oldest = int(samples.index[-1]) - self.seconds * stream.rate_hz
            samples = samples[int(np.searchsorted(samples.index, oldest, "right")) :]
        if len(samples) < 2:
            body = look.note("none", "No samples yet.", "run this cell to see the traces live.")
            return look.card("Scope", source_html(self.head), body)
        step = np.diff(samples.index)
        gaps = [(int(row) + 1, int(step[row]) - 1) for row in np.flatnonzero(step > 1)]
        picture = look.traces(
            units.to_units(samples.counts, samples.channels), stream.rate_hz, samples.channels, gaps,
            limits=tuple(self.config["limits"]),
        )  # fmt: skip
        return look.card("Scope", source_html(self.head), picture, self.facts.told(1), state=("none", "still picture"))


def scope(
    board, sensor: str = "imu", view: str = "overlay", limits=(2.0, 250.0), *, dataset=None, labels=None, person=""
):
    """Show what a sensor gives, as it comes: true rate, every lost sample.

    Traces of the IMU; of a microphone the waveform, the log-mel spectrogram and the level. The picture
    runs a moment behind the board (some hundredths of a second, more while the kernel is busy), so that
    it moves evenly; it never shows what did not arrive.

    Parameters
    ----------
    board : Board or BrowserSound
    sensor : str
        As ``board.info.sensors`` names it: ``"imu"`` or ``"mic"``.
    view : str
        Of the IMU: ``"overlay"`` (acceleration and rotation in one plot each) or ``"lanes"`` (a strip per axis).
    limits : (float, float)
        Half ranges at first, in g and deg/s; they stay until you change them.
    dataset : Dataset, optional
        "Keep" then files the last seconds in it as a take, under the label that stands beside the button.
    labels : sequence of str, optional
        Labels to choose from, beside the dataset's; others can be typed.
    person : str
        Who is recorded.

    Returns
    -------
    Scope or AudioScope
        A widget. ``scope.kept`` holds what "Keep" kept, as recordings; without a dataset they have no label.

    Raises
    ------
    BoardError
        The board has no such sensor, or is gone; or it is one that has no picture yet.
    """
    if sensor == "environment":
        raise BoardError(
            "The scope has no picture of the environment sensors yet.",
            'Read them: board.read("environment"), or board.stream("environment", seconds=60).',
        )
    if sensor == "mic":
        from .audioscope import AudioScope

        return AudioScope(board, dataset, labels, person)
    return Scope(board, view, limits, dataset, labels, person)
