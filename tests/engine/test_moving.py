"""Operations that move values, with all their options, against TensorFlow Lite Micro."""

import itertools

import numpy as np
import pytest
from builder import Net, S
from golden import agree, tflm

from tinykit.engine import Runtime
from tinykit.engine.costs import run_on_core
from tinykit.errors import UnsupportedOp


def transposed(net, order):
    return net.op("TRANSPOSE", [net.last, net.ints(order)], net.like([net.shape[a] for a in order]))


def strided(net, begin, end, step, shape, **masks):
    options = S.StridedSliceOptionsT()
    for name, value in masks.items():
        setattr(options, name, value)
    ints = [net.ints(values) for values in (begin, end, step)]
    return net.op("STRIDED_SLICE", [net.last, *ints], net.like(shape), options)


def sliced(net, begin, size):
    shape = [n - b if s == -1 else s for n, b, s in zip(net.shape, begin, size, strict=True)]
    return net.op("SLICE", [net.last, net.ints(begin), net.ints(size)], net.like(shape), S.SliceOptionsT())


def resized(net, height, width, align_corners=False, half_pixel_centers=False):
    options = S.ResizeNearestNeighborOptionsT()
    options.alignCorners, options.halfPixelCenters = align_corners, half_pixel_centers
    y = net.like((1, height, width, net.shape[3]))
    return net.op("RESIZE_NEAREST_NEIGHBOR", [net.last, net.ints([height, width])], y, options)


def split(net, axis, sizes, ints=None):
    """The outputs' numbers; SPLIT_V if sizes are given as ``ints``."""
    shapes = [[n if a == axis % len(net.shape) else m for a, m in enumerate(net.shape)] for n in sizes]
    outputs = [net.like(shape) for shape in shapes]
    if ints is None:
        options = S.SplitOptionsT()
        options.numSplits = len(sizes)
        net.op("SPLIT", [net.ints(axis, ()), net.last], outputs, options)
    else:
        options = S.SplitVOptionsT()
        options.numSplits = len(sizes)
        net.op("SPLIT_V", [net.last, net.ints(ints), net.ints(axis, ())], outputs, options)
    return outputs


def kinds(plan):
    return [step.kind for step in plan.steps]


@pytest.mark.parametrize("order", [(0, *o) for o in itertools.permutations((1, 2, 3))])
@pytest.mark.parametrize("shape", [(1, 5, 4, 3), (1, 1, 7, 6), (1, 8, 1, 9)])
def test_transpose(order, shape):
    rng = np.random.default_rng(sum(shape))
    plan = agree(transposed(Net(rng, shape), order).bytes(), rng)
    stays = [a for a in order if shape[a] != 1] == sorted(a for a in order if shape[a] != 1)
    assert len(plan.steps) == 1
    if stays:  # renaming: the one copy is there so that a plan has a step
        assert plan.arena_bytes == -(-np.prod(shape) // 16) * 16


@pytest.mark.parametrize("seed", range(12))
def test_transpose_of_five_axes(seed):
    rng = np.random.default_rng(100 + seed)
    net = Net(rng, (1, *rng.integers(1, 6, 4)))
    order = [0, *(1 + rng.permutation(4))]
    agree(transposed(net, [int(a) for a in order]).bytes(), rng)


@pytest.mark.parametrize("dtype", ["INT16", "FLOAT32"])
@pytest.mark.parametrize("order", [(0, 2, 1), (0, 1, 2)])
def test_values_of_several_bytes(dtype, order):
    """The same moves, values of two and four bytes; joined with themselves."""
    rng = np.random.default_rng(3)
    net = transposed(Net(rng, (1, 5, 6)), order)
    sliced(net, [0, 1, 2], [1, -1, 3]).concat([net.last], 1)
    activations = [net.input, *(op.outputs[0] for op in net.operators)]
    for index in activations:
        net.retype(index, dtype)
    network = net.bytes()
    kind = np.int16 if dtype == "INT16" else np.float32
    x = rng.integers(-30000, 30000, (6, 5, 6)).astype(kind)
    mine, theirs = Runtime(network).run(x), tflm(network, x)
    assert mine.dtype == kind and np.array_equal(mine, theirs.reshape(mine.shape))


@pytest.mark.parametrize("seed", range(40))
def test_strided_slice(seed):
    """Any begin, end and step, also from behind and beyond the ends, with masks, and axes that go."""
    rng = np.random.default_rng(200 + seed)
    net = Net(rng, (1, *rng.integers(2, 9, int(rng.integers(1, 4)))))
    rank, masks = len(net.shape), {"beginMask": 0, "endMask": 0, "shrinkAxisMask": 0}
    begin, end, step, shape = [0], [1], [1], [1]
    for axis, n in enumerate(net.shape[1:], 1):
        while True:
            b, e = (int(v) for v in rng.integers(-n - 2, n + 3, 2))
            s = int(rng.choice([1, 1, 2, 3, -1, -2, -3]))
            no_begin, no_end, shrink = (rng.random(3) < (0.25, 0.25, 0.15)).tolist()
            if shrink:
                b, e, s, no_begin, no_end, count = b % n, b % n + 1, 1, False, False, 1
            else:
                count = len(range(n)[slice(None if no_begin else b, None if no_end else e, s)])
            if count:
                break
        for name, on in zip(masks, (no_begin, no_end, shrink), strict=True):
            masks[name] |= on << axis
        begin, end, step = [*begin, b], [*end, e], [*step, s]
        shape += [] if shrink else [count]
    assert len(begin) == rank
    agree(strided(net, begin, end, step, shape, **masks).bytes(), rng)


@pytest.mark.parametrize(
    "begin, size", [((0, 2, 0, 1), (1, 3, 4, 2)), ((0, 0, 1, 3), (1, -1, 2, -1)), ((0, 1, 0, 0), (1, 2, -1, -1))]
)
def test_slice(begin, size):
    rng = np.random.default_rng(4)
    agree(sliced(Net(rng, (1, 6, 4, 5)), begin, size).bytes(), rng)


def test_slice_in_one_piece_is_no_step():
    rng = np.random.default_rng(5)
    net = Net(rng, (1, 6, 4, 5)).conv(4, (1, 1))
    plan = agree(sliced(net, (0, 2, 0, 0), (1, 3, -1, -1)).conv(3, (1, 1)).bytes(), rng)
    assert not {"copy", "pad"} & set(kinds(plan))


@pytest.mark.parametrize("axis, sizes", [(1, (3, 3)), (3, (2, 2, 2)), (-2, (1, 1, 1, 1)), (1, (6,))])
@pytest.mark.parametrize("wanted", [0, -1])
def test_split(axis, sizes, wanted):
    rng = np.random.default_rng(6)
    net = Net(rng, (1, 6, 4, 6))
    net.last = split(net, axis, sizes)[wanted]
    agree(net.bytes(), rng)


@pytest.mark.parametrize("axis, sizes, ints", [(1, (1, 4, 2), (1, 4, 2)), (2, (3, 1), (3, 1)), (-1, (5, 1), (5, -1))])
def test_split_v(axis, sizes, ints):
    rng = np.random.default_rng(7)
    net = Net(rng, (1, 7, 4, 6))
    outputs = split(net, axis, sizes, ints)
    net.last = outputs[0]
    net.concat(outputs[1:], axis)
    agree(net.bytes(), rng)


def test_parts_of_one_tensor_are_read_where_they_lie():
    """Gate and value from two halves of the same tensor; the answer must not be written over a half still needed."""
    rng = np.random.default_rng(8)
    net = Net(rng, (1, 6, 8)).reshape((1, 6, 1, 8)).conv(8, (1, 1))
    value, gate = split(net, 1, (3, 3))
    net.last = gate
    net.unary("LOGISTIC", 1 / 256, -128)
    plan = agree(net.binary("MUL", value).bytes(), rng)
    assert "copy" not in kinds(plan)


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_concatenation_with_a_constant(axis):
    rng = np.random.default_rng(9)
    net = Net(rng, (1, 3, 4, 5))
    fixed = net.like((1, 3, 4, 5))
    net.tensors[fixed].buffer = len(net.buffers)
    net.buffers.append(S.BufferT())
    net.buffers[-1].data = rng.integers(0, 256, 60).astype(np.uint8)
    agree(net.concat([fixed, net.input], axis).bytes(), rng)


def test_concatenation_of_other_scales_is_refused():
    """As tflite-micro does: its int8 kernel only copies."""
    rng = np.random.default_rng(10)
    net = Net(rng, (1, 3, 4), scale=0.1)
    net.unary("RELU", 0.2)
    with pytest.raises(UnsupportedOp, match="CONCATENATION.*different scales"):
        Runtime(net.concat([net.input], 1).bytes())


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_pack(axis):
    rng = np.random.default_rng(11)
    net = Net(rng, (1, 3, 4))
    start, shape = net.last, [1, 3, 4]
    net.unary("RELU", same=True)
    shape.insert(axis if axis >= 0 else axis + 4, 3)
    options = S.PackOptionsT()
    options.axis, options.valuesCount = axis, 3
    agree(net.op("PACK", [net.last, start, net.last], net.like(shape), options).bytes(), rng)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_unpack(axis):
    rng = np.random.default_rng(12)
    net = Net(rng, (1, 3, 4, 5))
    shape = [n for a, n in enumerate(net.shape) if a != axis % 4]
    options = S.UnpackOptionsT()
    options.axis, options.num = axis, net.shape[axis]
    outputs = [net.like(shape) for _ in range(options.num)]
    net.op("UNPACK", [net.last], outputs, options)
    net.last = outputs[1]
    agree(net.concat([outputs[-1], outputs[0]], 1).bytes(), rng)


@pytest.mark.parametrize("amounts", [[(0, 0), (1, 0), (0, 3)], [(0, 0), (0, 2)], [(0, 0), (1, 2), (0, 0), (3, 1)],
                                     [(0, 0), (1, 1), (2, 0), (0, 1), (1, 0)]])  # fmt: skip
@pytest.mark.parametrize("zero", [-128, 127, 5])
def test_pad_along_any_axes(amounts, zero):
    rng = np.random.default_rng(13)
    net = Net(rng, (1, 4, 3, 5, 2)[: len(amounts)], zero=zero)
    agree(net.pad(amounts).bytes(), rng)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("depthwise", [None, 1])
def test_pad_before_a_convolution_of_one_dimension(axis, depthwise):
    """Causal padding in front of a Conv1D costs nothing, whichever way the file turns it into a CONV_2D."""
    rng = np.random.default_rng(20)
    net = Net(rng, (1, 14, 3)).pad([(0, 0), (4, 0), (0, 0)])
    shape, kernel = ((1, 1, 18, 3), (1, 3)) if axis == 1 else ((1, 18, 1, 3), (3, 1))
    dilation = tuple(2 if n == 3 else 1 for n in kernel)
    plan = agree(net.reshape(shape).conv(5, kernel, (1, 1), dilation, "VALID", depthwise=depthwise).bytes(), rng)
    assert len(plan.steps) == 1


@pytest.mark.parametrize("value", [-128, -1, 0, 127])
def test_pad_with_a_value(value):
    rng = np.random.default_rng(14)
    net = Net(rng, (1, 4, 3, 5)).pad([(0, 0), (1, 2), (0, 1), (2, 0)])
    q = net.tensors[net.last].quantization
    fixed = net.tensor([1], S.TensorType.INT8, q.scale, q.zeroPoint, np.array([value], np.int8))
    net.operators[-1].inputs = np.append(net.operators[-1].inputs, fixed).astype(np.int32)
    net.codes[-1].builtinCode = net.codes[-1].deprecatedBuiltinCode = S.BuiltinOperator.PADV2
    net.operators[-1].builtinOptions, net.operators[-1].builtinOptionsType = S.PadV2OptionsT(), 49
    agree(net.bytes(), rng)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize(
    "amounts", [[(0, 0), (2, 1), (1, 2), (0, 0)], [(0, 0), (0, 3), (0, 0), (2, 0)], [(0, 0), (1, 1), (0, 2), (1, 1)]]
)
def test_mirror_pad(mode, amounts):
    rng = np.random.default_rng(15)
    net = Net(rng, (1, 4, 3, 5))
    shape = [n + a + b for n, (a, b) in zip(net.shape, amounts, strict=True)]
    options = S.MirrorPadOptionsT()
    options.mode = mode
    net.op("MIRROR_PAD", [net.last, net.ints(np.ravel(amounts), (4, 2))], net.like(shape), options)
    agree(net.bytes(), rng)


@pytest.mark.parametrize("modes", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("seed", range(8))
def test_resize_nearest(modes, seed):
    rng = np.random.default_rng(300 + seed)
    net = Net(rng, (1, *(int(n) for n in rng.integers(1, 9, 3))))
    agree(resized(net, *(int(n) for n in rng.integers(1, 21, 2)), *modes).bytes(), rng)


@pytest.mark.parametrize("modes", [(False, False), (True, False), (False, True), (True, True)])
def test_resize_every_size(modes):
    """Where rounding in float32 decides: one line to every length."""
    rng = np.random.default_rng(16)
    for out in range(1, 60, 3):
        net = resized(Net(rng, (1, 1, 19, 1)), 1, out, *modes)
        agree(net.bytes(), rng, 4)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_gather_and_reverse(axis):
    rng = np.random.default_rng(17)
    net = Net(rng, (1, 4, 5, 6))
    places = [3, 0, 0, 2, 1]
    shape = list(net.shape)
    shape[axis] = 5
    options = S.GatherOptionsT()
    options.axis = axis
    net.op("GATHER", [net.last, net.ints(places)], net.like(shape), options)
    net.op("REVERSE_V2", [net.last, net.ints([axis % 4])], net.like(net.shape), S.ReverseV2OptionsT())
    agree(net.bytes(), rng)


def test_gather_outside_is_refused():
    net = Net(np.random.default_rng(0), (1, 4, 5))
    net.op("GATHER", [net.last, net.ints([4])], net.like((1, 1, 5)), S.GatherOptionsT())
    net.operators[-1].builtinOptions.axis = 1
    with pytest.raises(UnsupportedOp, match=r"GATHER: it takes places \[4\] of 4"):
        Runtime(net.bytes())


def test_cuts_of_cuts_are_one_copy():
    rng = np.random.default_rng(18)
    net = Net(rng, (1, 6, 8, 4))
    transposed(net, (0, 2, 1, 3))
    strided(net, [0, 7, 0, 0], [1, 1, 6, 4], [1, -2, 2, 1], (1, 3, 3, 4))
    sliced(net, (0, 0, 1, 0), (1, 3, 2, 3))
    plan = agree(net.reshape((1, 18)).bytes(), rng)
    assert kinds(plan) == ["copy"]


def test_interleaving_is_one_copy():
    """UpSampling1D, as Keras writes it: split into steps, each joined twice."""
    rng = np.random.default_rng(19)
    net = Net(rng, (1, 5, 3))
    pieces = split(net, 1, (1,) * 5)
    net.last = pieces[0]
    net.concat([p for p in pieces for _ in range(2)][1:], 1)
    plan = agree(net.bytes(), rng)
    assert kinds(plan) == ["copy"]


@pytest.mark.parametrize("seed", range(6))
def test_on_the_core(seed):
    """The same C compiled for the Cortex-M4F."""
    rng = np.random.default_rng(400 + seed)
    net = Net(rng, (1, 6, 5, 7))
    transposed(net, (0, *(int(a) + 1 for a in rng.permutation(3))))
    resized(net, 7, 9, bool(seed % 2))
    net.pad([(0, 0), (1, 0), (2, 1), (0, 1)])
    strided(net, [0, -1, 0, 0], [1, 0, 99, 99], [1, -2, 1, 3], (1, 4, 12, -(-net.shape[3] // 3)), endMask=1)
    start = net.last
    transposed(net, (0, 2, 1, 3))
    transposed(net, (0, 2, 1, 3))
    net.concat([start], 3)
    engine = Runtime(net.bytes())
    x = rng.integers(-128, 128, (2, *engine.plan.input_shape)).astype(np.int8)
    mine = engine.run(x)
    assert np.array_equal(mine, tflm(net.bytes(), x).reshape(mine.shape))
    for one, answer in zip(x, mine, strict=True):
        assert np.array_equal(run_on_core(engine.plan, one)[0], answer)
