"""What to change so that a network fits: each change is made, planned and, for time, run; none is guessed."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import TinykitError
from .changes import Change, NotPossible, apply, candidates
from .meter import random_input, run_on_core
from .plan import Plan, planned

_MOST, _TOGETHER = 3, 4  # pieces of advice; changes made together
_TRIED = 16


@dataclass(frozen=True)
class Advice:
    """One way out.

    Parameters
    ----------
    changes : tuple of str
        What to change, in words; all of them together.
    effect : str
        What it then needs, in words.
    fits : bool
        Whether that is enough.
    plan_bytes, arena_bytes, macs : int
        Of the changed network.
    """

    changes: tuple[str, ...]
    effect: str
    fits: bool
    plan_bytes: int
    arena_bytes: int
    macs: int

    def as_dict(self) -> dict:
        """For JSON."""
        return {**vars(self), "changes": list(self.changes)}

    def __str__(self) -> str:
        what = ", and ".join(self.changes)
        return f"{what[0].upper()}{what[1:]}: {self.effect}, {'which fits' if self.fits else 'not enough alone'}."


@dataclass(frozen=True, eq=False)
class _Trial:
    """A changed network, planned."""

    said: tuple[str, ...]
    network: object
    plan: Plan
    excess: float  # 0: it fits; else the sum of what is too much, as shares of the limits


def advise(fit) -> tuple[Advice, ...]:
    """Changes that make a network fit, the one that leaves most of it first.

    Parameters
    ----------
    fit : Fit
        That does not.

    Returns
    -------
    tuple of Advice
        Empty when no change could be worked out, or none helps.
    """
    plan = fit.cost.plan
    if plan is None or plan.network is None:
        return ()
    # The section of a pipeline stays as it is.
    extra = fit.cost.plan_bytes - len(planned(plan.network).bytes)
    start = _Trial((), plan.network, plan, _excess(fit, plan, fit.seconds, 0))
    tried = _tries(fit, start, extra)
    good = [trial for trial in tried if trial.excess == 0]
    if not good and tried:
        best = min(tried, key=lambda trial: trial.excess)
        while best.excess > 0 and len(best.said) < _TOGETHER:
            further = [trial for trial in _tries(fit, best, extra) if trial.excess < best.excess]
            if not further:
                break
            enough = [trial for trial in further if trial.excess == 0]
            best = max(enough, key=_kept) if enough else min(further, key=lambda trial: trial.excess)
        good = [best] if best.excess == 0 else []
    good = sorted(good, key=_kept, reverse=True)[:_MOST]
    if not good:
        good = sorted((t for t in tried if t.excess < start.excess), key=lambda t: t.excess)[:_MOST]
    return tuple(_advice(fit, trial, extra) for trial in good)


def _kept(trial: _Trial) -> int:
    return trial.plan.macs


def _tries(fit, start: _Trial, extra: int) -> list[_Trial]:
    found = []
    for change in _likely(fit, start):
        try:
            said = change.said(start.network)
            network = apply(start.network, change)
            plan = planned(network)
        except (NotPossible, TinykitError):
            continue
        seconds = fit.seconds if fit.in_time else _seconds(fit, plan)
        found.append(_Trial((*start.said, said), network, plan, _excess(fit, plan, seconds, extra)))
    return found


def _likely(fit, start: _Trial) -> list[Change]:
    """Changes worth a trial: in layers up to the one at the peak, or with the most weights or MACs."""
    network, ops = start.network, start.plan.ops
    weight = {}
    for i, node in enumerate(network.nodes):
        weight[i] = sum(op.macs if not fit.in_time else op.weight_bytes for op in ops if op.name == node.name)
    peak = max(ops, key=lambda op: op.ram_bytes)
    until = max((i for i, node in enumerate(network.nodes) if node.name == peak.name), default=len(network.nodes))
    whole, single = [], []
    for change in candidates(network):
        if change.node is None:
            whole.append(change)
        elif fit.ram.ok or change.node <= until:
            single.append(change)
    single.sort(key=lambda change: -change.node if not fit.ram.ok else -weight[change.node])
    return [*single[:_TRIED], *whole]


def _excess(fit, plan: Plan, seconds: float, extra: int) -> float:
    from .fit import memories

    flash, ram = memories(fit.cost, fit.target, plan)
    over = max(0, flash.used + extra - flash.limit) / flash.limit + max(0, ram.used - ram.limit) / ram.limit
    late = 0.0 if fit.every_s is None else max(0.0, seconds / fit.every_s - 1)
    return over + late


def _seconds(fit, plan: Plan) -> float:
    """Time of an answer of a changed network: run on the emulated core."""
    _, total, _ = run_on_core(plan, random_input(plan))
    front = fit.cost.front.answer_cycles if fit.cost.front else 0
    return (total.cycles + front) / fit.target.clock_hz


def _advice(fit, trial: _Trial, extra: int) -> Advice:
    from .fit import memories

    flash, ram = memories(fit.cost, fit.target, trial.plan)
    effects = []
    if not fit.ram.ok:
        effects.append(f"{ram.used:,} bytes of RAM instead of {fit.ram.used:,}")
    if not fit.flash.ok:
        effects.append(f"{flash.used + extra:,} bytes of flash instead of {fit.flash.used:,}")
    if not fit.in_time:
        effects.append(f"{1000 * _seconds(fit, trial.plan):.1f} ms instead of {1000 * fit.seconds:.1f} (estimated)")
    return Advice(
        trial.said, " and ".join(effects), trial.excess == 0, len(trial.plan.bytes) + extra, trial.plan.arena_bytes,
        trial.plan.macs,
    )  # fmt: skip
