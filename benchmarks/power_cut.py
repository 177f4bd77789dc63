"""Power cuts during a deploy: after each, the board must boot with the old pipeline or the new one, whole.

    python benchmarks/power_cut.py [--cuts 200] [--json]

A deploy is so many instructions of the firmware. Power is cut after evenly spaced ones of them, on
the virtual board, whose flash then has half-erased pages and half-written words as a real one. After
each cut the board is given power again and asked: which pipeline is active, is its slot good, and
are its answers, bit for bit, those of the old or of the new pipeline on the host? Then the same
deploy must succeed.

Few of these instructions are those during which the flash controller works, so a second series cuts
in the middle of every erase and every write of the deploy.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "board"))

import numpy as np

from tinykit.board import messages as m
from tinykit.board.deploy import upload
from tinykit.board.evaluate import run_each
from tinykit.board.link import Link
from tinykit.board.virtual import VirtualBoard
from tinykit.board.virtual.registers import registers
from tinykit.engine import answers, compile_plan
from tinykit.errors import BoardError


class Outcome(NamedTuple):
    """One cut: after how many instructions, where, which pipeline runs after it, and is it whole?"""

    cut: int
    where: str
    runs: str
    whole: bool
    again: bool


class Bench:
    """A virtual board with ``old`` active and an older one in the other slot, and a deploy of ``new``."""

    def __init__(self, older, old, new, windows, name="power-cut"):
        self.windows = windows
        self.plans = {p.name: bytes(compile_plan(p).bytes) for p in (older, old, new)}
        self.expected = {p.name: answers(p, windows) for p in (old, new)}
        self.new = new.name
        self.machine = VirtualBoard(name, clock="free")
        self._commands, self._watch = [], None
        command, status = self.machine.flash.command, self.machine.flash.status
        self.machine.flash.command = lambda code: (self._begin(code), command(code))[1]
        self.machine.flash.status = lambda: (self._poll(), status())[1]
        self.url = f"virtual://nano33ble/{name}"
        for plan in (older.name, old.name):
            self.deploy(plan)
        self.machine.power_off()
        self.flash = bytes(self.machine.flash.file.data)
        self.machine.power_on()
        before = self.machine.instructions, len(self._commands)
        self.deploy(self.new)
        self.instructions = self.machine.instructions - before[0]
        self.operations = self._commands[before[1] :]

    def deploy(self, plan):
        """Send a plan."""
        link = Link(self.url, reconnect=False)
        try:
            upload(link, self.plans[plan])
        finally:
            link.close()

    def _begin(self, code):
        self._commands.append("erase" if code == registers()["FLASH_ERASE"] else "write")
        self._polls = 0

    def _poll(self):
        self._polls += 1
        if self._watch == (len(self._commands), self._polls):
            self._watch = None
            self.machine.cut_now()

    def cut(self, after=None, operation=None, polls=1) -> Outcome:
        """From the state before the deploy: deploy, cut, boot, look.

        The cut comes after so many instructions, or at so many looks at the busy controller
        during one of the deploy's flash operations (from 0).
        """
        machine = self.machine
        machine.power_off()
        machine.flash.file.data[:] = self.flash
        machine.power_on()
        if after is None:
            after, self._watch = operation, (len(self._commands) + operation + 1, polls)
        else:
            machine.power_cut(after_instructions=after)
        done = False
        try:
            self.deploy(self.new)
            done = True
        except BoardError:
            pass  # power went away
        if not machine.wait_for_cut(0.2 if done else 20):
            machine.power_off()  # this deploy took fewer instructions than the measured one
        where, self._watch = machine.last_cut, None
        machine.power_on()
        runs, whole = self.look()
        self.deploy(self.new)
        return Outcome(after, where, runs, whole, self.look() == (self.new, True))

    def look(self) -> tuple[str, bool]:
        """The active pipeline, and whether its slot is good and its answers are its own."""
        link = Link(self.url, reconnect=False)
        try:
            active = [slot for slot in m.parse_slots(link.request(m.SLOTS)) if slot.active]
            if len(active) != 1:
                return "none", False
            name = active[0].name
            if active[0].state != "good" or name not in self.expected:
                return name, False
            got, _ = run_each(link, m.MODE_WINDOW, self.windows, False, "")
            return name, bool((got == self.expected[name]).all())
        finally:
            link.close()

    def run(self, cuts, progress=False) -> list[Outcome]:
        """Evenly spaced cuts over the whole deploy."""
        from tqdm.auto import tqdm

        after = np.linspace(0, self.instructions, cuts, endpoint=False).astype(int)
        return [self.cut(int(n)) for n in tqdm(after, disable=not progress)]

    def run_torn(self, progress=False) -> list[Outcome]:
        """A cut in every write, and two in every erase, which takes longer."""
        from tqdm.auto import tqdm

        looks = {"erase": (1, 12), "write": (1,)}
        moments = [(i, polls) for i, kind in enumerate(self.operations) for polls in looks[kind]]
        return [self.cut(operation=o, polls=p) for o, p in tqdm(moments, disable=not progress)]

    def close(self):
        """Switch the board off for good."""
        self.machine.close()


def main():
    """Measure and print; exit status 1 if a cut left the board with anything else than old or new."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--cuts", type=int, default=200)
    words.add_argument("--json", action="store_true")
    options = words.parse_args()
    from made import make_pipeline, moving_windows

    pipelines = [make_pipeline(name, seed, filters=16) for seed, name in enumerate(("older", "old", "new"))]
    bench = Bench(*pipelines, moving_windows(8))
    try:
        series = {"evenly spaced": bench.run(options.cuts, progress=not options.json)}
        series["in flash operations"] = bench.run_torn(progress=not options.json)
    finally:
        bench.close()
    rows = []
    for name, outcomes in series.items():
        bad = [o for o in outcomes if o.runs not in ("old", "new") or not (o.whole and o.again)]
        runs = collections.Counter(o.runs for o in outcomes)
        places = collections.Counter(o.where.split()[-1] for o in outcomes)
        rows.append({"series": name, "cuts": len(outcomes), "old": runs["old"], "new": runs["new"], "bad": len(bad),
                     "places": dict(places.most_common())})  # fmt: skip
        for outcome in bad:
            print(outcome, file=sys.stderr)
    if options.json:
        print(json.dumps({"plan bytes": len(bench.plans["new"]), "instructions": bench.instructions,
                          "flash operations": len(bench.operations), "series": rows}, indent=1))  # fmt: skip
    else:
        print(f"A deploy of {len(bench.plans['new']):,} bytes: {bench.instructions:,} instructions, "
              f"{len(bench.operations)} flash operations.")  # fmt: skip
        for row in rows:
            print(f"{row['cuts']} cuts {row['series']}: {row['old']} boot with the old pipeline, {row['new']} with "
                  f"the new one, {row['bad']} with anything else.")  # fmt: skip
            print("  cut in " + ", ".join(f"{place} {n}" for place, n in row["places"].items()))
    return 1 if any(row["bad"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
