"""Copies from any cut of one tensor into any cut of another: the steps that move values.

A cut is a NumPy view: NumPy itself says where its values lie (``Cut.of``), whatever was done to it:
slices, steps backwards, axes in another order, axes repeated. The views hold no values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

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
        return cls(start, view.shape, view.strides)


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


def take(lowering, node: Node, x: Tensor, y: Tensor, view: np.ndarray, whole: np.ndarray) -> None:
    """``y`` is this cut of ``x``. Costs nothing where the cut lies in one piece."""
    if view.size != y.size:
        refuse(node, f"it turns {x.shape} into {y.shape}, expected {view.shape}")
    cut, one_piece = Cut.of(view, whole), _loops(view.shape, view.strides, view.strides, x.itemsize)
    source = lowering.read(node, x)
    if len(one_piece[1]) == 0 and cut.start % ALIGN == 0:
        lowering.part(source, y, cut.start)
        return
    target = blank(y, view.shape)
    copy(lowering, node, [source], cut, lowering.write(y), Cut.of(target, target), x, y)


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
    loops = [(1, 0, 0)] * (_LOOPS - len(loops)) + loops
    columns = [n for column in zip(*loops, strict=True) for n in column]
    step = Step(
        "copy" if fill is None else "pad",
        node.name,
        sources,
        output,
        three(x.shape),
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
