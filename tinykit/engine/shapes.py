"""Operations that move values without changing them: renaming, cutting, joining, padding, resizing.

Most are one cut of a tensor (``moves.Cut``), found by doing the same with an empty NumPy array. What
lies in one piece already needs no step at all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import moves
from .checks import activation_of, check_same_scale
from .refuse import refuse
from .tflite import Node, Tensor


def constant(node: Node, number: int, what: str) -> np.ndarray:
    """The values of a constant input, as a flat array of int64."""
    tensor = node.inputs[number] if len(node.inputs) > number else None
    if tensor is None or tensor.data is None:
        refuse(node, f"{what} not constant")
    if tensor.data.dtype.kind not in "iu":
        refuse(node, f"{what} of {tensor.dtype.lower()}, expected whole numbers")
    return np.ravel(tensor.data).astype(np.int64)


def _axis(node: Node, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        refuse(node, f"its axis is {axis} of {rank}")
    return axis % rank


def _rename(lowering, node: Node) -> None:
    lowering.rename(node)


def _transpose(lowering, node: Node) -> None:
    order = constant(node, 1, "its order is").tolist()
    moves.take(lowering, node, node.inputs[0], node.outputs[0], lambda x: x.transpose(order))


def _reverse(lowering, node: Node) -> None:
    axes = constant(node, 1, "its axes are").tolist()
    moves.take(lowering, node, node.inputs[0], node.outputs[0], lambda x: np.flip(x, axes))


def _broadcast(lowering, node: Node) -> None:
    shape = node.outputs[0].shape
    moves.take(lowering, node, node.inputs[0], node.outputs[0], lambda x: np.broadcast_to(x, shape))


def _tile(lowering, node: Node) -> None:
    times = constant(node, 1, "its number of times is").tolist()

    def cut(x):
        shape = [n for pair in zip(times, x.shape, strict=True) for n in pair]
        return np.broadcast_to(np.expand_dims(x, tuple(range(0, 2 * x.ndim, 2))), shape)

    moves.take(lowering, node, node.inputs[0], node.outputs[0], cut)


def _slice(lowering, node: Node) -> None:
    begin, size = constant(node, 1, "its begin is"), constant(node, 2, "its size is")
    index = tuple(slice(b, None if n == -1 else b + n) for b, n in zip(begin, size, strict=True))
    moves.take(lowering, node, node.inputs[0], node.outputs[0], lambda x: x[index])


def slices(node: Node, rank: int) -> tuple:
    """The index, as NumPy takes it, of a STRIDED_SLICE."""
    begin, end = constant(node, 1, "its begin is"), constant(node, 2, "its end is")
    step, o, index = constant(node, 3, "its strides are"), node.options, []
    ellipsis, new, shrink = (int(o.get(f"{m}Mask") or 0) for m in ("ellipsis", "newAxis", "shrinkAxis"))
    no_begin, no_end = (int(o.get(f"{m}Mask") or 0) for m in ("begin", "end"))
    for i, (b, e, s) in enumerate(zip(begin.tolist(), end.tolist(), step.tolist(), strict=True)):
        bit = 1 << i
        if ellipsis & bit:
            index.append(Ellipsis)
        elif new & bit:
            index.append(None)
        elif shrink & bit:
            index.append((0 if s > 0 else -1) if no_begin & bit else b)
        else:
            if o.get("offset") and not no_end & bit:
                e += b
            index.append(slice(None if no_begin & bit else b, None if no_end & bit else e, s))
    if len(index) - sum(one is None or one is Ellipsis for one in index) > rank or not all(step):
        refuse(node, f"it cuts along {len(index)} axes of {rank} by steps of {step.tolist()}")
    return tuple(index)


def _strided_slice(lowering, node: Node) -> None:
    index = slices(node, len(node.inputs[0].shape))
    moves.take(lowering, node, node.inputs[0], node.outputs[0], lambda x: x[index])


def _cut_up(lowering, node: Node, x: Tensor, axis: int) -> None:
    """One piece after the other for each output."""
    axis, start = _axis(node, axis, len(x.shape)), 0
    for y in node.outputs:
        index = (slice(None),) * axis + (slice(start, start + y.shape[axis]),)
        moves.take(lowering, node, x, y, lambda x, index=index: x[index])
        start += y.shape[axis]
    if start != x.shape[axis]:
        refuse(node, f"its outputs have {start} of {x.shape[axis]} values")


def _split(lowering, node: Node) -> None:
    _cut_up(lowering, node, node.inputs[1], int(constant(node, 0, "its axis is")[0]))


def _split_v(lowering, node: Node) -> None:
    _cut_up(lowering, node, node.inputs[0], int(constant(node, 2, "its axis is")[0]))


def _unpack(lowering, node: Node) -> None:
    x = node.inputs[0]
    axis = _axis(node, int(node.options["axis"]), len(x.shape))
    for i, y in enumerate(node.outputs):
        index = (slice(None),) * axis + (i,)
        moves.take(lowering, node, x, y, lambda x, index=index: x[index])


def _join(lowering, node: Node, places: list[np.ndarray], target: np.ndarray) -> None:
    """Copy each input to its place in the output."""
    y = node.outputs[0]
    for x, view in zip(node.inputs, places, strict=True):
        if x.dtype != y.dtype:
            refuse(node, f"it joins {x.dtype.lower()} and {y.dtype.lower()}")
        if view.size != x.size:
            refuse(node, f"it joins {x.shape} into {y.shape}")
    sources = [None if x.data is not None else moves.held(lowering, node, x) for x in node.inputs]
    output, pieces = lowering.write(y), {}
    for x, source, view in zip(node.inputs, sources, places, strict=True):
        place = moves.Cut.of(view, target)
        if source is None:
            whole = moves.blank(x, view.shape)
            cut = moves.Cut.of(whole, whole)
            moves.copy(lowering, node, [], cut, output, place, x, y, x.data.tobytes())
        else:
            pieces.setdefault(source.source, []).append((source.cut, place))
    for source, several in pieces.items():
        for cut, place in moves.joined(several, y.itemsize):
            moves.copy(lowering, node, [source], cut, output, place, y, y)


def _concatenation(lowering, node: Node) -> None:
    check_same_scale(node)
    if activation_of(node) != "NONE":
        refuse(node, f"its fused activation is {activation_of(node)}")
    y = node.outputs[0]
    axis, start = _axis(node, int(node.options["axis"]), len(y.shape)), 0
    target, places = moves.blank(y), []
    for x in node.inputs:
        stop = start + x.shape[axis]
        places.append(target[(slice(None),) * axis + (slice(start, stop),)])
        start = stop
    if start != y.shape[axis]:
        refuse(node, f"its inputs have {start} of {y.shape[axis]} values")
    _join(lowering, node, places, target)


def _pack(lowering, node: Node) -> None:
    y = node.outputs[0]
    axis, target = _axis(node, int(node.options["axis"]), len(y.shape)), moves.blank(y)
    _join(lowering, node, [target[(slice(None),) * axis + (i,)] for i in range(len(node.inputs))], target)


def _pad(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    pads = [(int(a), int(b)) for a, b in constant(node, 1, "its widths are").reshape(-1, 2)]
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, pads, strict=True))
    if min(min(p) for p in pads) < 0 or shape != tuple(y.shape):
        refuse(node, f"it pads {x.shape} by {pads} to {y.shape}")
    same = x.scale == y.scale and x.zero_point == y.zero_point
    if len(pads) in (3, 4) and same and x.dtype == "INT8" and _fill(node) == y.zero_point:
        lowering.read(node, x)
        lowering.pads[y.index] = (x, node, tuple(pads))  # a convolution may do it for nothing
    else:
        pad(lowering, node, x, y, pads)


def _fill(node: Node) -> int:
    """What a padding puts around its input."""
    y = node.outputs[0]
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return y.zero_point if y.dtype == "INT8" else 0  # as TensorFlow Lite Micro does
    value = node.inputs[2]
    if value.scale != y.scale or value.zero_point != y.zero_point:
        refuse(node, "its value has another scale than its output")
    return int(constant(node, 2, "its value is")[0])


def pad(lowering, node: Node, x: Tensor, y: Tensor, pads) -> None:
    """The step that pads; ``x`` may be another tensor than the node's."""
    # In x's rank: a dilated convolution, put together again, sees the output in another.
    y = replace(y, shape=tuple(n + before + after for n, (before, after) in zip(x.shape, pads, strict=True)))
    fill, size = _fill(node), y.itemsize
    byte = fill & 0xFF
    if y.dtype != "INT8" and fill & ((1 << 8 * size) - 1) != int.from_bytes(bytes([byte]) * size, "little"):
        refuse(node, f"it pads {y.dtype.lower()} with {fill}")
    source, target = moves.held(lowering, node, x), moves.blank(y)
    place = target[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, pads, strict=True))]
    signed = byte - 256 if byte > 127 else byte
    place = moves.Cut.of(place, target)
    moves.copy(lowering, node, [source.source], source.cut, lowering.write(y), place, x, y, fill=signed)


def _picked(lowering, node: Node, x: Tensor, y: Tensor, wanted: dict[int, list[int]]) -> None:
    """``y`` is ``x`` with these numbers taken along these axes, two neighbouring ones at a time."""
    shape, source = tuple(x.shape), lowering.read(node, x)
    wanted = {a: n for a, n in wanted.items() if list(n) != list(range(shape[a]))}
    if not wanted:
        return lowering.part(source, y, 0)
    while wanted:
        axis = min(wanted)
        numbers = tuple(wanted.pop(a) for a in (axis, axis + 1) if a in wanted)
        output = lowering.write(y) if not wanted else lowering.between()
        shape = moves.pick(lowering, node, source, output, shape, axis, numbers, x)
        source = output
    if int(np.prod(shape)) != y.size:
        refuse(node, f"it turns {x.shape} into {y.shape}, expected {shape}")


def _mirror_pad(lowering, node: Node) -> None:
    x, pads = node.inputs[0], constant(node, 1, "its widths are").reshape(-1, 2)
    edge = 1 if int(node.options.get("mode") or 0) == 0 else 0  # REFLECT leaves out the edge itself
    wanted = {}
    for axis, (n, (before, after)) in enumerate(zip(x.shape, pads.tolist(), strict=True)):
        if not 0 <= before <= n - edge or not 0 <= after <= n - edge:
            refuse(node, f"it mirrors {before} and {after} of {n} values")
        first, last = range(before - 1 + edge, edge - 1, -1), range(n - 1 - edge, n - 1 - edge - after, -1)
        wanted[axis] = [*first, *range(n), *last]
    _picked(lowering, node, x, node.outputs[0], wanted)


def _gather(lowering, node: Node) -> None:
    x, numbers = node.inputs[0], constant(node, 1, "its places are")
    axis = _axis(node, int(node.options.get("axis") or 0), len(x.shape))
    if node.options.get("batchDims"):
        refuse(node, "it gathers along several axes at once")
    _picked(lowering, node, x, node.outputs[0], {axis: numbers.tolist()})


def _nearest(size: int, out: int, align_corners: bool, half_pixel_centers: bool) -> list[int]:
    """Which of ``size`` values each of ``out`` takes; in float32, as the reference computes."""
    less = 1 if align_corners and out > 1 else 0
    scale = np.float32(size - less) / np.float32(out - less)
    at = (np.arange(out, dtype=np.float32) + np.float32(0.5 if half_pixel_centers else 0)) * scale
    whole = np.floor(at)
    if align_corners:
        whole = np.trunc(at) + (at - np.trunc(at) >= 0.5)  # half away from zero
    return np.clip(whole.astype(np.int64), 0, size - 1).tolist()


def _resize_nearest(lowering, node: Node) -> None:
    x, y, o = node.inputs[0], node.outputs[0], node.options
    if len(x.shape) != 4:
        refuse(node, f"its input has shape {x.shape}, expected (1, height, width, channels)")
    modes = bool(o.get("alignCorners")), bool(o.get("halfPixelCenters"))
    _picked(lowering, node, x, y, {axis: _nearest(x.shape[axis], y.shape[axis], *modes) for axis in (1, 2)})


def _depth(lowering, node: Node, to_depth: bool) -> None:
    """Blocks of pixels into channels, or back."""
    x, y, block = node.inputs[0], node.outputs[0], int(node.options["blockSize"])
    n, h, w, c = x.shape
    shape = (n, h // block, block, w // block, block, c) if to_depth else (n, h, w, block, block, c // block**2)
    lowering.read(node, x)  # so that it can be seen in this shape
    moves.take(lowering, node, x, y, lambda x: x.reshape(shape).transpose(0, 1, 3, 2, 4, 5))


def _space_to_depth(lowering, node: Node) -> None:
    _depth(lowering, node, True)


def _depth_to_space(lowering, node: Node) -> None:
    _depth(lowering, node, False)


OPERATIONS = {
    "RESHAPE": _rename,
    "SQUEEZE": _rename,
    "EXPAND_DIMS": _rename,
    "TRANSPOSE": _transpose,
    "REVERSE_V2": _reverse,
    "BROADCAST_TO": _broadcast,
    "TILE": _tile,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _mirror_pad,
    "GATHER": _gather,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
}

# Moving asks of a value only how many bytes it has.
TYPES = dict.fromkeys(OPERATIONS, ("INT8", "UINT8", "INT16", "INT32", "INT64", "FLOAT32"))
