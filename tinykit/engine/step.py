"""One operation of a plan, before it has a place in memory; and how close input and output may lie."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Numbers of hardware/TinyKit/src/tk_plan.h (enum tk_kind); a test holds the two together.
KINDS = {
    "conv": 1, "depthwise": 2, "dense": 3, "average_pool": 4, "max_pool": 5, "mean": 6,
    "softmax": 7, "add": 8, "mul": 9, "table": 10, "pad": 11, "copy": 12,
    "conv_1x1": 13, "conv_plain": 14, "dense_plain": 15,
    "depthwise_3x3": 23, "depthwise_3x3_2": 24, "depthwise_lines": 25, "depthwise_lines_2": 26,
    "pick": 31, "argmax": 32, "rescale": 33, "quantize": 34, "dequantize": 35,
    "broadcast_add": 48, "broadcast_mul": 49, "squared_difference": 50, "maximum": 51, "minimum": 52,
    "prelu": 53, "softmax_16": 54, "batch_matmul": 56, "batch_matmul_16": 57, "svdf": 58, "svdf_16": 59, "lstm": 60,
    "lstm_16": 61, "state": 47,
}  # fmt: skip
FLAG_SIMPLE, FLAG_CONST, FLAG_SUBTRACT = 1, 2, 4
FLAG_VALUES = 512
FLAG_EACH_RUN, FLAG_TURN_A, FLAG_TURN_B = 0x1000, 0x2000, 0x4000

CHANNEL = np.dtype([("bias", "<i4"), ("multiplier", "<i4"), ("offset", "<i4"), ("shift", "<i4")])


@dataclass(eq=False)
class Step:
    """One operation: an op record of the plan, in the making.

    Parameters
    ----------
    kind : str
        A key of ``KINDS``.
    name : str
        The layer's name, for people.
    inputs : list of int
        Buffers that it reads (at most two).
    output : int
        Buffer that it writes.
    in_shape, out_shape : tuple of int
        (height, width, channels); what they mean is said in the kernel's C file.
    """

    kind: str
    name: str
    inputs: list[int]
    output: int
    in_shape: tuple[int, int, int]
    out_shape: tuple[int, int, int]
    kernel: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (0, 0)
    pad: tuple[int, int] = (0, 0)
    zeros: tuple[int, int, int] = (0, 0, 0)  # of first input, second input, output
    clamp: tuple[int, int] = (-128, 127)
    data: bytes = b""
    channels: np.ndarray | None = None  # CHANNEL records
    params: list[int] = field(default_factory=list)
    flags: int = 0
    in_offsets: tuple[int, ...] = ()  # bytes into each input's buffer (``Lowering.add`` sets them)
    out_offset: int = 0  # bytes into the output buffer (joining)
    in_size: int = 1  # bytes of one value of the first input
    out_size: int = 1  # and of the output
    scratch: int = 0  # bytes of memory for this step alone, as its kernel's check wants them
    over: int = 0  # bytes that it may read behind its first input
    clear: int | None = None  # ``clearance``, where the lowering says it
    again: bool = False  # the second input's values are read again and again
    grain: int = 1  # an output that overlaps the input begins a multiple of so many bytes before it
    macs: int = 0

    @property
    def in_bytes(self) -> int:
        """What a kernel may read of its first input, over-reading by fours included."""
        h, w, c = self.in_shape
        return h * w * c * self.in_size + self.over

    @property
    def out_bytes(self) -> int:
        h, w, c = self.out_shape
        return h * w * c * self.out_size

    @property
    def scratch_bytes(self) -> int:
        """As the kernels' checks want it."""
        taps, depth = self.kernel[0] * self.kernel[1], self.in_shape[2]
        if self.kind == "depthwise":
            rows = self.params[0]
            ring = _up(rows * self.in_shape[1] * depth, 4) + (4 if rows else 0)
            return 4 * taps + _up(depth, 4) + ring
        return self.scratch

    def keep_rows(self, keep: bool) -> None:
        """Depthwise: copy input rows into scratch before they are needed, so that the output may
        be written onto them; or read the input where it is."""
        self.params[0] = (self.kernel[0] - 1) * self.dilation[0] + 1 if keep else 0

    def clearance(self) -> int | None:
        """How many bytes before its input the output must begin, if they share memory.

        0: it may be written right onto the input. ``None``: they must not overlap at all.
        Kernels go forward; an output byte may only be written over input that is no longer needed.
        """
        c_in, c_out = self.in_shape[2], self.out_shape[2]
        if self.kind in ("table", "add", "mul", "softmax", "mean"):
            return 0
        if self.kind in ("average_pool", "max_pool"):
            lag = np.arange(len(self.first_needed())) - self.first_needed()
            return max(0, int(lag.max()) * c_in)
        if self.kind == "depthwise":
            if self.params[0]:
                return self._ring_clearance()
            needed = self.first_needed()
            here = np.arange(len(needed))
            if c_in == c_out:
                return max(0, int((here - needed).max()) * c_in)
            return max(0, int(((here + 1) * c_out - needed * c_in).max()))
        return self.clear

    def first_needed(self) -> np.ndarray:
        """For each output pixel: the first input pixel that it or a later one still reads."""
        (_, w, _), (oh, ow, _) = self.in_shape, self.out_shape
        y = np.maximum(0, np.arange(oh) * self.stride[0] - self.pad[0])
        x = np.maximum(0, np.arange(ow) * self.stride[1] - self.pad[1])
        first = (y[:, None] * w + x[None, :]).ravel()
        return np.minimum.accumulate(first[::-1])[::-1]

    def _ring_clearance(self) -> int:
        (h, w, c_in), (oh, ow, c_out) = self.in_shape, self.out_shape
        rows = np.arange(oh)
        copied = rows * self.stride[0] - self.pad[0] + (self.kernel[0] - 1) * self.dilation[0] + 1
        copied = np.clip(copied, 0, h)
        ahead = (rows + 1) * ow * c_out - copied * w * c_in
        ahead = ahead[copied < h]
        return max(0, int(ahead.max())) if len(ahead) else 0


def _up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple
