"""What the host works out beforehand: arithmetic on shapes."""

import numpy as np
import pytest
from builder import Net, S
from golden import agree

from tinykit.engine.folding import fold
from tinykit.engine.tflite import Network, Node, Tensor

NO = np.zeros(0)


def known(index, values, dtype="INT32"):
    data = np.array(values, np.int32 if dtype == "INT32" else np.int64)
    return Tensor(index, f"t{index}", data.shape, dtype, NO, NO, data=data)


def result(kind, *inputs, out=(1,), dtype="INT32", **options):
    """What becomes of one operation on these values; None if it stays in the network."""
    tensors = tuple(x if isinstance(x, Tensor) else known(i, x, dtype) for i, x in enumerate(inputs))
    y = Tensor(90, "y", out, dtype, NO, NO)
    reader = Node("SOFTMAX", (y,), (y,))
    nodes = fold(Network("n", (Node(kind, tensors, (y,), options), reader), y, y)).nodes
    return None if len(nodes) > 1 else nodes[0].inputs[0].data


# By hand.
@pytest.mark.parametrize(
    "expected, kind, inputs, options",
    [
        ([2, 7], "CONCATENATION", ([2], [7]), {"axis": 0}),
        ([[1, 2], [3, 4]], "PACK", ([1, 2], [3, 4]), {"axis": 0}),
        ([1, 3, 5], "STRIDED_SLICE", ([1, 2, 3, 4, 5], [0], [5], [2]), {}),
        (4, "STRIDED_SLICE", ([1, 2, 3, 4, 5], [-2], [0], [1]), {"shrinkAxisMask": 1}),
        ([3, 4], "SLICE", ([1, 2, 3, 4, 5], [2], [2]), {}),
        ([4, 5], "SLICE", ([1, 2, 3, 4, 5], [3], [-1]), {}),
        ([5, 1], "GATHER", ([1, 2, 3, 4, 5], [4, 0]), {"axis": 0}),
        (24, "REDUCE_PROD", ([2, 3, 4], [0]), {}),
        ([9], "SUM", ([2, 3, 4], [0]), {"keepDims": True}),
        ([6, -2], "MUL", ([2, 1], [3, -2]), {}),
        ([5, -1], "ADD", ([2, 1], [3, -2]), {}),
        ([-1, 3], "SUB", ([2, 1], [3, -2]), {}),
        ([-2, 2], "FLOOR_DIV", ([-3, 5], [2, 2]), {}),
        ([3, 1], "MAXIMUM", ([2, 1], [3, -2]), {}),
        ([2, -2], "MINIMUM", ([2, 1], [3, -2]), {}),
        ([2, 2, 2], "FILL", ([3], 2), {}),
        ([1, 3, 5], "RANGE", (1, 7, 2), {}),
        ([[7, 8]], "EXPAND_DIMS", ([7, 8], 0), {}),
        ([4, 3], "BROADCAST_ARGS", ([4, 1], [3]), {}),
        ([-(2**31)], "ADD", ([2**31 - 1], [1]), {}),  # int32 wraps
    ],
)
def test_one_operation(expected, kind, inputs, options):
    made = result(kind, *inputs, **options)
    assert made.dtype == np.int32 and np.array_equal(made, np.array(expected, np.int32))
    if kind != "ADD":
        wide = result(kind, *inputs, dtype="INT64", **options)
        assert wide.dtype == np.int64 and np.array_equal(wide, np.array(expected))


def test_a_shape_is_known_though_the_tensor_is_not():
    x = Tensor(5, "x", (1, 6, 4), "INT8", NO, NO)
    assert result("SHAPE", x, out=(3,)).tolist() == [1, 6, 4] and result("RANK", x, out=()) == 3


def test_what_depends_on_the_input_stays():
    x = Tensor(5, "x", (2,), "INT32", NO, NO)
    assert result("ADD", x, known(1, [1, 2])) is None
    assert result("ARG_MAX", known(1, [1, 2]), known(2, 0)) is None
    assert result("ADD", [1], [2], activation="RELU") is None


def test_what_would_not_fit_stays():
    assert result("FILL", [1 << 20, 1 << 10], 1) is None
    assert result("RANGE", 0, 1 << 30, 1) is None


def test_a_slice_from_where_the_shape_says():
    """tflite-micro works the same begin out when it runs."""
    rng = np.random.default_rng(0)
    net = Net(rng, (1, 6, 4)).unary("RELU")
    x = net.last

    def integers(kind, inputs, shape, options):
        net.op(kind, inputs, net.tensor(shape, S.TensorType.INT32), options)
        return net.last

    shape = integers("SHAPE", [x], (3,), S.ShapeOptionsT())
    cut = S.StridedSliceOptionsT()
    cut.shrinkAxisMask = 1
    last = integers("STRIDED_SLICE", [shape, net.ints([2]), net.ints([3]), net.ints([1])], (), cut)
    less = integers("SUB", [last, net.ints(1, ())], (), S.SubOptionsT())
    pack = S.PackOptionsT()
    pack.valuesCount = 3
    begin = integers("PACK", [net.ints(0, ()), less, net.ints(1, ())], (3,), pack)
    net.last = x
    net.op("SLICE", [x, begin, net.ints([1, 3, 2])], net.like((1, 3, 2)), S.SliceOptionsT())
    plan = agree(net.bytes(), rng)
    assert [step.kind for step in plan.steps] == ["table", "copy"]
