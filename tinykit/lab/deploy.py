"""Deploying, to look at: two slots, bytes as they are sent, what happens if it fails, and the way back."""

from __future__ import annotations

import threading
import time
import zlib

import numpy as np

from .. import look
from ..errors import BoardError, DoesNotFit, TinykitError
from .widget import LabWidget, link_of, module, sheet, source_html

STEPS = ("Check size", "Clear slot", "Send", "Check on the board", "Switch")
_TAKES = 20
_CLOCK_HZ = 64_000_000


class Stopped(TinykitError):
    """The student stopped the sending."""


class DeployView(LabWidget):
    """Sends a pipeline to a board's free slot; made by ``tk.lab.deploy``.

    Attributes
    ----------
    deployment : Deployment or None
        What the last sending did.
    """

    _esm = module("deploy")
    _css = sheet("deploy")
    title = "Deploy"

    def __init__(self, board, pipeline, on=None):
        from ..board.deploy import plan_of

        self.pipeline, self.on = pipeline, on
        self.deployment = None
        plan = plan_of(pipeline)
        self._bytes, self._arena = len(plan.bytes), int(plan.arena_bytes)
        self._crc = zlib.crc32(bytes(plan.bytes))
        self._steps = [*STEPS, f"Try {_TAKES} known windows"] if on is not None else list(STEPS)
        self._step, self._failed, self._sending = -1, False, False
        self._done = 0
        self._result: dict | None = None
        self._stop_asked = False
        self._report = ""
        self._changed = True
        self._lock = threading.Lock()
        self._first_at = time.monotonic()
        self._slots = self._read_slots(board)
        config = {
            "name": pipeline.name,
            "fingerprint": pipeline.fingerprint[:8],
            "bytes": self._bytes,
            "arena": self._arena,
            "steps": self._steps,
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
                "version": version,
                "bytes": slot.length, "crc": slot.crc, "hash": (entry.get("fingerprint") or f"{slot.crc:08x}")[:8],
                "when": _when(entry.get("deployed_at", "")),
            })  # fmt: skip
        return out

    def _look_again(self) -> None:
        self._slots, self._changed = self._read_slots(self.board), True

    def _free(self) -> dict:
        return next((s for s in self._slots if not s["active"]), self._slots[-1])

    def _active(self) -> dict | None:
        return next((s for s in self._slots if s["active"] and s["state"] == "good"), None)

    def flush(self) -> None:
        if self.unseen():
            return
        if self.fresh() or self._changed:
            self._changed = False
            self.tell("state", **self._state())
        if self.due():
            if self.deployed() and not self._sending:
                self.work("slots", self._look_again)
            link, note = link_of(self.board, time.monotonic() - self._first_at)
            if link["kind"] == "ok":
                link["text"] = "linked"
            self.tell("status", link=link, note=note)

    def _state(self) -> dict:
        free, active = self._free(), self._active()
        if active and active["crc"] == self._crc and not self._sending:
            following = f"{self.config['name']} is what runs now"
        else:
            replaces = f" and replaces {_title(free)}" if free["state"] == "good" else ""
            following = (
                f"next: {self.config['name']}, {look.kilobytes(self._bytes)}, goes to slot {free['letter']}{replaces}"
            )
        return {
            "slots": self._slots, "sending": self._sending, "step": self._step, "failed": self._failed,
            "done": self._done,
            "free": free["letter"],
            "back": _title(free) if free["state"] == "good" else "", "runs": _title(active) if active else "",
            "next": following, "result": self._result, "report": self._report,
        }  # fmt: skip

    # -- sending ---------------------------------------------------------------------------------

    def on_send(self, content, buffers) -> None:
        """The button: send on a thread of its own."""
        self.work("deploy", self._send_shown)

    def on_stop(self, content, buffers) -> None:
        """Stop sending; the board keeps what it runs."""
        self._stop_asked = True

    def on_rollback(self, content, buffers) -> None:
        """Go back to the pipeline in the other slot."""
        self.work("rollback", self._roll_back)

    def _send_shown(self) -> None:
        try:
            self.deploy()
        except TinykitError:
            pass  # shown in the widget with its way out, by ``_fail``

    def deploy(self):
        """Send the pipeline, as the button does; returns the Deployment.

        Raises
        ------
        DoesNotFit, DeviceError, BoardGone, LinkError
            The board keeps what it runs.
        """
        if not self._lock.acquire(blocking=False):
            raise BoardError("A pipeline is being sent already.", "Wait until it is done.")
        try:
            self._stop_asked, self._failed, self._result, self._done = False, False, None, 0
            self._sending, self._step, self._changed = True, 0, True
            self._began = time.monotonic()
            self.deployment = self.board.deploy(self.pipeline, progress=self._progress)
            self._step = len(STEPS)
            agreed = self._try() if self.on is not None else ""
            self._sending, self._step = False, len(self._steps)
            self._slots = self._read_slots(self.board)
            self._result = {"kind": "ok", "what": f"v{self.deployment.version} runs from slot {self.deployment.slot}.",
                            "text": f"Sent in {self.deployment.seconds:.1f} s. {agreed}".strip()}  # fmt: skip
            return self.deployment
        except Exception as error:
            self._fail(error)
            raise
        finally:
            self._sending, self._changed = False, True
            self._lock.release()

    def _progress(self, done: int, total: int) -> None:
        if self._stop_asked:
            raise Stopped("Sending was stopped.", "send again when you are ready.")
        self._done = done
        self._step = 3 if done >= total else 2
        self._changed = True

    def _try(self) -> str:
        """Whether board and host give the same answers on some known windows, and how long one takes."""
        from .. import engine

        p = self.pipeline
        windows = self.on.windows(p.window, p.hop, p.rate_hz, p.front_end.channels, p.labels)
        rows = np.linspace(0, len(windows.counts) - 1, min(_TAKES, len(windows.counts))).astype(int)
        counts = windows.counts[rows]
        own, here = self.board.answers(counts), engine.answers(p, counts)
        same = int((own == here).all(axis=1).sum())
        took = self.board.last_run.cycles_per_run
        time_ = (
            f" One answer took {1000 * took / _CLOCK_HZ:.1f} "
            f"ms{', estimated' if self.board.is_virtual else ', measured'}."
            if took == took
            else ""
        )
        return f"It gave the same answer as here on {same} of {len(rows)} known windows.{time_}"

    def _fail(self, error: Exception) -> None:
        self._failed = True
        if isinstance(error, DoesNotFit):
            self._step = 0
        elif self._step < 1:
            self._step = 1
        try:
            self._slots = self._read_slots(self.board)
        except TinykitError:
            pass  # the board is gone: what it held last is still shown, and the link's state says so
        active = self._active()
        keeps = (
            f"Nothing changed on the board: {_title(active)} still runs from slot {active['letter']}."
            if active
            else "The board runs no pipeline yet."
        )
        what, next = (
            (error.what, error.next) if isinstance(error, TinykitError) else (f"{type(error).__name__}: {error}", "")
        )
        self._result = {
            "kind": "none" if isinstance(error, Stopped) else "bad",
            "what": what,
            "text": keeps,
            "next": next,
        }
        self._report = "\n".join([
            f"{time.strftime('%Y-%m-%d %H:%M:%S')} deploy {self.config['name']}",
            f"{self._bytes} bytes, crc {self._crc:08x}, arena {self._arena} bytes",
            f"step: {self._steps[max(0, self._step)]}, {self._done} bytes sent",
            f"{type(error).__name__}: {error}",
            *(str(slot) for slot in self._slots),
        ])  # fmt: skip

    def _roll_back(self) -> None:
        try:
            slot = self.board.rollback()
        except TinykitError as error:
            self._result = {"kind": "bad", "what": error.what, "text": "", "next": error.next}
        else:
            self._slots = self._read_slots(self.board)
            entry = next((s for s in self._slots if s["letter"] == slot.letter), {})
            self._result = {"kind": "ok", "what": f"{_title(entry)} runs from slot {slot.letter} again.", "text": ""}
        self._step, self._failed, self._changed = -1, False, True

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
        if self._result:
            text = look.Html(f"<b>{look.esc(self._result['what'])}</b> {look.esc(self._result['text'])}")
            body += look.note(self._result["kind"], text, self._result.get("next", ""))
        return look.card(
            self.title, source_html(self.head), body, look.esc(self._state()["next"]), state=("none", "still picture")
        )


def _title(slot: dict) -> str:
    if not slot or slot["state"] == "empty":
        return "empty"
    name = " ".join(x for x in (slot["version"], slot["name"], "" if slot["version"] else slot["hash"]) if x)
    return name + (", damaged" if slot["state"] == "damaged" else "")


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
