"""Deploying, to look at: two slots, bytes as they are sent, what happens if it fails, and the way back."""

from __future__ import annotations

import time
import zlib

import numpy as np

from .. import look
from ..errors import BoardGone, DoesNotFit, ModelError, TinykitError
from .stepped import Stepped, words_of
from .widget import link_of, many, module, sheet, source_html

STEPS = ("Check size", "Clear slot", "Send", "Check on the board", "Switch")
_TAKES = 20
_CLOCK_HZ = 64_000_000


class Stopped(TinykitError):
    """The student stopped the sending."""


class DeployView(Stepped):
    """Sends a pipeline to a board's free slot; made by ``tk.lab.deploy``.

    Attributes
    ----------
    deployment : Deployment or None
        What the last sending did.
    """

    _esm = module("deploy", "steps")
    _css = sheet("deploy")
    title = "Deploy"

    def __init__(self, board, pipeline, on=None):
        from ..board.deploy import plan_of

        self.pipeline, self.on = pipeline, on
        self.deployment = None
        plan = plan_of(pipeline)
        self._bytes, self._crc = len(plan.bytes), zlib.crc32(bytes(plan.bytes))
        self._first_at = time.monotonic()
        self._slots = self._read_slots(board)
        self._begin()
        config = {
            "name": pipeline.name,
            "fingerprint": pipeline.fingerprint[:8],
            "bytes": self._bytes,
            "classes": len(getattr(pipeline, "labels", ())),
            "arena": int(plan.arena_bytes),
            "steps": [*STEPS, f"Try {_TAKES} known windows"] if on is not None else list(STEPS),
        }
        super().__init__(board, config)
        self.run()

    # -- what is on the board --------------------------------------------------------------------

    @staticmethod
    def _read_slots(board) -> list[dict]:
        known = {entry["crc"]: entry for entry in board.versions}
        out = []
        for slot in board.slots:
            entry = known.get(slot.crc, {}) if slot.state != "empty" else {}
            version = f"v{entry['version']}" if entry else ""
            out.append({
                "letter": slot.letter, "state": slot.state, "active": slot.active, "name": slot.name,
                "version": version, "classes": entry.get("classes", 0),
                "bytes": slot.length, "crc": slot.crc, "hash": (entry.get("fingerprint") or f"{slot.crc:08x}")[:8],
                "when": _when(entry.get("deployed_at", "")),
            })  # fmt: skip
        return out

    def _look_again(self) -> None:
        try:
            self._slots, self._changed = self._read_slots(self.board), True
        except BoardGone:
            pass  # away again: looked at when it is back

    def _free(self) -> dict:
        return next((s for s in self._slots if not s["active"]), self._slots[-1])

    def _active(self) -> dict | None:
        return next((s for s in self._slots if s["active"] and s["state"] == "good"), None)

    def status(self) -> dict:
        happened, there = self.happened(), self.board.connected
        if there and self._absent:
            self._absent, self._result, self._changed = False, None, True
        if there and self._cut and not self._busy:
            self._cut = False
            self.work("slots", self._back)
        elif happened & {"deployed", "reconnected"} and not self._busy:
            self.work("slots", self._look_again)
        if happened & {"gone", "reconnected"}:
            self._changed = True
        link, note = link_of(self.board, time.monotonic() - self._first_at)
        if link["kind"] == "ok":
            link["text"] = "linked"
        said = self._busy or self._cut or self._absent  # the same, and more, in a moment or already
        return {"link": link, "note": None if said else note}

    def state(self) -> dict:
        free, active = self._free(), self._active()
        here = [s["letter"] for s in (active, free) if s and s["state"] == "good" and s["crc"] == self._crc]
        newer = bool(active and free["version"]) and _number(free) > _number(active)
        replaces = f" and replaces {_title(free)}" if free["state"] == "good" else ""
        size = look.kilobytes(self._bytes)
        return {
            "slots": self._slots, "done": self._done, "free": free["letter"], "here": bool(here), "gone": self._cut,
            "away": not self.board.connected, "trying": self._step >= len(STEPS),
            "back": _title(free) if free["state"] == "good" else "", "runs": _title(active) if active else "",
            "newer": newer, "left_s": self._left_s(),
            "next": f"{self.config['name']} is in slot {here[0]}: there is nothing to send" if here
            else f"next: {self.config['name']}, {size}, goes to slot {free['letter']}{replaces}",
        }  # fmt: skip

    # -- sending ---------------------------------------------------------------------------------

    def on_send(self, content, buffers) -> None:
        """The button."""
        if self._there("Nothing was sent."):
            self.press(self.deploy)

    def on_stop(self, content, buffers) -> None:
        """Stop sending; the board keeps what it runs."""
        self._stop_asked = True

    def on_rollback(self, content, buffers) -> None:
        """Go back to the pipeline in the other slot."""
        if self._there("Nothing was changed."):
            self.press(self._roll_back)

    def _there(self, otherwise: str) -> bool:
        """Whether the board is; it is said at once if not, where asking it would take seconds."""
        if not self.board.connected and not self._busy:
            self._absent = True
            self.ended("bad", "The board is not there.", otherwise, "plug it in again, then press once more.")
        return self.board.connected

    def deploy(self):
        """Send the pipeline, as the button does; returns the Deployment.

        Raises
        ------
        DoesNotFit, DeviceError, BoardGone, LinkError
            The board keeps what it runs.
        """
        with self.doing(step=0):
            self._begin()
            done = self.deployment = self.board.deploy(self.pipeline, progress=self._progress)
            self._step, self._slots, self._changed = len(STEPS), self._read_slots(self.board), True
            kind, agreed = self._try() if self.on is not None else ("ok", "")
            self._step = len(self.config["steps"])
            twice = f" {many(done.repeated, 'request')} had to be sent twice." if done.repeated else ""
            text = f"Sent in {done.seconds:.1f} s.{twice} {agreed}".strip()
            self.ended(kind, f"v{done.version} runs from slot {done.slot}.", text)
            return done

    def _begin(self) -> None:
        """What is true before the first byte."""
        self._stop_asked = self._cut = self._absent = False
        self._done = 0
        self._sent_from: tuple[float, int] | None = None  # when the first bytes were there, and how many
        active, free = self._active(), self._free()
        self._ran = active["letter"] if active else ""
        self._target = free  # what the slot that is sent to held before

    def _progress(self, done: int, total: int) -> None:
        if self._stop_asked:
            raise Stopped("Sending was stopped.", "send again when you are ready.")
        if self._sent_from is None or done < self._done:  # the first, or sent once more from the start
            self._sent_from = time.monotonic(), done
        self._done = done
        self._step = 3 if done >= total else 2
        self._changed = True

    def _left_s(self) -> float | None:
        """Seconds that sending may still take, from the bytes so far; None where that says nothing yet."""
        if not self._busy or self._sent_from is None:
            return None
        at, first = self._sent_from
        took = time.monotonic() - at
        if took < 0.5 or not first < self._done < self._bytes:
            return None
        return round(took * (self._bytes - self._done) / (self._done - first), 1)

    def _switched(self) -> dict | None:
        """The slot that runs what was sent, if the board switched over to it."""
        active = self._active()
        return active if active and active["crc"] == self._crc and active["letter"] != self._ran else None

    def _touched(self, seen: bool = True) -> bool:
        """Whether the slot that was to be sent to holds something else now; ``seen``: the slots were just read."""
        now = next((s for s in self._slots if s["letter"] == self._target["letter"]), self._target)
        if (now["state"], now["crc"]) != (self._target["state"], self._target["crc"]):
            return True
        return not seen and self._done > 0  # it is cleared before the first byte

    def _gone_words(self, touched: bool) -> str:
        """What the slot that was to be sent to held before, where that is gone."""
        target = self._target
        if not touched or target["state"] != "good" or target["letter"] == self._ran:
            return ""
        return f"; {_title(target)}, which was in slot {target['letter']}, is gone"

    def _keeps(self, seen: bool) -> str:
        """What a failure left of what the board held."""
        active, touched = self._active(), self._touched(seen)
        if not active:
            return "The board runs no pipeline yet."
        runs = f"{_title(active)} still runs from slot {active['letter']}"
        return f"{runs}{self._gone_words(True)}." if touched else f"Nothing changed on the board: {runs}."

    def _try(self) -> tuple[str, str]:
        """Whether board and host give the same answers on some known windows, and how long one takes."""
        from .. import engine

        p = self.pipeline
        try:
            windows = self.on.windows(p.window, p.hop, p.rate_hz, p.front_end.channels, p.labels)
            rows = np.linspace(0, len(windows.counts) - 1, min(_TAKES, len(windows.counts))).astype(int)
            counts = windows.counts[rows]
            own, here = self.board.answers(counts), engine.answers(p, counts)
        except TinykitError as error:  # it has switched over: that stands
            return "warn", f"It was not tried on known windows: {error.what} {error.next}"
        same = int((own == here).all(axis=1).sum())
        took = self.board.last_run.cycles_per_run
        how = "estimated" if self.board.is_virtual else "measured"
        time_ = f" One answer took {1000 * took / _CLOCK_HZ:.1f} ms, {how}." if took == took else ""
        words = f"It gave the same answer as here on {same} of {len(rows)} known windows.{time_}"
        return ("ok" if same == len(rows) else "warn"), words

    def fail_words(self, error: Exception) -> None:
        what, next = words_of(error)
        if isinstance(error, DoesNotFit):
            self._step = 0
        elif self._step < 1:
            self._step = 1
        kind = "none" if isinstance(error, Stopped) else "bad"
        away = not self.board.connected and not isinstance(error, ModelError)  # that one was found here
        if isinstance(error, BoardGone) or away:
            self._cut = True
            active = self._active()
            what = "The board went away before anything was sent."
            if self._done:
                what = f"The board went away when {self._done:,} of {self._bytes:,} bytes were sent."
            if self._done >= self._bytes:
                keeps = "Whether it had switched over is seen when it is back."
            elif active:
                keeps = f"It keeps {_title(active)} in slot {active['letter']}, and runs it again when it is back"
                keeps += self._gone_words(self._touched(False)) + "."
            else:
                keeps = "It runs nothing yet" + (", and what was sent in part is not used." if self._done else ".")
            self.ended("bad", what, keeps, "plug it in again; then send again.")
        else:
            seen = self.board.connected
            try:
                if seen:
                    self._slots = self._read_slots(self.board)
            except TinykitError:
                seen = False  # gone a moment later: what it held last is still shown, and the link's state says so
            if (runs := self._switched()) is not None:
                self._failed, self._step = False, len(self.config["steps"])
                switched = f"It had switched over: {_title(runs)} runs from slot {runs['letter']}."
                self.ended("warn", what, switched, next)
            else:
                self.ended(kind, what, self._keeps(seen), next)
        steps = self.config["steps"]
        self._report = "\n".join([
            f"{time.strftime('%Y-%m-%d %H:%M:%S')} deploy {self.config['name']}",
            f"{self._bytes} bytes, crc {self._crc:08x}, arena {self.config['arena']} bytes",
            f"step: {steps[min(max(0, self._step), len(steps) - 1)]}, {self._done} bytes sent",
            f"{type(error).__name__}: {error}",
            *(str(slot) for slot in self._slots),
        ])  # fmt: skip

    def _back(self) -> None:
        """The board that went away while it was sent to is there again: say what it runs."""
        try:
            self._slots = self._read_slots(self.board)
        except TinykitError:
            self._cut = True  # not yet: looked at again in a second
            return
        if self._busy or not self._failed:
            return  # sent to again meanwhile
        active = self._active()
        if self._switched():  # gone between the switch and its answer
            self._failed = False
            self.ended("ok", f"The board is back, and runs {_title(active)} from slot {active['letter']}.",
                       "It had switched over before it went away.")  # fmt: skip
        else:
            runs = f"runs {_title(active)} from slot {active['letter']} as before" if active else "runs nothing yet"
            text = f"What was sent in part is not used{self._gone_words(self._touched())}." if self._done else ""
            self.ended("warn", f"The board is back, and {runs}.", text, "send again.")

    def _roll_back(self) -> None:
        with self.doing():
            self._absent = False
            try:
                slot = self.board.rollback()
            except TinykitError as error:
                self.ended("bad", error.what, "", error.next)
                return
            self._slots = self._read_slots(self.board)
            entry = next((s for s in self._slots if s["letter"] == slot.letter), {})
            self.ended("ok", f"{_title(entry)} runs from slot {slot.letter} again.")

    # -- where nothing runs ----------------------------------------------------------------------

    def snapshot(self) -> look.Html:
        rows = []
        for s in self._slots:
            kind, words, _ = _slot_state(s)
            what = f"{look.kilobytes(s['bytes'])}" if s["state"] != "empty" else ""
            rows.append(
                [
                    look.Html(f"<b>{s['letter']}</b>"),
                    _title(s),
                    what,
                    look.mono(s["hash"] if what else ""),
                    look.state(kind, words),
                ]
            )
        body = str(look.table(rows, ["slot", "pipeline", "size", "hash", ""], align="lllll"))
        body += str(self.result_html())
        following = look.esc(self.state()["next"])
        return look.card(self.title, source_html(self.head), body, following, state=("none", "still picture"))


def _title(slot: dict) -> str:
    if not slot or slot["state"] == "empty":
        return "empty"
    name = " ".join(x for x in (slot["version"], slot["name"], "" if slot["version"] else slot["hash"]) if x)
    return name + (", damaged" if slot["state"] == "damaged" else "")


def _number(slot: dict) -> int:
    return int(slot["version"][1:] or 0)


def _slot_state(slot: dict) -> tuple[str, str, str]:
    if slot["state"] == "damaged":
        return "bad", "not usable", "bad"
    if slot["state"] == "empty":
        return "none", "empty", "none"
    return ("ok", "runs now", "play") if slot["active"] else ("none", "kept", "keep")


def _when(stamp: str) -> str:
    try:
        at = time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return ""
    return "put there " + time.strftime("%a %H:%M", at)


def deploy(board, pipeline, on=None) -> DeployView:
    """Show the board's two slots and send a pipeline into the free one.

    Parameters
    ----------
    board : Board
    pipeline : Pipeline
        With an int8 network.
    on : Dataset, optional
        After switching over, try 20 of its windows on the board and here.

    Returns
    -------
    DeployView
        ``.deploy()`` does what the button does; ``.deployment`` is what came of it.

    Raises
    ------
    ModelError
        There is no int8 network in the pipeline, or the engine has no such operation.
    """
    return DeployView(board, pipeline, on)
