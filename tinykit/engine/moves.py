"""Copies from any cut of one tensor into any cut of another: the steps that move values.

A cut is a NumPy view: NumPy itself says where its values lie (``Cut.of``), whatever was done to it:
slices, steps backwards, axes in another order, axes repeated. The views hold no values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np

from .arena import ALIGN
from .checks import LIMIT
from .refuse import refuse
from .step import FLAG_VALUES, Step
from .tflite import Node, Tensor

_LOOPS = 5
_BLOCK = struct.Struct("<16i")  # the loops of hardware/TinyKit/src/tk_op_copy.c
_MANY = 200_000  # runs, beyond which nobody asks how close input and output may lie


@dataclass(frozen=True)
class Cut:
    """Where a view's values lie: the first, and the step along each axis, in bytes."""

    start: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, view: np.ndarray, whole: np.ndarray) -> Cut:
        start = view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        steps = tuple(step if n > 1 else 0 for n, step in zip(view.shape, view.strides, strict=True))
        return cls(start, view.shape, steps)


def blank(tensor: Tensor, shape=None) -> np.ndarray:
    """An array of a tensor's shape, to be cut; its values mean nothing."""
    return np.empty(tensor.shape if shape is None else shape, dtype=f"V{tensor.itemsize}")


def three(shape) -> tuple[int, int, int]:
    """A shape as (height, width, channels), for people, with no side beyond 16 bits."""
    shape = (1, 1, 1, *shape)
    sides = (int(np.prod(shape[:-2], dtype=np.int64)), shape[-2], shape[-1])
    if max(sides) <= LIMIT:
        return sides
    count = int(np.prod(sides, dtype=np.int64))  # a tensor of millions in one row: any shape of that size
    side = next((n for n in range(LIMIT, 0, -1) if count % n == 0), 1)
    return count // side, 1, side


@dataclass(frozen=True)
class Held:
    """A cut that is not made yet: of what lies ``offset`` bytes into a buffer, as a view of ``whole``, and for whom."""

    source: int
    offset: int
    whole: np.ndarray
    view: np.ndarray
    node: Node

    @property
    def cut(self) -> Cut:
        cut = Cut.of(self.view, self.whole)
        return replace(cut, start=cut.start + self.offset)


def held(lowering, node: Node, x: Tensor) -> Held:
    """Where the values of ``x`` lie: cuts of cuts become one."""
    if x.index in lowering.held:
        return lowering.held[x.index]
    whole, source = blank(x), lowering.read(node, x)
    return Held(*lowering.views.get(source, (source, 0)), whole, whole, node)


def take(lowering, node: Node, x: Tensor, y: Tensor, cut) -> None:
    """``y`` is ``cut`` (a function of a NumPy array) of ``x``.

    What lies in one piece costs nothing. Everything else is put off: what comes next may be another
    cut, or a joint, and takes its values from where they are.
    """
    before = held(lowering, node, x)
    view = cut(before.view)
    if view.size != y.size:
        refuse(node, f"it turns {x.shape} into {y.shape}, expected {view.shape}")
    keep(lowering, node, before, view, y)


def keep(lowering, node: Node, before: Held, view: np.ndarray, y: Tensor) -> None:
    """``y`` is this view; no step yet, as far as that goes."""
    shaped = view.reshape(y.shape)
    free = np.may_share_memory(shaped, view)  # NumPy made no copy
    now = replace(before, view=shaped if free else view, node=node)
    if not _loops(view.shape, view.strides, view.strides, y.itemsize)[1] and now.cut.start % ALIGN == 0:
        lowering.part(before.source, y, now.cut.start)
        return
    lowering.held[y.index] = now
    if not free:
        make(lowering, y)


def make(lowering, y: Tensor) -> None:
    """Make a cut that was put off."""
    now = lowering.held.pop(y.index)
    target = blank(y)
    shaped = target.reshape(now.view.shape)
    copy(lowering, now.node, [now.source], now.cut, lowering.write(y), Cut.of(shaped, target), y, y)


def joined(pieces: list[tuple[Cut, Cut]], size: int) -> list[tuple[Cut, Cut]]:
    """Pieces of one tensor, each from a cut to a place: those that follow each other evenly become one."""
    while True:
        rows: list[list[tuple[Cut, Cut]]] = []
        for piece in pieces:
            row = rows[-1] if rows else []
            if row and _alike(row[0], piece) and (len(row) < 2 or _way(row[0], row[1]) == _way(row[-1], piece)):
                row.append(piece)
            else:
                rows.append([piece])
        fewer = [piece for row in rows for piece in _rows(row, size)]
        if len(fewer) == len(pieces):
            return pieces
        pieces = fewer


def _alike(one, other) -> bool:
    return all(a.shape == b.shape and a.steps == b.steps for a, b in zip(one, other, strict=True))


def _way(one, other) -> tuple[int, int]:
    return other[0].start - one[0].start, other[1].start - one[1].start


def _rows(row, size: int) -> list[tuple[Cut, Cut]]:
    """One piece for all of them, if there are loops enough."""
    if len(row) == 1:
        return row
    cut, place = (
        Cut(first.start, (len(row), *first.shape), (step, *first.steps))
        for first, step in zip(row[0], _way(row[0], row[1]), strict=True)
    )
    fits = len(_loops(cut.shape, cut.steps, place.steps, size)[1]) <= _LOOPS
    return [(cut, place)] if fits else row


def copy(lowering, node: Node, sources: list[int], cut: Cut, output: int, place: Cut, x: Tensor, y: Tensor,
         values: bytes = b"", fill: int | None = None) -> None:  # fmt: skip
    """Add the step that copies one cut into another.

    Parameters
    ----------
    sources : list of int
        The buffer of ``x``; empty if its ``values`` are constants.
    cut, place : Cut
        Of ``x`` and of ``y``.
    fill : int, optional
        A byte that the whole of ``y`` is filled with first.
    """
    run, loops = _loops(cut.shape, cut.steps, place.steps, x.itemsize)
    if len(loops) > _LOOPS:
        refuse(node, f"it moves values along {len(loops)} axes at once, expected {_LOOPS} at most")
    if len(loops) > 1 and loops[-1][0] < 4 <= loops[-2][0]:  # a loop of few turns costs more outside than in
        loops[-2:] = loops[:-3:-1]
    loops = [(1, 0, 0)] * (_LOOPS - len(loops)) + loops
    columns = [n for column in zip(*loops, strict=True) for n in column]
    step = Step(
        "copy" if fill is None else "pad",
        node.name,
        sources,
        output,
        three([n if step else 1 for n, step in zip(cut.shape, cut.steps, strict=True)]),
        three(y.shape),
        zeros=(0, 0, fill or 0),
        data=_BLOCK.pack(run, *columns) + values,
        params=[cut.start, place.start, 0 if fill is None else y.bytes],
        flags=0 if sources else FLAG_VALUES,
    )
    step.in_size, step.out_size = x.itemsize, y.itemsize
    step.clear = _clearance(run, loops, cut.start, place.start) if sources and fill is None else None
    lowering.add(node, step)


def _loops(shape, steps, out_steps, size: int) -> tuple[int, list[tuple[int, int, int]]]:
    """The longest run of neighbouring bytes, and the loops around it: (count, step, step of the output)."""
    loops: list[tuple[int, int, int]] = []
    for count, step, out in zip(shape, steps, out_steps, strict=True):
        if count == 1:
            continue
        if loops and loops[-1][1] == step * count and loops[-1][2] == out * count:
            loops[-1] = (loops[-1][0] * count, step, out)
        else:
            loops.append((count, step, out))
    if loops and loops[-1][1:] == (size, size):
        return loops.pop()[0] * size, loops
    return size, loops


def _clearance(run: int, loops, start: int, out_start: int) -> int | None:
    """How far before its input the output must begin, so that nothing is written over before it is read."""
    if np.prod([n for n, _, _ in loops], dtype=np.int64) > _MANY:
        return None
    reads, writes = np.array([start]), np.array([out_start])
    for count, step, out in loops:
        turns = np.arange(count)
        reads = np.add.outer(reads, turns * step).ravel()
        writes = np.add.outer(writes, turns * out).ravel()
    within = int((writes - reads).max())  # a run goes forward
    still = np.minimum.accumulate(reads[::-1])[::-1][1:]
    between = int((writes[:-1] + run - still).max()) if len(still) else within
    return max(0, within, between)


def pick(lowering, node: Node, source: int, output: int, shape, axis: int, numbers: tuple, x: Tensor) -> tuple:
    """Add the step that takes these numbers along an axis, and along the next one if there are two lists.

    Returns the output's shape.
    """
    size = x.itemsize
    rows, columns = numbers if len(numbers) == 2 else (numbers[0], [0])
    steps = [size * int(np.prod(shape[i + 1 :], dtype=np.int64)) for i in range(len(shape))]
    inner = axis + len(numbers)
    made = (*shape[:axis], *(len(n) for n in numbers), *shape[inner:])
    params = [
        int(np.prod(shape[:axis], dtype=np.int64)),
        steps[axis - 1] if axis else 0,
        len(rows),
        steps[axis],
        len(columns),
        steps[axis + 1] if len(numbers) == 2 else 0,
        steps[inner - 1],
    ]
    table = np.array([*rows, *columns])
    if len(table) and not (0 <= table.min() and table.max() <= LIMIT):
        refuse(node, f"it takes places {table.min()} to {table.max()}, expected 0 to {LIMIT}")
    for n, one in zip(shape[axis:], numbers, strict=False):
        if len(one) == 0 or max(one) >= n:
            refuse(node, f"it takes places {list(one)[:5]} of {n}")
    step = Step("pick", node.name, [source], output, three(shape), three(made), data=table.astype("<u2").tobytes(),
                params=params)  # fmt: skip
    step.in_size = step.out_size = size
    lowering.add(node, step)
    return made
