"""What is in a board's two slots: asked, deployed, rolled back."""

from __future__ import annotations

import math
import threading
import time
import zlib

from ..pipeline import Decision, Pipeline
from . import messages as m
from .decision import ask_decision, changed
from .deploy import Deployment, plan_of, read_section, upload
from .evaluate import Ends
from .versions import Versions, memory_of


class Shelf:
    """A board's slots, and what is known here of what is in them.

    Parameters
    ----------
    link : Link
    info : BoardInfo
    log : EventLog
    remember : bool
        Keep what is deployed in the user's cache folder.
    """

    def __init__(self, link, info, log, remember: bool):
        self.link, self.info, self.log = link, info, log
        self.versions = Versions(memory_of(info.id) if remember else None)
        self.last_deployment: Deployment | None = None
        self._lock = threading.Lock()
        self._rule: Decision | None = None  # set by hand; the board forgets it when it loses power
        self._described: dict[int, Pipeline | None] = {}
        self._ends: dict[int, Ends] = {}  # of plans deployed in this session
        self.ask()
        if all(slot.state == "empty" for slot in self.slots):
            self.versions.forget()

    def ask(self) -> list[m.Slot]:
        """Its two slots, asked now; ``slots`` has them as last heard."""
        self.slots = m.parse_slots(self.link.request(m.SLOTS))
        return self.slots

    @property
    def active(self) -> m.Slot | None:
        """The slot that the board answers with; None when it has no pipeline."""
        return next((slot for slot in self.slots if slot.active and slot.state == "good"), None)

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline in it, as deployed from here or as the board describes it; None for a bare network."""
        if (active := self.active) is None:
            return None
        crc = active.crc
        known = self.versions.pipeline(crc)
        if known is None and crc not in self._described:
            self._described[crc] = read_section(self.link)
        return known or self._described[crc]

    @property
    def ends(self) -> Ends:
        """What the active network takes and gives."""
        if (pipeline := self.pipeline) is not None:
            return Ends(math.prod(pipeline.input_shape))
        return self._ends.get(self.active.crc, Ends()) if self.active else Ends()

    def list(self) -> list[dict]:
        """What was deployed from here, and in which slot it is."""
        where = {slot.crc: slot.letter for slot in self.slots if slot.state == "good"}
        active = self.active.crc if self.active else None
        return [{**e, "slot": where.get(e["crc"]), "active": e["crc"] == active} for e in self.versions]

    def deploy(self, pipeline, progress, feed) -> Deployment:
        """What ``Board.deploy`` says it does; ``feed`` goes on with the new pipeline."""
        from tqdm.auto import tqdm

        began = time.monotonic()
        plan = plan_of(pipeline).check_fit(self.info.slot_bytes, self.info.arena)
        self.info.require_plan(plan)
        data = bytes(plan.bytes)
        crc = zlib.crc32(data)
        whole = pipeline if isinstance(pipeline, Pipeline) else None
        if whole is not None and whole.sensor == "mic":
            self.info.require_sound()
        name, fingerprint = plan.name, whole.fingerprint if whole else f"{crc:08x}"
        with self._lock:
            repeated = self.link.counters.repeated
            with tqdm(total=len(data), unit="B", unit_scale=True, desc=f"deploy {name}", disable=progress is not True,
                      leave=False) as bar:  # fmt: skip
                tell = progress if callable(progress) else lambda done, total: bar.update(done - bar.n)
                slot = upload(self.link, data, on_progress=lambda done: tell(done, len(data)))
            self._ends[crc] = Ends(math.prod(plan.input_shape), plan.input_dtype, plan.output_dtype)
            version = self.versions.add(crc, name, fingerprint, whole)
            self._switched(feed)
            done = self.last_deployment = Deployment(
                version, name, fingerprint, "AB"[slot], len(data), plan.arena_bytes, time.monotonic() - began,
                repeated=self.link.counters.repeated - repeated, began=began,
            )  # fmt: skip
            if feed.running:
                feed.start()
        self.log.add("deployed", f"v{version} {name} {fingerprint} in slot {done.slot}")
        return done

    def rollback(self, feed) -> m.Slot:
        """Make the other slot active; returns it."""
        with self._lock:
            self.link.request(m.ROLLBACK, timeout=2.0)
            self._switched(feed)
            if feed.running:
                feed.start()
        self.log.add("deployed", f"rolled back to {self.active.name} in slot {self.active.letter}")
        return self.active

    def _switched(self, feed) -> None:
        self._rule = None
        self.ask()

    def decision(self, **changes) -> Decision:
        """The decision rule in force, after the changes that ``decision.changed`` takes."""
        rule = ask_decision(self.link)
        if any(value is not None for value in changes.values()):
            self._rule = changed(rule, self.pipeline.labels, **changes)
            rule = ask_decision(self.link, self._rule)
        return rule

    def on_prediction(self, at: float) -> None:
        """The first one since the board was asked to predict came at ``at``, on the monotonic clock."""
        done = self.last_deployment
        if done is not None and done.first_prediction_s is None:
            done.first_prediction_s = at - done.began

    def restore(self, rebooted: bool) -> None:
        """After a reconnection."""
        self.ask()
        if rebooted and self._rule is not None:
            ask_decision(self.link, self._rule)
