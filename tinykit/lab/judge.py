"""Ways to judge an answer: a number, a choice, or a function that the student wrote."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np

from .check import Finding, NotAttempted, is_placeholder


def good(text: str) -> Finding:
    return Finding(True, text)


def bad(misconception: str, text: str) -> Finding:
    return Finding(False, text, misconception)


def number(
    right: float | tuple[float, float],
    praise: str,
    mistakes: Sequence[tuple[float | tuple[float, float], str, str]],
    otherwise: str,
    tolerance: float = 0.005,
) -> Callable:
    """A judge for one number.

    Parameters
    ----------
    right : float or (low, high)
        The right value, within ``tolerance`` of itself, or a range with both ends in.
    praise : str
        Why it is right.
    mistakes : sequence of (value or range, misconception, reply)
        Wrong values that tell the idea behind them.
    otherwise : str
        Reply to any other value.
    tolerance : float
        Relative; 0.5 % forgives rounding and no more.
    """

    def judge(answer) -> Finding:
        try:
            value = float(np.asarray(answer, dtype=float).item())
        except (TypeError, ValueError):
            return bad("not a number", f"The answer is one number; this is a {type(answer).__name__}.")
        if _meets(value, right, tolerance):
            return good(praise)
        for wrong, misconception, reply in mistakes:
            if _meets(value, wrong, tolerance):
                return bad(misconception, reply)
        return bad("other value", otherwise)

    return judge


def choice(right: str, praise: str, others: dict[str, tuple[str, str]]) -> Callable:
    """A judge for one letter of several; ``others`` maps a letter to (misconception, reply)."""
    letters = sorted([right, *others])

    def judge(answer) -> Finding:
        letter = answer.strip().lower().rstrip(").") if isinstance(answer, str) else answer
        if letter == right:
            return good(praise)
        if isinstance(letter, str) and letter in others:
            return bad(*others[letter])
        return bad("not a choice", f"The answer is one letter in quotes: {', '.join(letters)}.")

    return judge


def function(
    truth: Callable,
    cases: Sequence[tuple],
    praise: str,
    mistakes: Sequence[tuple[Callable, str, str]],
    otherwise: str,
    tolerance: float = 1e-6,
) -> Callable:
    """A judge for a function: its values on hidden cases against those of a right one.

    Parameters
    ----------
    truth : callable
        The right function.
    cases : sequence of tuple
        Arguments, one tuple a call. They are copied, so that a student's function may change them.
    mistakes : sequence of (callable, misconception, reply)
        Functions as a misconception would write them. An answer that agrees with one of them on
        every case gets its reply.
    otherwise : str
        Reply to any other wrong function; the first case it fails on is added.
    """

    def judge(answer) -> Finding:
        if not callable(answer):
            return bad("not a function", "Give the function itself, without brackets after its name.")
        failed = None
        outputs = []
        for case in cases:
            try:
                value = answer(*copy.deepcopy(case))
            except Exception as error:  # the student's code: whatever it raises is the answer
                return bad("raises", f"Your function raised {type(error).__name__}: {error}")
            if is_placeholder(value):
                raise NotAttempted
            outputs.append(value)
            if failed is None and not same(value, truth(*copy.deepcopy(case)), tolerance):
                failed = case, value
        if failed is None:
            return good(praise)
        for wrong, misconception, reply in mistakes:
            pairs = zip(outputs, cases, strict=True)
            if all(same(out, wrong(*copy.deepcopy(case)), tolerance) for out, case in pairs):
                return bad(misconception, reply)
        case, value = failed
        shown = ", ".join(_short(c) for c in case)
        expected = _short(truth(*copy.deepcopy(case)))
        return bad("other value", f"{otherwise} For ({shown}) it gives {_short(value)}, expected {expected}.")

    return judge


def same(a, b, tolerance: float = 1e-6) -> bool:
    """Whether two values have the same shape and the same numbers."""
    try:
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def _meets(value: float, wanted, tolerance: float) -> bool:
    if isinstance(wanted, tuple):
        return wanted[0] <= value <= wanted[1]
    return math.isfinite(value) and math.isclose(value, wanted, rel_tol=tolerance, abs_tol=1e-9)


def _short(value) -> str:
    if isinstance(value, np.ndarray) and value.size > 8:
        return f"array of shape {value.shape}"
    text = repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 60 else text[:57] + "..."
