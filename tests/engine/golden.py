"""Answers of TensorFlow Lite Micro itself: the oracle of all engine tests."""

import numpy as np
import pytest


def tflm(network: bytes, x: np.ndarray, arena: int = 600_000) -> np.ndarray:
    """Answers to examples (n, ...) by the reference kernels of the tflite-micro package; or a skip."""
    pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime",
        reason="The golden reference, tflite-micro, exists for Linux on x86-64 only.",
    )
    return answers(network, x, arena)


def answers(network: bytes, x: np.ndarray, arena: int = 600_000) -> np.ndarray:
    """The same, without the skip."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(network, arena_size=arena)
    found = []
    for example in x:
        interpreter.set_input(example[None], 0)
        interpreter.invoke()
        found.append(np.array(interpreter.get_output(0)))
    return np.stack(found)


def tensorflow(network: bytes, x: np.ndarray) -> np.ndarray:
    """By TensorFlow's own reference kernels, for what tflite-micro has not."""
    tf = pytest.importorskip("tensorflow", reason="tflite-micro has not this operation, and TensorFlow is not here.")
    kernels = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=network, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    found = []
    for example in x:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], example[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.stack(found)


def agree(network: bytes, rng, count: int = 12, extremes: bool = True):
    """Run a network both ways on random examples; returns the plan. Fails at the first difference."""
    from tinykit.engine import Runtime

    engine = Runtime(network)
    shape = (1, *engine.plan.input_shape)[1:]
    x = rng.integers(-128, 128, (count, *shape)).astype(np.int8)
    if extremes:
        x[0], x[1] = -128, 127
    # Half of the examples with little contrast: not all sums at the edge of the range.
    x[count // 2 :] //= 4
    mine, theirs = engine.run(x, reset=False), tflm(network, x)
    mine = mine.reshape(theirs.shape)
    wrong = np.argwhere(mine != theirs)
    assert not len(wrong), (
        f"{len(wrong)} of {mine.size} values differ, first at {wrong[0]}: {mine[tuple(wrong[0])]}, "
        f"reference {theirs[tuple(wrong[0])]}; {engine.plan!r}"
    )
    assert len(np.unique(theirs)) > 1 or theirs[0].size == 1, "the reference gives one value only: no test at all"
    return engine.plan
