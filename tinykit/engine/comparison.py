"""Float and int8 side by side: accuracy, size, RAM, latency, energy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError, ModelError
from .cortex import CLOCK_HZ
from .costs import HOW_CYCLES, HOW_ENERGY, Cost, cost
from .evaluation import probabilities


@dataclass(frozen=True, eq=False)
class Comparison:
    """A float pipeline and its int8 twin on the same windows.

    Parameters
    ----------
    before, after : tinykit.models.Report
        Of the float and of the int8 network.
    agreement : float
        Share of what was scored (takes or windows) to which both give the same answer.
    float_bytes : int
        Flash that the float network's weights would need: 4 bytes each.
    cost : Cost
        Of the int8 network on the board.
    """

    before: object
    after: object
    agreement: float
    float_bytes: int
    cost: Cost
    names: tuple[str, str] = field(default=("float32", "int8"))

    @property
    def loss(self) -> float:
        """Accuracy lost by quantising (negative: gained)."""
        return self.before.accuracy - self.after.accuracy

    def as_dict(self) -> dict:
        """Numbers only, for JSON."""
        return {
            "scored": len(self.after),
            "unit": self.after.unit,
            "accuracy": {"float": self.before.accuracy, "int8": self.after.accuracy},
            "macro_f1": {"float": self.before.macro_f1, "int8": self.after.macro_f1},
            "agreement": self.agreement,
            "weight_bytes": {"float": self.float_bytes, "int8": self.cost.plan_bytes},
            "cost": self.cost.as_dict(),
        }

    def __repr__(self) -> str:
        a, b, price = self.before, self.after, self.cost
        alone = f"; the network alone {price.milliseconds:.2f}" if price.front else ""
        return "\n".join(
            [
                f"{'':22}{self.names[0]:>12}{self.names[1]:>12}",
                f"{'accuracy':22}{a.accuracy:12.3f}{b.accuracy:12.3f}   {self._difference()}",
                f"{'right':22}{a.right:12,}{b.right:12,}   of {len(b):,} {b.unit}s",
                f"{'macro F1':22}{a.macro_f1:12.3f}{b.macro_f1:12.3f}   {self._same()}",
                f"{'flash, bytes':22}{self.float_bytes:12,}{price.plan_bytes:12,}   weights alone / whole plan",
                f"{'RAM, bytes':22}{'none':>12}{price.arena_bytes:12,}   the board runs int8 only",
                f"{'time an answer, ms':22}{'none':>12}{self._milliseconds:12.2f}   estimated{alone}",
                f"{'energy an answer, µJ':22}{'none':>12}{price.answer_microjoules:12.1f}   estimated",
            ]
        )

    def _repr_html_(self) -> str:
        from .. import look

        a, b, price = self.before, self.after, self.cost
        rows = [
            look.Versus("accuracy", 100 * a.accuracy, 100 * b.accuracy, "%", 1, full=100, words=self._difference()),
            look.Versus("macro F1", a.macro_f1, b.macro_f1, "", 3, full=1, words=self._same()),
            look.Versus("flash", self.float_bytes / 1024, price.plan_bytes / 1024, "KB", 1),
            look.Versus("RAM", None, price.arena_bytes / 1024, "KB", 1, words="the board runs int8 only"),
            look.Versus(
                "time an answer", None, self._milliseconds, "ms", 2, est=True, how=HOW_CYCLES,
                words=f"the network alone {price.milliseconds:.2f} ms" if price.front else "",
            ),
            look.Versus(
                "energy an answer", None, price.answer_microjoules, "µJ", 1, est=True, how=HOW_ENERGY,
                words=f"the network alone {price.microjoules:.1f} µJ" if price.front else "",
            ),
        ]  # fmt: skip
        foot = look.dots("float flash: weights alone, 4 bytes each", "int8 flash: the whole plan", "1 KB = 1,024 bytes")
        told = f"the same weights before rounding, the same {len(b)} {b.unit}s"
        return look.versus(rows, subtitle=told, names=self.names, foot=foot)

    @property
    def _milliseconds(self) -> float:
        """Of one whole answer (estimated), the front end with it."""
        return 1000 * self.cost.answer_cycles / CLOCK_HZ

    def _same(self) -> str:
        n = len(self.after)
        return f"{round(self.agreement * n)} of {n} {self.after.unit}s answered the same"

    def _difference(self) -> str:
        """What can honestly be said of the two accuracies."""
        known = self.before.truth >= 0
        before, after = (known & (r.predicted == r.truth) for r in (self.before, self.after))
        lost, won = int((before & ~after).sum()), int((after & ~before).sum())
        n, unit, gain = len(self.after), self.after.unit, won - lost
        if not gain:
            return f"as many {unit}s right" if lost else f"the same {unit}s right"
        told = f"{abs(gain)} {unit}{'s' if abs(gain) > 1 else ''} of {n} {'more' if gain > 0 else 'fewer'} right"
        return told if _by_chance(lost, won) < 0.05 else f"{told}: too small a difference to tell apart"


def compare(float_pipeline, int8_pipeline, on) -> Comparison:
    """Compare a trained pipeline with its quantised twin.

    Parameters
    ----------
    float_pipeline : Pipeline
        With a float network.
    int8_pipeline : Pipeline
        With an int8 network; its answers are those of the board.
    on : Dataset
        Recordings that neither was trained on.

    Returns
    -------
    Comparison

    Raises
    ------
    ModelError
        One of them has not the network it should have.
    DataError
        They answer different questions (labels, window, rate, channels).
    """
    from .. import models

    if not float_pipeline.float_model or not int8_pipeline.int8_model:
        raise ModelError(
            f"{float_pipeline.name} has {'a' if float_pipeline.float_model else 'no'} float network, "
            f"{int8_pipeline.name} has {'an' if int8_pipeline.int8_model else 'no'} int8 one; both are needed.",
            "tk.compare(pipeline, tk.quantize(pipeline, train), on=test)",
        )
    for what in ("labels", "window", "rate_hz"):
        a, b = getattr(float_pipeline, what), getattr(int8_pipeline, what)
        if a != b:
            raise DataError(f"The pipelines have different {what}: {a} and {b}.", "Compare two that do the same job.")
    if float_pipeline.front_end.channels != int8_pipeline.front_end.channels:
        raise DataError("The pipelines use different channels.", "Compare two that do the same job.")
    windows = models.test_windows(float_pipeline, on)
    before = models.Report.of(
        windows, models.predict(float_pipeline, windows.counts), f"{float_pipeline.name}, float32"
    )
    after = models.Report.of(windows, probabilities(int8_pipeline, windows.counts), f"{int8_pipeline.name}, int8")
    agreement = float(np.mean(before.predicted == after.predicted))
    return Comparison(before, after, agreement, _float_bytes(float_pipeline), cost(int8_pipeline))


def _by_chance(lost: int, won: int) -> float:
    """How likely two equally good networks differ at least so much: the sign test, which is McNemar's, exact."""
    n = lost + won
    tail = sum(math.comb(n, k) for k in range(min(lost, won) + 1)) / 2**n
    return min(1.0, 2 * tail)


def _float_bytes(pipeline) -> int:
    from ..models.predict import network

    return 4 * int(network(pipeline).count_params())
