"""Live predictions: what the board says now, the last ten seconds, and a way to say that it was wrong."""

from __future__ import annotations

import threading
import time

import numpy as np

from .. import look
from ..board.live import BACKGROUND
from ..data import Recording
from ..errors import BoardError
from .audioscope import SETTLES_S
from .detections import Detections, recording_of, window_of
from .history import History
from .rule import RuleHand, facts_of_rule
from .tap import Tap
from .widget import FRAMES_PER_S, LabWidget, link_of, module, sheet, source_html

_SECONDS = 10.0
_CLOCK_HZ = 64_000_000
_LISTED = 6  # detections in sight


class LiveView(LabWidget):
    """Live predictions of the board's pipeline; made by ``tk.lab.live``.

    Attributes
    ----------
    corrected : list of Recording
        Windows that the student corrected, with the true label; in the dataset too if one was given.
    detections : Detections or None
        Of a keyword pipeline: what was announced, with its sound.
    """

    _esm = module("live", "sound")
    _css = sheet("live")
    title = "Live predictions"

    def __init__(self, board, dataset=None, person: str = "", session: str = "live", negative: str = "unknown"):
        self.dataset, self.person, self.session, self.negative = dataset, person, session, negative
        self.corrected: list[Recording] = []
        self._filed = 0  # corrections in all, those that were taken back too
        self._taken_back: set = set()
        self._settling_config = threading.Lock()  # the rule's thread and that of a new pipeline both write it
        self._hand = RuleHand(self, lambda: self.config["labels"], self._in_force, waits=True)
        pipeline = board.pipeline
        self._live = board.live()
        try:
            self._tap = Tap(board, getattr(pipeline, "sensor", "imu"), 30.0)
            config = self._describe(board, board.decision(), pipeline)
        except BaseException:
            self._live.close()
            raise
        self.detections = Detections(self._tap, config["window_s"]) if config["sound"] else None
        self._heard = self.detections  # of the last pipeline that announces words
        self._history = History(config["sound"], board.log)
        self._begin()
        super().__init__(board, config)
        self.run()

    def _describe(self, board, rule, pipeline) -> dict:
        labels = list(self._live.labels) or (list(pipeline.labels) if pipeline else [])
        rate = getattr(pipeline, "rate_hz", None) or self._tap.stream.rate_hz
        return {
            **facts_of_rule(rule, labels),
            "labels": labels,
            "background": _background(labels),
            "window_s": (pipeline.window if pipeline else round(rate)) / rate,
            "hop_s": pipeline.hop / rate if pipeline else None,
            "dataset": self.dataset.name if self.dataset is not None else None,
            "sound": self._tap.sensor == "mic",
            "negative": self.negative,
        }

    def _look_again(self) -> None:
        """Another pipeline runs now, with labels, a rule and perhaps a sensor of its own."""
        pipeline = self.board.pipeline
        sensor = getattr(pipeline, "sensor", "imu")
        if sensor != self._tap.sensor:
            self._tap.close()
            self._tap = Tap(self.board, sensor, 30.0)
        with self._settling_config:
            old, new = self.config, self._describe(self.board, self.board.decision(), pipeline)
            self.config = new
            # An answer of before stays only where a correction of it would still cut the window it was about.
            anew = (old["sound"], old["window_s"]) != (new["sound"], new["window_s"])
            if anew or old["labels"] != new["labels"]:
                self._history.forget(None if anew else new["labels"])
            self._history.words = new["sound"]
            if new["sound"]:
                self._heard = Detections(self._tap, new["window_s"], self._heard)
            self.detections = self._heard if new["sound"] else None
            self.tell("config", config=new, anew=anew)

    def _begin(self) -> None:
        self._cursor, self._sent_from = 0, 0
        self._last_at = self._first_at = time.monotonic()

    def start(self) -> None:
        if self._live.closed:
            self._live = self.board.live()
            self._tap.open()
            self._begin()
            self._history.opened()

    def stop(self) -> None:
        self._live.close()
        self._tap.close()

    def flush(self) -> None:
        if self.unseen():
            return
        new, self._cursor = self._live.read_new(self._cursor)
        if new:
            new = self._history.add(new, self._tap.stream)
            self._last_at = time.monotonic()
            if self._hand.waiting:  # it answers again: by then the rule that it had before is in force
                self._hand.again()
        if self.detections is not None:
            self.detections.note(new)
            for d in self.detections.news():
                self._tell_detected(d)
        fresh = self.fresh(bool(self._history))
        if shown := self._history.last(_SECONDS + 1) if fresh else new:
            self._show(shown, fresh)
        if fresh and self.detections is not None:
            for d in list(self.detections.kept)[-_LISTED:]:
                self._tell_detected(d)
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
            rows=facts, fresh=fresh, age=round(time.monotonic() - self._last_at, 2),
            labels=labels, background=_background(labels),
            cost=self._cost(predictions[-1]), tally=self._history.tally,
        )  # fmt: skip

    def _tell_detected(self, d) -> None:
        self.tell("detected", number=d.number, label=d.label, p=round(d.probability, 3), at=d.time,
                  heard=d.recording is not None, filed=d.filed is not None)  # fmt: skip

    def _cost(self, p) -> dict:
        if self.head["virtual"] and p.cycles:
            return {"ms": 1000 * p.cycles / _CLOCK_HZ, "estimated": True}
        return {"ms": p.latency_ms, "estimated": False}

    def _status(self) -> dict:
        now = time.monotonic()
        silent, gap = now - self._last_at, self._history.gap_at
        facts = {"lost": self._live.lost, "tally": self._history.tally}
        if self._tap.settling:
            link = {"kind": "run", "picture": "run", "text": f"the microphone settles, {SETTLES_S:g} s"}
            return {"link": link, "note": None, **facts}
        hop = self.config["hop_s"] or 1.0
        late = silent if silent > max(2.0, 3 * hop) else 0.0
        link, note = link_of(self.board, now - self._first_at, late, None if gap is None else now - gap, "answers")
        if link["kind"] == "ok":
            link["text"] = "linked, runs on the board"
        if note is not None and self._hand.waiting:
            note = {**note, "next": f"{note['next']} What you set below meanwhile is sent when it is back."}
        return {"link": link, "note": note, **facts}

    # -- the browser -----------------------------------------------------------------------------

    def on_rule(self, content, buffers) -> None:
        """A slider moved: the latest values win, and the board says what is in force."""
        self._hand.move(content)

    def _in_force(self, rule) -> None:
        with self._settling_config:
            facts = facts_of_rule(rule, self.config["labels"])
            self.config = {**self.config, **facts}
            self.tell("rule", **facts)

    def on_reset(self, content, buffers) -> None:
        """Count anew."""
        self._history.reset()
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
        self.tell("filed", text=text, tally=self._history.tally, undo=self._filed)

    def on_unwrong(self, content, buffers) -> None:
        """The wrong name was pressed: take the last correction back."""
        if content["undo"] == self._filed and self._filed not in self._taken_back:
            recording = self.corrected[-1]
            self._unfile(recording)
            self._taken_back.add(self._filed)
            filed = self.dataset is not None and recording.label
            place = self.dataset.name if filed else ".corrected of this widget"
            self.tell("filed", text=f"Taken back: it is no longer in {place}.", tally=self._history.tally)

    def correct(self, number: int, truth: str | None) -> Recording:
        """Keep the window behind prediction ``number`` with its true label (None: none of the labels).

        Raises
        ------
        BoardError
            Its samples are no longer there.
        """
        prediction = self._history.find(number)
        samples, _ = self._tap.stream.read_new()
        if prediction is None or not len(samples):
            raise BoardError("The window behind this answer is no longer there.", "Mark an answer within 20 seconds.")
        rate = self._tap.stream.rate_hz
        rows = window_of(samples, prediction, self.config["window_s"], rate)
        predicted = prediction.label or "unsure"
        return self._file(recording_of(self.board, samples, rows, rate), predicted, truth)

    def _file(self, recording: Recording, predicted: str, truth: str | None) -> Recording:
        recording = recording.with_(
            label=truth or None,
            person=self.person,
            session=self.session,
            quality={"corrected": True, "predicted": predicted},
            source="corrected live prediction",
        )
        if self.dataset is not None and truth:
            recording = self.dataset.add(recording) or recording
        self.corrected.append(recording)
        self._history.tally["wrong"] += 1
        self._filed += 1
        return recording

    def _unfile(self, recording: Recording) -> None:
        if self.dataset is not None and recording.label:
            self.dataset.remove(recording)
        self.corrected = [r for r in self.corrected if r is not recording]
        tally = self._history.tally
        tally["wrong"] = max(0, tally["wrong"] - 1)  # the counts may have been reset meanwhile

    def on_false(self, content, buffers) -> None:
        """A detection was a false trigger: its second of sound becomes a negative."""
        d = self.detections[int(content["number"])]
        if d.filed is None:
            d.filed = self._file(d.recording, d.label, self.negative)
            where = f"in {self.dataset.name}" if self.dataset is not None else f".corrected[{len(self.corrected) - 1}]"
            self.tell("filed", text=f"Filed as “{self.negative}”, {where}.", tally=self._history.tally)
        self._tell_detected(d)

    def on_unfalse(self, content, buffers) -> None:
        """It was right after all: out of the dataset again."""
        d = self.detections[int(content["number"])]
        if d.filed is not None:
            self._unfile(d.filed)
            d.filed = None
        self._tell_detected(d)

    def on_hear(self, content, buffers) -> None:
        """The sound of a detection, to be played in the page."""
        d = self.detections[int(content["number"])]
        counts = np.ascontiguousarray(d.recording.counts()[:, 0], "<i2")
        self.tell("heard", [counts.tobytes()], number=d.number, rate=d.recording.rate_hz)

    # -- where nothing runs ----------------------------------------------------------------------

    def settle(self, seconds: float) -> None:
        deadline = time.monotonic() + 3 * seconds + 5
        while time.monotonic() < deadline:
            predictions, _ = self._live.read_new(0)
            if predictions and predictions[-1].device_time_s - predictions[0].device_time_s >= min(seconds, _SECONDS):
                break
            time.sleep(1 / FRAMES_PER_S)

    def snapshot(self) -> look.Html:
        history = self._history
        if not len(history):  # nothing was flushed yet, or nobody flushes
            history = History(self.config["sound"])
            history.add(self._live.read_new(0)[0], self._tap.stream)
        predictions = history.last(_SECONDS)
        if len(predictions) < 2:
            body = look.note("none", "No answers yet.", "run this cell to see them live.")
            return look.card(self.title, source_html(self.head), body)
        last = predictions[-1]
        labels = list(last.smoothed)
        seconds = last.device_time_s - predictions[0].device_time_s
        picture = look.lanes(
            [[p.smoothed.get(name, 0.0) for name in labels] for p in predictions], labels, self._thresholds(labels),
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
            self._rule_words(), f"mean of {self.config['smoothing']} windows",
        )  # fmt: skip
        word = look.esc(last.label or "unsure")
        sure = look.muted(f"probability {last.probability:.2f}")
        head = f'<div class="tk-body"><span class="tk-verdict"><b>{word}</b></span> {sure}</div>'
        return look.card(self.title, source_html(self.head), head + picture, foot, state=("none", "still picture"))

    def _thresholds(self, labels) -> list[float]:
        known = dict(zip(self.config["labels"], self.config["thresholds"], strict=True))
        return [known.get(name, self.config["threshold"]) for name in labels]

    def _rule_words(self) -> str:
        values = {round(v, 2) for i, v in enumerate(self.config["thresholds"]) if i not in self.config["background"]}
        if len(values) <= 1:
            return f"threshold {next(iter(values), self.config['threshold']):.2f}"
        return f"thresholds {min(values):.2f} to {max(values):.2f}"


def _background(labels) -> list[int]:
    return [i for i, name in enumerate(labels) if name.lower() in BACKGROUND]


def live(board, dataset=None, person: str = "", session: str = "live", negative: str = "unknown") -> LiveView:
    """Show the board's predictions as they come.

    One row per class with ten seconds of its probability; sliders change thresholds (one a word),
    smoothing and suppression of the running board; "That was wrong" files the last window under its
    true label. What a keyword pipeline announces is listed, can be heard, and is filed as a negative
    by one click when it was a false trigger.

    Parameters
    ----------
    board : Board
        With a pipeline deployed.
    dataset : Dataset, optional
        Where corrected windows are filed; without it they are in ``.corrected``.
    person, session : str
        Written into corrected windows.
    negative : str
        Label of false triggers.

    Returns
    -------
    LiveView

    Raises
    ------
    DeviceError
        Nothing is deployed.
    """
    return LiveView(board, dataset, person, session, negative)
