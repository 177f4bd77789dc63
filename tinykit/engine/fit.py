"""Will it fit? A network against a board, before anything is flashed, and what to change if not."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from functools import cached_property

from .. import look
from ..errors import DoesNotFit, ModelError
from .advice import Advice
from .costs import Cost, cost
from .targets import Target, target

_NO_ADVICE = "no change that could be worked out here helps: make that layer smaller, or use another network"


@dataclass(frozen=True)
class Memory:
    """One of a board's memories: its name, its size, and what lies in it as (what, bytes, of the model?)."""

    name: str
    limit: int
    parts: tuple[tuple[str, int, bool], ...]

    @property
    def used(self) -> int:
        return sum(size for _, size, _ in self.parts)

    @property
    def ok(self) -> bool:
        return self.used <= self.limit


@dataclass(frozen=True, eq=False)
class Fit:
    """Whether a network fits a board; true where it does.

    Parameters
    ----------
    cost : Cost
    target : Target
    flash, ram : Memory
    seconds : float
        From one answer to the next, if the processor does nothing else (estimated).
    every_s : float or None
        Seconds from one answer to the next as they are due; None: nobody said.
    """

    cost: Cost = field(repr=False)
    target: Target
    flash: Memory
    ram: Memory
    seconds: float
    every_s: float | None

    @property
    def in_time(self) -> bool:
        """Whether answers come as often as they are due (estimated); true where nobody said how often."""
        return self.every_s is None or self.seconds <= self.every_s

    @property
    def ok(self) -> bool:
        """Whether there is room and time for it."""
        return self.flash.ok and self.ram.ok and self.in_time

    def __bool__(self) -> bool:
        return self.ok

    def check(self) -> Fit:
        """Return itself if it fits.

        Raises
        ------
        DoesNotFit
            By how much not, and what to change.
        """
        if not self.ok:
            first = next(iter(self.advice), None)
            raise DoesNotFit(f"{self._verdict()}", str(first) if first else "Use a smaller network.")
        return self

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        """What to change so that it fits, each worked out by planning the changed network; none when it fits."""
        from .advice import advise

        return () if self.ok else advise(self)

    def as_dict(self) -> dict:
        """For JSON."""
        told = {
            "board": self.target.name,
            "fits": self.ok,
            "answer_ms_estimated": round(1000 * self.seconds, 4),
            "due_every_ms": None if self.every_s is None else round(1000 * self.every_s, 4),
            "advice": [{**advice.as_dict()} for advice in self.advice],
            "sources": list(self.target.sources),
        }
        for memory in (self.flash, self.ram):
            told[memory.name] = {
                "limit": memory.limit, "used": memory.used, "parts": {what: size for what, size, _ in memory.parts},
            }  # fmt: skip
        return told

    def _verdict(self) -> str:
        if self.ok:
            return f"It fits the {self.target.title}"
        wrong = [
            f"it needs {memory.used:,} bytes of {memory.name}, there are {memory.limit:,}: "
            f"{memory.used - memory.limit:,} too many"
            for memory in (self.flash, self.ram)
            if not memory.ok
        ]
        if not self.in_time:
            wrong.append(
                f"an answer takes {1000 * self.seconds:.1f} ms (estimated) and one is due every "
                f"{look.number(1000 * self.every_s)} ms"
            )
        text = "; ".join(wrong)
        return f"{self.cost.name} does not fit the {self.target.title}: {text}."

    def _time(self) -> str:
        often = f"{1 / self.seconds:,.1f}" if self.seconds > 0.1 else f"{1 / self.seconds:,.0f}"
        text = f"an answer takes {1000 * self.seconds:.2f} ms, so at most {often} a second (estimated)"
        if self.every_s is None:
            return text
        share = 100 * self.seconds / self.every_s
        return f"{text}; one is due every {look.number(1000 * self.every_s)} ms: {share:.0f} % of the time"

    def _most(self) -> str:
        """Which layer stands in the way most, of what is too much."""
        layers, found = self.cost.layers, []
        if not self.ram.ok:
            found.append(f"layer {self.cost.peak.name} needs {self.cost.peak.ram_bytes:,} bytes of RAM while it runs")
        if not self.flash.ok:
            most = max(layers, key=lambda layer: layer.weight_bytes)
            found.append(f"layer {most.name} has {most.weight_bytes:,} bytes of weights")
        if not self.in_time:
            most = max(layers, key=lambda layer: layer.cycles)
            share = 100 * most.cycles / max(1, self.cost.answer_cycles)
            found.append(f"layer {most.name} takes {share:.0f} % of the time")
        return "; ".join(found)

    def __str__(self) -> str:
        if not self.ok:
            return self._verdict()
        room = " and ".join(
            f"{memory.limit - memory.used:,} bytes of {memory.name}" for memory in (self.flash, self.ram)
        )
        return f"{self._verdict()}; {room} stay free."

    def __repr__(self) -> str:
        lines = [str(self)]
        for memory in (self.flash, self.ram):
            parts = " + ".join(f"{what} {size:,}" for what, size, _ in memory.parts)
            lines.append(f"  {memory.name:6}{memory.used:>9,} of {memory.limit:,} bytes: {parts}")
        lines.append(f"  time  {self._time()}")
        if not self.ok:
            lines.append(f"  most  {self._most()}")
            lines += ["what to change (worked out by planning the changed network):"]
            lines += [f"  - {advice}" for advice in self.advice] or [f"  - {_NO_ADVICE}"]
            lines += ["Train it again after a change: what it then still knows, only a test tells."]
        lines += [f"from: {source}" for source in self.target.sources]
        return "\n".join(
            part for line in lines for part in textwrap.wrap(line, 100, subsequent_indent="    ") or [line]
        )

    def _repr_html_(self) -> str:
        time = self._time()
        sources = "".join(f"<li>{look.esc(source)}</li>" for source in self.target.sources)
        foot = look.Html(f"{look.esc(time[0].upper() + time[1:])}.")
        advice = [str(advice) for advice in self.advice] or [_NO_ADVICE]
        most = self._most()
        foot = foot if self.ok else look.Html(f"{foot} {look.esc(most[0].upper() + most[1:])}.")
        foot = look.Html(f"{foot}<details><summary>Where the limits are from</summary><ul>{sources}</ul></details>")
        return look.fits(
            [(m.name, m.limit, list(m.parts)) for m in (self.flash, self.ram)],
            subtitle=f"{self.cost.name} on the {self.target.title}",
            late="" if self.in_time else self._time(),
            advice=advice,
            foot=foot,
        )


def fits(network, board: str | Target = "nano33ble", every_s: float | None = None) -> Fit:
    """Will a network fit a board? Asked before anything is flashed.

    Parameters
    ----------
    network : Cost, or what ``cost`` takes
    board : str
        ``"nano33ble"`` (with tinykit's firmware), ``"microbit-v2"``, ``"nicla-sense-me"``, ``"nucleo-l432kc"``
        or ``"m4f-32k"`` (with a program made for this network alone).
    every_s : float, optional
        Seconds from one answer to the next. Default: the pipeline's hop; for a bare network none is due.

    Returns
    -------
    Fit
        True where it fits; ``advice`` has what to change where it doesn't.

    Raises
    ------
    ModelError, UnsupportedOp
        See ``cost``; also when there is no board of that name, or no time from one answer to the next.
    """
    if every_s is not None and not every_s > 0:
        raise ModelError(f"An answer every {every_s:g} s can't be.", "Give the seconds from one answer to the next.")
    board = target(board)
    price = network if isinstance(network, Cost) else cost(network)
    front = price.front
    every_s = front.answer_s if every_s is None and front else every_s
    return Fit(price, board, *memories(price, board), price.answer_cycles / board.clock_hz, every_s)


def memories(price: Cost, board: Target, plan=None) -> tuple[Memory, Memory]:
    """Flash and RAM of a board with a network in it; ``plan`` stands in for the cost's own."""
    plan_bytes = len(plan.bytes) if plan is not None else price.plan_bytes
    arena = plan.arena_bytes if plan is not None else price.arena_bytes
    front = price.front
    flash, ram = [("plan", plan_bytes, True)], [("arena", arena, True)]
    if not board.firmware:
        flash.insert(0, ("engine code", price.code_flash_bytes, False))
        ram.insert(0, ("stack", board.reserved_ram, False))
        if front is not None:
            flash.insert(1, ("front end's code", front.code_flash_bytes, False))
            ram.insert(1, ("front end", front.work_bytes + front.ring_bytes, False))
    return Memory("flash", board.flash_bytes, tuple(flash)), Memory("RAM", board.ram_bytes, tuple(ram))
