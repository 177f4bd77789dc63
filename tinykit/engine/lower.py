"""From the operations of a .tflite to the steps of a plan.

Each supported operation has one function here, named as the schema names the operation. It checks
that the operation is of the form the kernels know, does once what can be done once (zero points
folded into biases, multipliers, tables), and appends a ``Step``. Operations that only rename a
tensor (reshape and its kin) become no step at all.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from . import fixed
from .dilation import join_dilated
from .pack import pack_channels, pack_conv, pack_dense, pack_depthwise, simple_requantisation
from .refuse import refuse
from .step import FLAG_CONST, FLAG_SIMPLE, FLAG_SUBTRACT, Step
from .tflite import Network, Node, Tensor

_SHAPE_TYPES = ("INT32", "INT64")
_LIMIT = 65535  # sizes are 16-bit in an op record
_MOST = 1 << 22  # values in one tensor: far more than any board's RAM


class Lowering:
    """The steps of a network.

    Parameters
    ----------
    network : Network
    ring : bool
        Depthwise convolutions keep rows of their input aside, so that they can write onto it.

    Attributes
    ----------
    steps : list of Step
    place : dict
        Tensor index -> buffer.
    """

    def __init__(self, network: Network, ring: bool = False):
        network = join_dilated(network)
        self.ring = ring
        self.steps: list[Step] = []
        self.place = {network.input.index: network.input.index}
        self.uses = Counter(t.index for node in network.nodes for t in node.inputs if t is not None)
        self.uses[network.output.index] += 1
        self.pads: dict[int, tuple[Tensor, Node, tuple]] = {}  # tensor -> a padding not yet done
        for node in network.nodes:
            self._lower(node)
        self.input = self.place[network.input.index]
        if network.output.index not in self.place:
            refuse(network.nodes[-1] if network.nodes else None, "the output is not computed from the input")
        self.output = self.place[network.output.index]
        if not self.steps:  # nothing but renaming: still one op, so that a plan has one
            size = network.input.size
            table = np.arange(-128, 128, dtype=np.int8)
            self._table(network.nodes[0] if network.nodes else None, self.input, self.input, (1, 1, size), table)

    def _lower(self, node: Node) -> None:
        outputs = [t for t in node.outputs if t.dtype not in _SHAPE_TYPES]
        if not outputs and node.outputs:
            return  # arithmetic on shapes: the file states every shape already
        function = getattr(self, "op_" + node.kind.split()[0].lower(), None)
        if function is None:
            refuse(node)
        for tensor in [*node.inputs[:1], *node.outputs]:
            if tensor is None or tensor.dtype != "INT8":
                refuse(node, f"it works on {(tensor.dtype if tensor else 'nothing').lower()}, expected int8")
        for tensor in (node.inputs[0], *node.outputs):
            if len(tensor.scales) != 1:
                refuse(node, f"an activation has {len(tensor.scales)} scales, expected one")
            if not 0 < tensor.scale < float("inf") or not -128 <= tensor.zero_point <= 127:
                refuse(node, f"an activation has scale {tensor.scale:g} and zero point {tensor.zero_point}")
            if not 0 < tensor.size <= _MOST or min(tensor.shape, default=1) < 1:
                refuse(node, f"a tensor of shape {tensor.shape} is beyond the engine")
        function(node)

    # -- helpers

    def _read(self, node: Node, tensor: Tensor) -> int:
        """Buffer of an activation; does a padding that was put off."""
        if tensor.index in self.pads:
            source, pad_node, pads = self.pads.pop(tensor.index)
            self._pad(pad_node, source, tensor, pads)
        if tensor.index not in self.place:
            refuse(node, f"its input {tensor.name} is a constant")
        return self.place[tensor.index]

    def _add(self, node: Node, step: Step) -> None:
        for shape in (step.in_shape, step.out_shape, step.kernel, step.stride, step.dilation, step.pad):
            if any(n > _LIMIT for n in shape):
                refuse(node, f"a size of {max(shape)} is beyond the engine's {_LIMIT}")
        self.steps.append(step)

    def _write(self, tensor: Tensor) -> int:
        self.place[tensor.index] = tensor.index
        return tensor.index

    def _table(self, node: Node | None, source: int, output: int, shape, table: np.ndarray) -> None:
        name = node.name if node else "identity"
        self._add(node, Step("table", name, [source], output, shape, shape, data=table.tobytes()))

    def _rename(self, node: Node) -> None:
        source, target = node.inputs[0], node.outputs[0]
        if source.size != target.size:
            refuse(node, f"it turns {source.shape} into {target.shape}")
        self.place[target.index] = self._read(node, source)

    # -- operations that only rename

    op_reshape = op_squeeze = op_expand_dims = _rename

    def op_transpose(self, node: Node) -> None:
        order = node.inputs[1].data if len(node.inputs) > 1 and node.inputs[1] is not None else None
        shape = node.inputs[0].shape
        if order is None or [a for a in order if shape[a] != 1] != sorted(a for a in order if shape[a] != 1):
            refuse(node)
        self._rename(node)

    # -- convolutions

    def op_conv_2d(self, node: Node) -> None:
        weights, bias = self._weights(node)
        out_c, kh, kw, depth = weights.shape
        if node.inputs[0].shape[-1] != depth:
            refuse(node, f"its {node.inputs[0].shape[-1]} input channels are split into groups of {depth}")
        self._convolution(node, weights.data.reshape(out_c, -1), bias, (kh, kw), "conv")

    def op_depthwise_conv_2d(self, node: Node) -> None:
        weights, bias = self._weights(node, axis=3)
        _, kh, kw, out_c = weights.shape
        data = weights.data.reshape(kh * kw, out_c)
        if node.inputs[0].shape[-1] == 1:  # from one channel: the same as a plain convolution
            self._convolution(node, np.ascontiguousarray(data.T), bias, (kh, kw), "conv")
        else:
            self._convolution(node, data, bias, (kh, kw), "depthwise")

    def _weights(self, node: Node, axis: int = 0):
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

    def _convolution(self, node: Node, rows: np.ndarray, bias: np.ndarray, kernel, kind: str) -> None:
        x, weights, y = node.inputs[0], node.inputs[1], node.outputs[0]
        o = node.options
        stride = (int(o["strideH"]), int(o["strideW"]))
        dilation = (int(o["dilationHFactor"]), int(o["dilationWFactor"]))
        out = _hwc(node, y)
        if "pad" in o:  # a dilated one, put together again
            pad = o["pad"]
        elif x.index in self.pads and self.uses[x.index] == 1 and o["padding"] == "VALID":
            source, pad_node, pads = self.pads.pop(x.index)
            if len(source.shape) == 4 and not any(pads[0]) and not any(pads[3]):
                x, pad = source, (pads[1][0], pads[2][0])  # outside of the picture is the zero point anyway
            else:
                self._pad(pad_node, source, x, pads)
                pad = (0, 0)
        else:
            pad = tuple(
                _same_pad(n, m, k, s, d) if o["padding"] == "SAME" else 0
                for n, m, k, s, d in zip(x.shape[1:3], out, kernel, stride, dilation)
            )
        depthwise = kind == "depthwise"
        sums = rows.astype(np.int64).sum(axis=0 if depthwise else 1)
        reach = 128 * np.abs(rows.astype(np.int64)).sum(axis=0 if depthwise else 1)
        scales = weights.scales.astype(np.float64)
        factors = x.scale * np.broadcast_to(scales, len(bias)) / y.scale
        channels = pack_channels(bias - x.zero_point * sums, factors)
        inputs = _hwc(node, x)
        params = [0, 0]
        if depthwise:
            multiplier = out[2] // inputs[2]
            params = [(kernel[0] - 1) * dilation[0] + 1 if self.ring else 0, multiplier]
        self._add(
            node,
            Step(
                kind,
                node.name,
                [self._read(node, x)],
                self._write(y),
                inputs,
                out,
                kernel,
                stride,
                dilation,
                pad,
                (x.zero_point, 0, y.zero_point),
                fixed.activation_range(self._activation(node), y.scale, y.zero_point),
                pack_depthwise(rows) if depthwise else pack_conv(rows),
                channels,
                params,
                FLAG_SIMPLE if simple_requantisation(channels, reach) else 0,
                macs=out[0] * out[1] * rows.size,
            ),
        )

    def _activation(self, node: Node) -> str:
        activation = node.options.get("activation", "NONE")
        if activation not in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"):
            refuse(node, f"its fused activation is {activation}")
        return activation

    def op_fully_connected(self, node: Node) -> None:
        weights, bias = self._weights(node)
        x, y = node.inputs[0], node.outputs[0]
        rows = weights.data.reshape(weights.shape[0], -1)
        out_c, depth = rows.shape
        if x.size % depth or x.size // depth * out_c != y.size or node.options.get("weightsFormat", 0):
            refuse(node, f"it turns {x.shape} into {y.shape} by weights of {weights.shape}")
        factors = x.scale * np.broadcast_to(weights.scales.astype(np.float64), out_c) / y.scale
        sums = rows.astype(np.int64).sum(axis=1)
        channels = pack_channels(bias - x.zero_point * sums, factors)
        count = x.size // depth
        self._add(
            node,
            Step(
                "dense",
                node.name,
                [self._read(node, x)],
                self._write(y),
                (count, 1, depth),
                (count, 1, out_c),
                zeros=(x.zero_point, 0, y.zero_point),
                clamp=fixed.activation_range(self._activation(node), y.scale, y.zero_point),
                data=pack_dense(rows),
                channels=channels,
                flags=FLAG_SIMPLE
                if simple_requantisation(channels, 128 * np.abs(rows.astype(np.int64)).sum(axis=1))
                else 0,
                macs=count * rows.size,
            ),
        )

    # -- pooling and means

    def _pool(self, node: Node, kind: str) -> None:
        x, y, o = node.inputs[0], node.outputs[0], node.options
        kernel, stride = (int(o["filterHeight"]), int(o["filterWidth"])), (int(o["strideH"]), int(o["strideW"]))
        inputs, out = _hwc(node, x), _hwc(node, y)
        same = o["padding"] == "SAME"
        pad = tuple(_same_pad(n, m, k, s, 1) if same else 0 for n, m, k, s in zip(inputs, out, kernel, stride))
        clamp = fixed.activation_range(self._activation(node), y.scale, y.zero_point)
        source = self._read(node, x)
        self._add(
            node, Step(kind, node.name, [source], self._write(y), inputs, out, kernel, stride, (1, 1), pad, clamp=clamp)
        )

    def op_average_pool_2d(self, node: Node) -> None:
        self._pool(node, "average_pool")

    def op_max_pool_2d(self, node: Node) -> None:
        self._pool(node, "max_pool")

    def _reduced(self, node: Node) -> tuple[int, int, int]:
        """(outer, reduced, inner) sizes of a reduction over neighbouring axes."""
        x, axes = node.inputs[0], node.inputs[1]
        if axes is None or axes.data is None:
            refuse(node, "its axes are not constants")
        rank = len(x.shape)
        chosen = {int(a) % rank for a in np.ravel(axes.data)}
        chosen |= {a for a in range(rank) if x.shape[a] == 1 and chosen and min(chosen) < a < max(chosen)}
        chosen = {a for a in chosen if x.shape[a] != 1} or {0}
        first, last = min(chosen), max(chosen)
        if len(chosen) != len([a for a in range(first, last + 1) if x.shape[a] != 1 or a in chosen]):
            refuse(node, f"it reduces axes {sorted(chosen)}, which are not neighbours")
        sizes = [int(np.prod(x.shape[a:b])) for a, b in ((0, first), (first, last + 1), (last + 1, rank))]
        return sizes[0], sizes[1], sizes[2]

    def op_mean(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        outer, count, inner = self._reduced(node)
        multiplier, shift = fixed.quantize_multiplier(x.scale / y.scale)
        # 1 / count goes into the multiplier, with as many bits as the reference gives it.
        extra = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << extra) // count, shift - extra
        source = self._read(node, x)
        self._add(
            node,
            Step(
                "mean",
                node.name,
                [source],
                self._write(y),
                (outer, count, inner),
                (outer, 1, inner),
                zeros=(x.zero_point, 0, y.zero_point),
                params=[multiplier, shift, -x.zero_point * count],
            ),
        )

    def op_reduce_max(self, node: Node) -> None:
        outer, count, inner = self._reduced(node)
        self._same_scale(node)
        source = self._read(node, node.inputs[0])
        shape = (outer * count, 1, inner)
        self._add(
            node,
            Step(
                "max_pool",
                node.name,
                [source],
                self._write(node.outputs[0]),
                shape,
                (outer, 1, inner),
                (count, 1),
                (count, 1),
                (1, 1),
            ),
        )

    def _same_scale(self, node: Node) -> None:
        y = node.outputs[0]
        for x in node.inputs:
            if x is not None and x.dtype == "INT8" and (x.scale != y.scale or x.zero_point != y.zero_point):
                refuse(node, "its inputs and its output have different scales")

    # -- activations: functions of one value

    def _unary(self, node: Node, table: np.ndarray) -> None:
        source = self._read(node, node.inputs[0])
        self._table(node, source, self._write(node.outputs[0]), _flat(node, node.outputs[0]), table)

    def op_softmax(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        if y.scale != 1 / 256 or y.zero_point != -128:
            refuse(node, f"its output has scale {y.scale:g} and zero point {y.zero_point}, expected 1/256 and -128")
        depth = x.shape[-1]
        table = fixed.softmax_table(x.scale, float(np.float32(node.options.get("beta", 1.0))))
        shape = (x.size // depth, 1, depth)
        source = self._read(node, x)
        data = table.astype("<i4").tobytes()
        self._add(
            node, Step("softmax", node.name, [source], self._write(y), shape, shape, data=data, params=[len(table)])
        )

    def op_quantize(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        if x.scale == y.scale and x.zero_point == y.zero_point:
            return self._rename(node)
        factor = fixed.quantize_multiplier(x.scale / y.scale)
        self._unary(node, fixed.rescale_table(*factor, x.zero_point, y.zero_point))

    def op_relu(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        factor = fixed.quantize_multiplier(x.scale / y.scale)
        self._unary(node, fixed.rescale_table(*factor, x.zero_point, y.zero_point, max(-128, y.zero_point)))

    def op_relu6(self, node: Node) -> None:
        x = node.inputs[0]
        low, high = fixed.activation_range("RELU6", x.scale, x.zero_point)
        self._unary(node, fixed.table(lambda v: fixed.clamp(v, low, high)))

    def op_leaky_relu(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        alpha = np.float32(node.options.get("alpha", 0.0))
        if alpha < 0:
            refuse(node, f"its slope is {alpha}, below zero")
        up = fixed.quantize_multiplier(x.scale / y.scale)
        down = fixed.quantize_multiplier(x.scale * float(alpha) / y.scale)
        self._unary(node, fixed.leaky_table(up, down, x.zero_point, y.zero_point))

    def op_elu(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        self._unary(node, fixed.elu_table(x.scale, x.zero_point, y.scale, y.zero_point))

    def op_hard_swish(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        if x.scale / 128 > y.scale:
            refuse(node, f"its scale rises from {x.scale:g} to {y.scale:g}")
        self._unary(node, fixed.hard_swish_table(x.scale, x.zero_point, y.scale, y.zero_point))

    def op_logistic(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        if y.scale != 1 / 256 or y.zero_point != -128:
            refuse(node, f"its output has scale {y.scale:g} and zero point {y.zero_point}, expected 1/256 and -128")
        self._unary(node, fixed.logistic_table(x.scale, x.zero_point))

    def op_tanh(self, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        if y.scale != 1 / 128 or y.zero_point != 0:
            refuse(node, f"its output has scale {y.scale:g} and zero point {y.zero_point}, expected 1/128 and 0")
        self._unary(node, fixed.tanh_table(x.scale, x.zero_point))

    # -- two inputs

    def _binary(self, node: Node, kind: str, flags: int = 0) -> None:
        a, b, y = node.inputs[0], node.inputs[1], node.outputs[0]
        if a.index not in self.place and a.index not in self.pads or a.size < b.size:
            if flags:
                refuse(node, "it takes the larger tensor from the smaller one, or from a constant")
            a, b = b, a
        if b.dtype != "INT8" or len(b.scales) != 1:
            refuse(node, "its second input is not int8 with one scale")
        trailing = tuple(n for n in b.shape)
        while trailing and trailing[0] == 1:
            trailing = trailing[1:]
        if a.size != y.size or (trailing and tuple(a.shape[-len(trailing) :]) != trailing):
            refuse(node, f"it stretches {b.shape} over {a.shape}")
        constant = b.data is not None
        inputs = [self._read(node, a)] + ([] if constant else [self._read(node, b)])
        if kind == "add":
            twice = 2 * max(a.scale, b.scale)
            factors = (a.scale / twice, b.scale / twice, twice / (2**20 * y.scale))
        else:
            factors = (a.scale * b.scale / y.scale,)
        params = [n for factor in factors for n in fixed.quantize_multiplier(factor)]
        params += [0] * (6 - len(params)) + [b.size]
        self._add(
            node,
            Step(
                kind,
                node.name,
                inputs,
                self._write(y),
                _flat(node, y),
                _flat(node, y),
                zeros=(a.zero_point, b.zero_point, y.zero_point),
                clamp=fixed.activation_range(self._activation(node), y.scale, y.zero_point),
                data=b.data.tobytes() if constant else b"",
                params=params,
                flags=flags | (FLAG_CONST if constant else 0),
            ),
        )

    def op_add(self, node: Node) -> None:
        self._binary(node, "add")

    def op_sub(self, node: Node) -> None:
        self._binary(node, "add", FLAG_SUBTRACT)

    def op_mul(self, node: Node) -> None:
        self._binary(node, "mul")

    # -- moving

    def op_pad(self, node: Node) -> None:
        x, y, amounts = node.inputs[0], node.outputs[0], node.inputs[1]
        if amounts is None or amounts.data is None:
            refuse(node, "its widths are not constants")
        pads = tuple((int(a), int(b)) for a, b in amounts.data.reshape(-1, 2))
        if len(x.shape) > 4 or (len(x.shape) == 4 and any(pads[0])):
            refuse(node, f"it pads {pads}, which the engine can't")
        self._read(node, x)
        if node.kind == "PAD" and x.scale == y.scale and x.zero_point == y.zero_point:
            self.pads[y.index] = (x, node, pads)  # a convolution may do it for nothing
        else:
            self._pad(node, x, y, pads)

    op_padv2 = op_pad

    def _pad(self, node: Node, x: Tensor, y: Tensor, pads) -> None:
        value = y.zero_point
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            if node.inputs[2].data is None:
                refuse(node, "its value is not a constant")
            value = int(np.ravel(node.inputs[2].data)[0])
        before = [p[0] for p in pads][-3:]
        before = [0] * (3 - len(before)) + before
        shapes = [(1, 1, 1, *t.shape)[-3:] for t in (x, y)]
        source = self._read(node, x)
        self._add(
            node,
            Step(
                "pad",
                node.name,
                [source],
                self._write(y),
                shapes[0],
                shapes[1],
                pad=(before[0], before[1]),
                zeros=(x.zero_point, 0, value),
                params=[before[2]],
            ),
        )

    def op_concatenation(self, node: Node) -> None:
        self._same_scale(node)
        self._activation(node)
        y = node.outputs[0]
        axis = int(node.options["axis"]) % len(y.shape)
        outer = int(np.prod(y.shape[:axis]))
        after = int(np.prod(y.shape[axis + 1 :]))
        sources = [self._read(node, x) for x in node.inputs]
        output, offset = self._write(y), 0
        for x, source in zip(node.inputs, sources):
            shape = (outer, x.shape[axis], after)
            size = x.shape[axis] * after
            step = Step("copy", node.name, [source], output, shape, shape, params=[size, y.shape[axis] * after])
            step.out_offset = offset
            offset += size
            self._add(node, step)


def _same_pad(size: int, out: int, kernel: int, stride: int, dilation: int) -> int:
    """Rows before the picture for 'same' padding: the smaller half of what is missing."""
    return max(0, ((out - 1) * stride + (kernel - 1) * dilation + 1 - size) // 2)


def _hwc(node: Node, tensor: Tensor) -> tuple[int, int, int]:
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        refuse(node, f"a tensor has shape {tensor.shape}, expected (1, height, width, channels)")
    return tensor.shape[1], tensor.shape[2], tensor.shape[3]


def _flat(node: Node, tensor: Tensor) -> tuple[int, int, int]:
    """A shape of the same size with no side beyond 16 bits."""
    if tensor.size <= _LIMIT:
        return 1, 1, tensor.size
    last = tensor.shape[-1]
    rest = tensor.shape[-2] if len(tensor.shape) > 1 else 1
    return tensor.size // (last * rest), rest, last
