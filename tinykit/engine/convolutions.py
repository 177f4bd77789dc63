"""Convolutions and dense layers: weights packed, zero points folded into the biases."""

from __future__ import annotations

import numpy as np

from . import fixed, shapes
from .checks import LIMIT, activation_of, picture_shape, same_pad
from .depthwise import choose
from .pack import are_halves, pack_conv_plain, pack_dense_plain, pack_depthwise, pack_halves
from .refuse import refuse
from .requantisation import pack_channels
from .step import FLAG_SIMPLE, Step
from .tflite import Node

_PIXELS = 3  # TK_PIXELS of hardware/TinyKit/src/tk_halves.h
# A dense layer's inputs are widened at once, or in pieces when that would take much scratch.
_MOST_QUADS, _PIECE_QUADS = 64, 32


def _conv_2d(lowering, node: Node) -> None:
    weights, bias = _weights(node)
    out_c, kh, kw, depth = weights.shape
    if node.inputs[0].shape[-1] != depth:
        refuse(node, f"its {node.inputs[0].shape[-1]} input channels are split into groups of {depth}")
    _convolution(lowering, node, weights.data.reshape(out_c, -1), bias, (kh, kw), "conv")


def _depthwise_conv_2d(lowering, node: Node) -> None:
    weights, bias = _weights(node, axis=3)
    _, kh, kw, out_c = weights.shape
    data = weights.data.reshape(kh * kw, out_c)
    if node.inputs[0].shape[-1] == 1:  # from one channel: the same as a plain convolution
        _convolution(lowering, node, np.ascontiguousarray(data.T), bias, (kh, kw), "conv")
    else:
        _convolution(lowering, node, data, bias, (kh, kw), "depthwise")


def _fully_connected(lowering, node: Node) -> None:
    weights, bias = _weights(node)
    x, y = node.inputs[0], node.outputs[0]
    rows = weights.data.reshape(weights.shape[0], -1)
    out_c, depth = rows.shape
    if x.size % depth or x.size // depth * out_c != y.size or node.options.get("weightsFormat", 0):
        refuse(node, f"it turns {x.shape} into {y.shape} by weights of {weights.shape}")
    factors = x.scale * np.broadcast_to(weights.scales.astype(np.float64), out_c) / y.scale
    channels, flags = pack_channels(rows, bias, factors, x.zero_point, y.zero_point)
    count = x.size // depth
    step = Step(
        "dense",
        node.name,
        [lowering.read(node, x)],
        lowering.write(y),
        (count, 1, depth),
        (count, 1, out_c),
        zeros=(x.zero_point, 0, y.zero_point),
        clamp=fixed.activation_range(activation_of(node), y.scale, y.zero_point),
        channels=channels,
        flags=flags,
        macs=count * rows.size,
    )
    lowering.add(node, _packed(step, rows))


def _packed(step: Step, rows: np.ndarray) -> Step:
    """With weights (out channels, patch), for the quickest kernel that can do it."""
    (h, w, _), (oh, ow, out_c) = step.in_shape, step.out_shape
    halves = bool(step.flags & FLAG_SIMPLE) and are_halves(rows)
    length = rows.shape[1]
    taps_apart = any(k > 1 and d > 1 for k, d in zip(step.kernel, step.dilation, strict=True))
    covers = oh == ow == 1 and step.kernel == (h, w) and step.pad == (0, 0) and not taps_apart
    if step.kind == "conv" and covers and length <= LIMIT and halves:
        step.kind = "dense"  # one output sees all of the picture
        step.in_shape, step.out_shape = (1, 1, length), (1, 1, out_c)
    elif step.kind == "dense" and oh >= _PIXELS and halves:
        step.kind, step.kernel, step.stride, step.dilation = "conv", (1, 1), (1, 1), (1, 1)
    return _packed_dense(step, rows, halves) if step.kind == "dense" else _packed_conv(step, rows, halves)


def _packed_dense(step: Step, rows: np.ndarray, halves: bool) -> Step:
    out_c, depth = rows.shape
    quads = -(-depth // 4)
    if halves:
        piece = quads if quads <= _MOST_QUADS else _PIECE_QUADS
        step.params = [piece]
        step.data, step.channels = pack_halves(rows, step.channels, 4, 4 * piece)
        step.scratch = 8 * piece + (4 * len(step.channels) if quads > piece else 0)
    else:
        step.kind, step.data = "dense_plain", pack_dense_plain(rows)
    step.over = -depth % 4
    # All of a row is read before its first output is written, or (plain) at the same time.
    row = np.arange(step.in_shape[0])
    step.clear = max(0, int(((row + (not halves)) * out_c - row * depth).max()))
    return step


def _packed_conv(step: Step, rows: np.ndarray, halves: bool) -> Step:
    (h, w, depth), (oh, ow, out_c) = step.in_shape, step.out_shape
    quads = -(-rows.shape[1] // 4)
    if halves:
        pointwise = step.kernel == step.stride == (1, 1) and step.pad == (0, 0) and (h, w) == (oh, ow)
        step.kind = "conv_1x1" if pointwise else "conv"
        step.data, step.channels = pack_halves(rows, step.channels, 2)
        copies = 0 if pointwise else _PIXELS if step.kernel[1] * depth % 4 else 1
        step.scratch = 24 * quads + copies * (4 * quads + 16)
        step.over = 3 if depth % 4 else 0
    else:
        step.kind, step.data = "conv_plain", pack_conv_plain(rows)
        step.scratch = 16 * quads
    # So many pixels are read before the first of them is written.
    at_a_time = _PIXELS if halves else 2
    needed = step.first_needed()
    done = np.arange(at_a_time, len(needed), at_a_time)
    step.clear = int((done * out_c - needed[done] * depth).max(initial=0))
    return step


def _weights(node: Node, axis: int = 0):
    """Weights and bias, checked."""
    x, weights = node.inputs[:2]
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if weights is None or weights.data is None or weights.dtype != "INT8":
        refuse(node, "its weights are not int8 constants")
    if np.any(weights.zero_points != 0):
        refuse(node, "its weights have a zero point other than 0")
    channels = weights.shape[axis]
    if len(weights.scales) not in (1, channels) or (len(weights.scales) > 1 and weights.axis != axis):
        refuse(node, f"its weights have {len(weights.scales)} scales for {channels} channels")
    if bias is not None and (bias.data is None or bias.dtype != "INT32" or bias.size != channels):
        refuse(node, "its bias is not an int32 constant, one a channel")
    values = np.zeros(channels, np.int64) if bias is None else bias.data.astype(np.int64).ravel()
    return weights, values


def _convolution(lowering, node: Node, rows: np.ndarray, bias: np.ndarray, kernel, kind: str) -> None:
    x, weights, y = node.inputs[0], node.inputs[1], node.outputs[0]
    o = node.options
    stride = (int(o["strideH"]), int(o["strideW"]))
    dilation = (int(o["dilationHFactor"]), int(o["dilationWFactor"]))
    out = picture_shape(node, y)
    if "pad" in o:  # a dilated one, put together again
        pad = o["pad"]
    elif x.index in lowering.pads and lowering.uses[x.index] == 1 and o["padding"] == "VALID":
        source, pad_node, pads = lowering.pads.pop(x.index)
        if len(source.shape) == 4 and not any(pads[0]) and not any(pads[3]):
            x, pad = source, (pads[1][0], pads[2][0])  # outside of the picture is the zero point anyway
        else:
            shapes.pad(lowering, pad_node, source, x, pads)
            pad = (0, 0)
    else:
        pad = tuple(
            same_pad(n, m, k, s, d) if o["padding"] == "SAME" else 0
            for n, m, k, s, d in zip(x.shape[1:3], out[:2], kernel, stride, dilation, strict=True)
        )
    depthwise = kind == "depthwise"
    scales = weights.scales.astype(np.float64)
    factors = x.scale * np.broadcast_to(scales, len(bias)) / y.scale
    channels, flags = pack_channels(rows.T if depthwise else rows, bias, factors, x.zero_point, y.zero_point)
    inputs = picture_shape(node, x)
    step = Step(
        kind,
        node.name,
        [lowering.read(node, x)],
        lowering.write(y),
        inputs,
        out,
        kernel,
        stride,
        dilation,
        pad,
        (x.zero_point, 0, y.zero_point),
        fixed.activation_range(activation_of(node), y.scale, y.zero_point),
        channels=channels,
        flags=flags,
        macs=out[0] * out[1] * rows.size,
    )
    if depthwise:
        step.data, step.over = pack_depthwise(rows), -inputs[2] % 4
        step.params = [0, out[2] // inputs[2]]  # arena.lay_out decides about rows kept aside
        step = choose(step, rows)
    else:
        step = _packed(step, rows)
    lowering.add(node, step)


OPERATIONS = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
}
