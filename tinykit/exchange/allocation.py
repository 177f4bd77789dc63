"""How much RAM TensorFlow Lite Micro wants for a network: asked of itself where it is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import util

from ..engine.tflite import Network

_ROOM = 4_000_000  # for asking: more than any board has
_MARGIN = 1024
# In a process of its own: the report goes to its standard error, and a network that it can't run ends it.
_ASK = """
import sys
import numpy
from tflite_micro.python.tflite_micro import runtime
interpreter = runtime.Interpreter.from_bytes(sys.stdin.buffer.read(), arena_size=int(sys.argv[1]))
about = interpreter.get_input_details(0)
interpreter.set_input(numpy.zeros(about["shape"], about["dtype"]), 0)
interpreter.invoke()
interpreter.print_allocations()
"""


@dataclass(frozen=True)
class Allocation:
    """The arena of a network in TensorFlow Lite Micro.

    Parameters
    ----------
    bytes : int
        What a program should give it.
    source : str
        Where the number is from, in words.
    reported : int or None
        tflite-micro's own sum on this computer, where pointers are twice as long as on a board.
    """

    bytes: int
    source: str
    reported: int | None = None


def allocation(model: bytes, network: Network) -> Allocation:
    """The arena that a network needs on a board: reported, else an upper bound.

    The report is that of the reference kernels; those for the Cortex-M want working memory of their own
    on top, which is added, and a kilobyte.
    """
    extra = sum(_working_bytes(node) for node in network.nodes)
    total = reported(model)
    if total is None:
        return Allocation(_up(_bound(network) + extra + _MARGIN), "an upper bound: tflite-micro is not installed here")
    return Allocation(
        _up(total + extra + _MARGIN),
        f"tflite-micro's report ({total:,}), working memory of the Cortex-M kernels ({extra:,}), {_MARGIN:,} to spare",
        total,
    )


def reported(model: bytes, arena_bytes: int = _ROOM) -> int | None:
    """Bytes of an arena that tflite-micro says it used in one run, or None: not installed, or it could not."""
    if util.find_spec("tflite_micro") is None:
        return None
    asked = [sys.executable, "-c", _ASK, str(arena_bytes)]
    try:
        done = subprocess.run(asked, input=model, capture_output=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired):
        return None
    total = re.search(rb"Arena allocation total (\d+) bytes", done.stderr)
    return int(total.group(1)) if done.returncode == 0 and total else None


def _working_bytes(node) -> int:
    """What CMSIS-NN asks for, for one operation: columns of a picture as int16, two at a time; sums."""
    if node.kind == "CONV_2D":
        _, height, width, channels = node.inputs[1].shape
        return 2 * 2 * height * width * channels
    if node.kind == "DEPTHWISE_CONV_2D":
        _, height, width, channels = node.inputs[1].shape
        return 2 * height * width * channels
    if node.kind == "AVERAGE_POOL_2D":
        return 4 * node.outputs[0].shape[-1]
    return 0


def _bound(network: Network) -> int:
    """No two tensors share memory, and every operation keeps as much as the most demanding kinds do."""
    tensors = {t.index: t for node in network.nodes for t in (*node.inputs, *node.outputs) if t is not None}
    moving = sum(_up(t.bytes) for t in tensors.values() if t.data is None)
    channels = sum(max((len(t.scales) for t in node.inputs if t is not None), default=1) for node in network.nodes)
    kept = 64 * len(tensors) + 512 * len(network.nodes) + 8 * channels
    state = sum(4 * t.size for node in network.nodes if node.kind in _REMEMBERING for t in node.outputs)
    return moving + kept + 8 * state + 2048


_REMEMBERING = ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")


def _up(size: int) -> int:
    return size + -size % 16
