"""Layers with a memory: SVDF, which keeps it from run to run, and LSTM, which begins each run without one."""

from __future__ import annotations

import math

import numpy as np

from . import fixed
from .refuse import refuse
from .step import FLAG_EACH_RUN, FLAG_SIMPLE, Step
from .tflite import Node, Tensor

_WIDTH = {"INT8": 1, "INT16": 2}


def _state(lowering, node: Node, *parts, flags: int = 0) -> int:
    """Memory that nothing else uses, of parts (shape, zero point) one behind the other; returns its buffer."""
    buffer, offset = lowering.between(), 0
    for shape, zero_point in parts:
        step = Step("state", node.name, [], buffer, shape, shape, zeros=(0, 0, zero_point), flags=flags)
        step.out_offset = offset
        offset += step.out_bytes
        lowering.add(node, step)
    return buffer


def _words(*arrays) -> bytes:
    return b"".join(np.asarray(a, "<i8").astype("<u4").tobytes() for a in arrays)  # modulo 2^32


def _rows(weights: np.ndarray) -> np.ndarray:
    """Filled up to a multiple of four columns."""
    return np.pad(weights, [(0, 0), (0, -weights.shape[1] % 4)])


def _constant(node: Node, tensor: Tensor | None, dtypes, shape, what: str) -> np.ndarray:
    if tensor is None or tensor.data is None or tensor.dtype not in dtypes or tuple(tensor.shape) != tuple(shape):
        refuse(node, f"its {what} are not {' or '.join(dtypes).lower()} constants of shape {tuple(shape)}")
    if tensor.dtype in _WIDTH and (len(tensor.scales) != 1 or tensor.zero_points.any()):
        refuse(node, f"its {what} have a zero point, or more than one scale")
    return tensor.data


def _svdf(lowering, node: Node) -> None:
    x, features, over_time, bias, state = (*node.inputs, None, None)[:5]
    y, rank = node.outputs[0], int(node.options.get("rank", 1))
    if len(x.shape) != 2 or features is None or over_time is None or state is None or rank < 1:
        refuse(node, "it has not the tensors of an SVDF layer")
    if x.dtype != "INT8" or y.dtype != "INT8" or state.dtype != over_time.dtype:
        refuse(node, "its input and output are not int8, or its state has not the type of the weights over time")
    (count, depth), filters, memory = x.shape, features.shape[0], over_time.shape[-1]
    units = filters // rank
    if filters % rank or tuple(y.shape) != (count, units) or state.size != count * filters * memory:
        refuse(node, f"it turns {x.shape} into {y.shape} by {filters} filters of rank {rank}")
    w = _constant(node, features, ("INT8",), (filters, depth), "feature weights")
    t = _constant(node, over_time, ("INT8", "INT16"), (filters, memory), "weights over time")
    biases = np.zeros(units) if bias is None else _constant(node, bias, ("INT32",), (units,), "biases")
    wide = t.dtype == np.int16
    if wide and state.zero_point:
        refuse(node, "its int16 state has a zero point other than 0")
    # The reference works these out as floats.
    x_scale, state_scale = np.float32(x.scale), np.float32(state.scale)
    first = x_scale * np.float32(features.scale) / state_scale
    second = state_scale * np.float32(over_time.scale) / np.float32(y.scale)
    size = _WIDTH[over_time.dtype]
    memory_at = _state(lowering, node, ((count, filters, memory * size), state.zero_point))
    taps = t.astype(t.dtype.newbyteorder("<")).tobytes()
    lowering.add(
        node,
        Step(
            "svdf_16" if wide else "svdf",
            node.name,
            [lowering.read(node, x), memory_at],
            lowering.write(y),
            (count, 1, depth),
            (count, 1, units),
            kernel=(rank, memory),
            zeros=(x.zero_point, state.zero_point, y.zero_point),
            data=_words(-x.zero_point * w.astype(np.int64).sum(axis=1), biases)
            + taps
            + bytes(-len(taps) % 4)
            + _rows(w).tobytes(),
            params=[n for factor in (first, second) for n in fixed.quantize_multiplier(float(factor))],
            over=-depth % 4,
            macs=count * filters * (depth + memory),
        ),
    )


_LEFT_OUT = ((9, 12, "peephole connections"), (16, 18, "a projection"), (20, 24, "layer normalisation"))


def _lstm(lowering, node: Node) -> None:
    tensors = (*node.inputs, *[None] * 24)[:24]
    x, y, hidden, cell = tensors[0], node.outputs[0], tensors[18], tensors[19]
    for first, end, what in _LEFT_OUT:
        if any(t is not None for t in tensors[first:end]):
            refuse(node, f"it has {what}")
    if tensors[1] is None:
        refuse(node, "its input and forget gates are coupled")
    if node.options.get("activation", "TANH") != "TANH":
        refuse(node, f"its activation is {node.options['activation']}, expected TANH")
    if len(x.shape) != 3 or hidden is None or cell is None or cell.dtype != "INT16":
        refuse(node, "its input has not three axes, or its cells are not int16")
    if len({t.dtype for t in (x, hidden, y)}) > 1:
        refuse(node, "its input, state and output are of different types")
    major = bool(node.options.get("timeMajor"))
    (count, steps), depth = x.shape[:2][:: -1 if major else 1], x.shape[2]
    units = cell.size // count
    if tuple(y.shape) != (*x.shape[:2], units) or not hidden.size == cell.size == count * units:
        refuse(node, f"it turns {x.shape} into {y.shape} by {cell.size} cells")
    size = _WIDTH[x.dtype]
    wide = size == 2
    if cell.zero_point or wide and (x.zero_point or hidden.zero_point):
        refuse(node, "an int16 tensor has a zero point other than 0")
    wanted = ("INT64",) if wide else ("INT32",)
    inputs = [_constant(node, t, ("INT8",), (units, depth), "weights") for t in tensors[1:5]]
    pasts = [_constant(node, t, ("INT8",), (units, units), "recurrent weights") for t in tensors[5:9]]
    biases = [_constant(node, t, wanted, (units,), "biases").astype(np.int64) for t in tensors[12:16]]
    sums = [b - x.zero_point * w.astype(np.int64).sum(axis=1) for b, w in zip(biases, inputs, strict=True)]
    if wide:
        per_unit = np.stack(sums, axis=1).astype("<i8").tobytes()
    else:
        sums += [-hidden.zero_point * w.astype(np.int64).sum(axis=1) for w in pasts]
        per_unit = _words(np.stack(sums, axis=1))
    numbers = _lstm_numbers(node, x, hidden, cell, tensors)
    if wide and any(shift > 7 for _, shift in numbers[:8]):
        refuse(node, "its scales raise a gate's sum more than 128 times")
    reach = max(
        int((np.abs(s) + 128 * np.abs(w.astype(np.int64)).sum(axis=1)).max())
        for s, w in zip(sums, inputs + pasts, strict=False)
    )
    simple = all(-30 <= shift <= 0 for _, shift in numbers) and reach < 2**30 and not wide
    gates = np.concatenate(
        [_rows(np.stack(rows, axis=1).reshape(4 * units, -1)).reshape(units, 4, -1, 4).transpose(0, 2, 1, 3)
         for rows in (inputs, pasts)], axis=1
    )  # fmt: skip
    clip, scale, shift = _cells(node, cell)
    cells, past = ((1, count, 2 * units), 0), ((1, 1, count * units * size + 3), hidden.zero_point)
    memory_at = _state(lowering, node, cells, past, flags=FLAG_EACH_RUN)
    lowering.add(
        node,
        Step(
            "lstm_16" if wide else "lstm",
            node.name,
            [lowering.read(node, x), memory_at],
            lowering.write(y),
            (count, steps, depth),
            (count, steps, units),
            kernel=(int(major), 0),
            zeros=(x.zero_point, hidden.zero_point, hidden.zero_point),
            data=fixed.sigmoid_entries().tobytes() + _words(numbers) + per_unit + gates.tobytes(),
            params=[clip, scale, shift],
            flags=FLAG_SIMPLE if simple else 0,
            in_size=size,
            out_size=size,
            over=0 if wide else -depth % 4,
            macs=count * steps * 4 * units * (depth + units),
        ),
    )


def _lstm_numbers(node: Node, x: Tensor, hidden: Tensor, cell: Tensor, tensors) -> list[tuple[int, int]]:
    """Multipliers and shifts in the order of tk_op_lstm.c."""
    gate, open_gate = 2.0**-12, 2.0**-15
    factors = []
    for inputs, pasts in zip(tensors[1:5], tensors[5:9], strict=True):
        factors += [x.scale * inputs.scale / gate, hidden.scale * pasts.scale / gate]
    factors += [open_gate * cell.scale / cell.scale, open_gate**2 / cell.scale, open_gate**2 / hidden.scale]
    return [fixed.quantize_multiplier(f) for f in factors]


def _cells(node: Node, cell: Tensor) -> tuple[int, int, int]:
    """Largest cell (0: any), and what takes a cell to 3 * 2^12 times what tanh sees: factor and shift."""
    power = fixed.round_away(math.log2(cell.scale))
    clip = float(np.float32(node.options.get("cellClip", 0.0)))
    limit = int(min(max(clip / cell.scale, -32768.0), 32767.0)) if clip > 0 else 0
    if clip > 0 and limit == 0:
        refuse(node, f"its cells are limited to {clip:g}, less than their scale")
    left = power + 12
    if not -15 <= left <= 14:
        refuse(node, f"its cells have scale {cell.scale:g}")
    return (limit, 3 << left, 0) if left >= 0 else (limit, 3, -left)


TYPES = {"SVDF": ("INT8", "INT16"), "UNIDIRECTIONAL_SEQUENCE_LSTM": ("INT8", "INT16")}
OPERATIONS = {"SVDF": _svdf, "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm}
