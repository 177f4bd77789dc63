"""Products of matrices, batch by batch."""

from __future__ import annotations

import numpy as np

from . import fixed
from .broadcast import keep_constant, shared_axes
from .refuse import refuse
from .step import FLAG_CONST, FLAG_SIMPLE, FLAG_TURN_A, FLAG_TURN_B, Step
from .tflite import Node

_AXES = 3


def _batch_matmul(lowering, node: Node) -> None:
    a, b, y = node.inputs[0], node.inputs[1], node.outputs[0]
    if len({t.dtype for t in (a, b, y)}) > 1 or any(len(t.scales) != 1 for t in (a, b)):
        refuse(node, "its inputs and its output are of different types, or have several scales")
    if min(len(a.shape), len(b.shape)) < 2:
        refuse(node, f"it multiplies {a.shape} by {b.shape}")
    turns = bool(node.options.get("adjX")), bool(node.options.get("adjY"))
    (m, k), (depth, n) = (t.shape[-2:][::-1] if turn else t.shape[-2:] for t, turn in zip((a, b), turns, strict=True))
    before = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if k != depth or y.shape[-2:] != (m, n) or int(np.prod(before)) * m * n != y.size:
        refuse(node, f"it turns {a.shape} and {b.shape} into {y.shape}")
    axes = shared_axes(node, a.shape[:-2], b.shape[:-2], before)
    if len(axes) > _AXES:
        refuse(node, f"its inputs share {len(axes)} axes of batches in turns, more than {_AXES}")
    axes = [(1, True, True)] * (_AXES - len(axes)) + axes
    wide = a.dtype == "INT16"
    if wide and any(t.zero_point for t in (a, b, y)):
        refuse(node, "an int16 tensor has a zero point other than 0")
    if a.data is not None and b.data is not None:
        refuse(node, "both of its inputs are constants")
    if a.data is not None:
        keep_constant(lowering, node, a)
    constant = b.data is not None
    count = int(np.prod(before))
    # The reference multiplies the scales as floats.
    factor = float(np.float32(a.scale) * np.float32(b.scale)) / y.scale
    multiplier, shift = fixed.quantize_multiplier(factor)
    if wide and shift > 7:
        refuse(node, f"its scales raise a product {factor:g} times")
    sizes = [size for size, _, _ in axes]
    padded = -(-k // 4) * 4
    flags = (FLAG_CONST * constant) | (FLAG_TURN_A * turns[0]) | (FLAG_TURN_B * turns[1])
    if not wide and -30 <= shift <= 0 and k * 255 * 255 < 2**30:
        flags |= FLAG_SIMPLE
    step = Step(
        "batch_matmul_16" if wide else "batch_matmul",
        node.name,
        [lowering.read(node, a)] + ([] if constant else [lowering.read(node, b)]),
        lowering.write(y),
        (a.size // (m * k), *a.shape[-2:]),
        (count, m, n),
        kernel=(sizes[0], sizes[1]),
        stride=(sizes[2], 0),
        dilation=tuple(sum(1 << i for i, axis in enumerate(axes) if axis[which]) for which in (1, 2)),
        zeros=(a.zero_point, b.zero_point, y.zero_point),
        data=b.data.tobytes() if constant else b"",
        params=[multiplier, shift, k],
        flags=flags,
        macs=count * m * n * k,
    )
    if wide:
        step.in_size = step.out_size = 2
    else:
        step.scratch = 9 * padded
        step.over = 0 if turns[0] else padded - k
    lowering.add(node, step)


TYPES = {"BATCH_MATMUL": ("INT8", "INT16")}
OPERATIONS = {"BATCH_MATMUL": _batch_matmul}
