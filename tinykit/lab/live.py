"""Live predictions: what the board says now, the last ten seconds, and a way to say that it was wrong."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

from .. import look
from ..data import Recording, units
from ..errors import BoardError
from .widget import FRAMES_PER_S, LabWidget, link_of, module, sheet, source_html

_SECONDS = 10.0
_CLOCK_HZ = 64_000_000
# Classes that mean "nothing": a thin line in the decision strip, not a block.
BACKGROUND = ("rest", "idle", "still", "silence", "background", "negative", "unknown", "noise", "none")


class LiveView(LabWidget):
    """Live predictions of the board's pipeline; made by ``tk.lab.live``.

    Attributes
    ----------
    corrected : list of Recording
        Windows that the student corrected, with the true label; in the dataset too if one was given.
    """

    _esm = module("live")
    _css = sheet("live")
    title = "Live predictions"

    def __init__(self, board, dataset=None, person: str = "", session: str = "live"):
        self.dataset, self.person, self.session = dataset, person, session
        self.corrected: list[Recording] = []
        self._history = deque(maxlen=1000)
        self._wanted: tuple | None = None
        self._changing = threading.Lock()
        self._changer: threading.Thread | None = None
        self._tally = {"decisions": 0, "wrong": 0, "unsure": 0}
        self._shown: str | None = ""  # the decision of the last prediction; "" before the first
        self._live = board.live()
        try:
            self._stream = board.stream("imu", capacity_s=30.0)
            rule, pipeline = board.decision(), board.pipeline
        except BaseException:
            self._live.close()
            raise
        self._begin()
        super().__init__(board, self._describe(rule, pipeline))
        self.run()

    def _describe(self, rule, pipeline) -> dict:
        labels = list(self._live.labels) or (list(pipeline.labels) if pipeline else [])
        rate = getattr(pipeline, "rate_hz", None) or self._stream.rate_hz
        return {
            "labels": labels,
            "threshold": rule.threshold,
            "smoothing": rule.smoothing,
            "window_s": (pipeline.window if pipeline else round(rate)) / rate,
            "hop_s": pipeline.hop / rate if pipeline else None,
            "dataset": self.dataset.name if self.dataset is not None else None,
        }

    def _look_again(self) -> None:
        """Another pipeline runs now, with labels and a rule of its own."""
        self.config = self._describe(self.board.decision(), self.board.pipeline)
        self.tell("config", config=self.config)

    def _begin(self) -> None:
        self._cursor, self._sent_from = 0, 0
        self._last_at = self._first_at = time.monotonic()

    def start(self) -> None:
        if self._live.closed:
            self._live = self.board.live()
            self._stream = self.board.stream("imu", capacity_s=30.0)
            self._begin()

    def stop(self) -> None:
        self._live.close()
        self._stream.close()

    def flush(self) -> None:
        if self.unseen():
            return
        new, self._cursor = self._live.read_new(self._cursor)
        for p in new:
            self._history.append(p)
            self._count(p)
        if new:
            self._last_at = time.monotonic()
        fresh = self.fresh(bool(self._history))
        shown = list(self._history) if fresh else new
        if shown:
            end = shown[-1].device_time_s
            self._show([p for p in shown if p.device_time_s > end - _SECONDS - 1], fresh)
        if self.due():
            if self.deployed():
                self.work("new pipeline", self._look_again)
            self.tell("status", **self._status())

    def _show(self, predictions, fresh: bool) -> None:
        labels = list(predictions[-1].smoothed)
        rows = np.array([[p.smoothed.get(name, 0.0) for name in labels] for p in predictions])
        facts = [
            [p.number, round(p.device_time_s, 4), labels.index(p.label) if p.label in labels else -1]
            for p in predictions
        ]
        self.tell(
            "answers", [np.rint(rows * 255).astype(np.uint8).tobytes()],
            rows=facts, fresh=fresh, labels=labels, background=_background(labels),
            cost=self._cost(predictions[-1]), tally=self._tally,
        )  # fmt: skip

    def _cost(self, p) -> dict:
        if self.head["virtual"] and p.cycles:
            return {"ms": 1000 * p.cycles / _CLOCK_HZ, "estimated": True}
        return {"ms": p.latency_ms, "estimated": False}

    def _count(self, p) -> None:
        if p.label == self._shown:
            return
        self._shown = p.label
        if p.label is None:
            self._tally["unsure"] += 1
        elif p.label.lower() not in BACKGROUND:
            self._tally["decisions"] += 1

    def _status(self) -> dict:
        silent = time.monotonic() - self._last_at
        hop = self.config["hop_s"] or 1.0
        late = silent if silent > max(2.0, 3 * hop) else 0.0
        link, note = link_of(self.board, time.monotonic() - self._first_at, late, what="answers")
        if link["kind"] == "ok":
            link["text"] = "linked, runs on the board"
        return {"link": link, "note": note, "lost": self._live.lost, "tally": self._tally}

    # -- the browser -----------------------------------------------------------------------------

    def on_rule(self, content, buffers) -> None:
        """A slider moved: the latest values win, and the board says what is in force."""
        with self._changing:
            self._wanted = (float(content["threshold"]), int(content["smoothing"]))
            if self._changer is None:
                self._changer = self.work("decision rule", self._change)

    def _change(self) -> None:
        try:
            while True:
                with self._changing:
                    wanted, self._wanted = self._wanted, None
                    if wanted is None:
                        self._changer = None
                        return
                rule = self.board.decision(threshold=wanted[0], smoothing=wanted[1])
                self.config = {**self.config, "threshold": rule.threshold, "smoothing": rule.smoothing}
                self.tell("rule", threshold=rule.threshold, smoothing=rule.smoothing)
        except BaseException:
            with self._changing:
                self._changer = None
            raise

    def on_reset(self, content, buffers) -> None:
        """Count anew."""
        self._tally.update(decisions=0, wrong=0, unsure=0)
        self.tell("status", **self._status())

    def on_wrong(self, content, buffers) -> None:
        """File the window behind a prediction under its true label."""
        number, truth = int(content["number"]), content.get("truth")
        recording = self.correct(number, truth)
        if self.dataset is not None and truth:
            text = (
                f"Filed as {recording.id} (“{truth}”, corrected) in {self.dataset.name}: used the next time you train."
            )
        elif truth:
            place = f".corrected[{len(self.corrected) - 1}]"
            text = f"Kept as {place} of this widget, “{truth}”; give live() a dataset to file it."
        else:
            text = f"Kept as .corrected[{len(self.corrected) - 1}] of this widget, without a label."
        self.tell("filed", text=text, tally=self._tally)

    def correct(self, number: int, truth: str | None) -> Recording:
        """Keep the window behind prediction ``number`` with its true label (None: none of the labels).

        Raises
        ------
        BoardError
            Its samples are no longer there.
        """
        prediction = next((p for p in reversed(self._history) if p.number == number), None)
        samples, _ = self._stream.read_new()
        if prediction is None or not len(samples):
            raise BoardError("The window behind this answer is no longer there.", "Mark an answer within 20 seconds.")
        wanted = round(self.config["window_s"] * self._stream.rate_hz)
        rows = self._rows(samples, prediction, wanted)
        times = samples.time_s[rows]
        recording = Recording(
            units.to_units(samples.counts[rows], samples.channels),
            channels=samples.channels,
            rate_hz=self._stream.rate_hz,
            label=truth or None,
            person=self.person,
            session=self.session,
            device=self.board.device_name,
            recorded_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            timestamps_ms=(times - times[0]) * 1000,
            quality={"corrected": True, "predicted": prediction.label or "unsure"},
            source="corrected live prediction",
        )
        if self.dataset is not None and truth:
            recording = self.dataset.add(recording) or recording
        self.corrected.append(recording)
        self._tally["wrong"] += 1
        return recording

    def _rows(self, samples, prediction, wanted: int):
        # Both clocks are the board's 32-bit microseconds, unwrapped from different starts.
        lag = (prediction.device_time_s - samples.time_s) * 1e6
        lag = (lag + 2**31) % 2**32 - 2**31
        upto = np.flatnonzero((lag > -0.5e6 / self._stream.rate_hz) & (lag < 25e6))
        if len(upto) < wanted // 2:
            raise BoardError("The window behind this answer is no longer there.", "Mark an answer within 20 seconds.")
        return upto[-wanted:]

    # -- where nothing runs ----------------------------------------------------------------------

    def settle(self, seconds: float) -> None:
        deadline = time.monotonic() + 3 * seconds + 5
        while time.monotonic() < deadline:
            predictions, _ = self._live.read_new(0)
            if predictions and predictions[-1].device_time_s - predictions[0].device_time_s >= min(seconds, _SECONDS):
                break
            time.sleep(1 / FRAMES_PER_S)

    def snapshot(self) -> look.Html:
        predictions = self._live.read_new(0)[0]
        if predictions:
            end = predictions[-1].device_time_s
            predictions = [p for p in predictions if p.device_time_s > end - _SECONDS]
        if len(predictions) < 2:
            body = look.note("none", "No answers yet.", "run this cell to see them live.")
            return look.card(self.title, source_html(self.head), body)
        last = predictions[-1]
        labels = list(last.smoothed)
        seconds = last.device_time_s - predictions[0].device_time_s
        picture = look.lanes(
            [[p.smoothed.get(name, 0.0) for name in labels] for p in predictions], labels, self.config["threshold"],
            [labels.index(p.label) if p.label in labels else -1 for p in predictions], round(seconds, 1),
            background=_background(labels),
        )  # fmt: skip
        cost = self._cost(last)
        took = look.number(cost["ms"], "ms", 1)
        time_ = look.Html(f"{took} on the board, {look.estimated('counted cycles at 64 MHz')}")
        if not cost["estimated"]:
            time_ = f"{took} from the last sample to the answer"
        foot = look.dots(
            f"window {look.number(self.config['window_s'], 's', 1)}",
            time_,
            f"threshold {self.config['threshold']:.2f}", f"mean of {self.config['smoothing']} windows",
        )  # fmt: skip
        word = look.esc(last.label or "unsure")
        sure = look.muted(f"probability {last.probability:.2f}")
        head = f'<div class="tk-body"><span class="tk-verdict"><b>{word}</b></span> {sure}</div>'
        return look.card(self.title, source_html(self.head), head + picture, foot, state=("none", "still picture"))


def _background(labels) -> list[int]:
    return [i for i, name in enumerate(labels) if name.lower() in BACKGROUND]


def live(board, dataset=None, person: str = "", session: str = "live") -> LiveView:
    """Show the board's predictions as they come.

    One row per class with ten seconds of its probability; sliders change threshold and smoothing of
    the running board; "That was wrong" files the last window under its true label.

    Parameters
    ----------
    board : Board
        With a pipeline deployed.
    dataset : Dataset, optional
        Where corrected windows are filed; without it they are in ``.corrected``.
    person, session : str
        Written into corrected windows.

    Returns
    -------
    LiveView

    Raises
    ------
    DeviceError
        Nothing is deployed.
    """
    return LiveView(board, dataset, person, session)
