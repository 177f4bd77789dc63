"""Depthwise convolutions: which kernel, along rows or along columns, and its constants.

The kernels that go by channel (``hardware/TinyKit/src/tk_pairs.h``) take their input line by line;
everything here is said once for lines along rows and holds, turned over, for lines along columns.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .step import FLAG_SIMPLE, Step

_GROUP = 4  # channels at a time
_MOST_WORDS = 16  # of a kernel line (tk_op_depthwise_lines.c)


def choose(step: Step, taps: np.ndarray) -> Step:
    """The same convolution by the quickest kernel that takes it.

    Parameters
    ----------
    step : Step
        Of kind ``depthwise``.
    taps : numpy.ndarray
        int8 weights, shape (kernel height * width, out channels).
    """
    if not step.flags & FLAG_SIMPLE or not _has_line_form(step):
        return step
    ways = [_Lines(step, down) for down in (False, True)]
    ways = [way for way in ways if way.possible]
    if not ways:
        return step
    way = min(ways, key=lambda way: way.cycles)
    if way.plain_cycles < way.cycles:
        return step
    return replace(
        step,
        kind=way.kind,
        data=way.pack(taps),
        params=[int(way.down), way.multiplier],
        scratch=way.scratch,
        over=way.over,
        clear=way.clear,
        grain=way.grain,
    )


def _has_line_form(step: Step) -> bool:
    """Whether the kernels by line can take the channels: with a floor all; else none with part of its bias in
    the offset (``requantisation``), as those kernels add the zero point last."""
    zero = step.zeros[2]
    if step.clamp[0] >= zero:
        return True
    multiplier, offset, shift = (step.channels[name].astype(np.int64) for name in ("multiplier", "offset", "shift"))
    usual = 64 * (1 + (1 << shift - 7)) + zero * (1 << shift)
    return bool(((multiplier == 0) | (offset == usual)).all())


class _Lines:
    """A depthwise convolution with lines along rows, or along columns (``down``)."""

    def __init__(self, step: Step, down: bool):
        def turned(pair):
            return tuple(pair[::-1]) if down else tuple(pair)

        self.down = down
        self.shape = step.kernel
        self.lines, self.count = turned(step.in_shape[:2])
        self.out_lines, self.out = turned(step.out_shape[:2])
        self.kernel_lines, self.kernel = turned(step.kernel)
        self.stride_lines, self.stride = turned(step.stride)
        self.dilation_lines, self.dilation = turned(step.dilation)
        self.pad_lines, self.pad = turned(step.pad)
        self.multiplier = step.params[1]
        self.depth, self.out_c = step.in_shape[2], step.out_shape[2]

    @property
    def square(self) -> bool:
        """Whether the kernel for 3 x 3 takes it."""
        return self.shape == (3, 3) and self.dilation == self.dilation_lines == 1

    @property
    def possible(self) -> bool:
        return self.stride in (1, 2) and (self.dilation == 1 or self.stride == 1) and self.kernel_words <= _MOST_WORDS

    @property
    def kind(self) -> str:
        return ("depthwise_3x3" if self.square else "depthwise_lines") + ("_2" if self.stride == 2 else "")

    def pack(self, taps: np.ndarray) -> bytes:
        """A channel's weights line by line; in the 3 x 3 kernel each line, else all of them, up to a multiple of 4."""
        weights = taps.reshape(*self.shape, -1).transpose((2, 1, 0) if self.down else (2, 0, 1))
        if self.square:
            weights = np.pad(weights, [(0, 0), (0, 0), (0, 1)])
        weights = weights.reshape(len(weights), -1)
        return np.pad(weights, [(0, 0), (0, -weights.shape[1] % 4)]).astype(np.int8).tobytes()

    @property
    def kernel_words(self) -> int:
        return self.kernel // 2 + 1 if self.stride == 1 else (self.kernel + 1) // 2

    @property
    def slots(self) -> int:
        """Lines in the ring."""
        return (self.kernel_lines - 1) * self.dilation_lines + 1

    @property
    def blocks(self) -> int:
        """Of four outputs in a line."""
        return -(-_up(self.out, self.dilation) // 4)

    @property
    def words(self) -> int:
        """Of a ring line."""
        if self.square:
            return -(-self.out // 2) * 2 // (3 - self.stride) + 1
        return 2 * self.stride * self.blocks + self.kernel_words - 1

    @property
    def scratch(self) -> int:
        if self.square:
            return self.words * 3 * 4 * _GROUP + 64 * _GROUP
        record = 24 + self.kernel_lines * self.kernel_words * (8 if self.stride == 1 else 4)
        return self.slots * self.words * 4 * _GROUP + 4 * self.kernel_lines + record * _GROUP

    @property
    def over(self) -> int:
        """Bytes read behind the input: four channels from the first one of the last group."""
        last = (-(-self.out_c // _GROUP) - 1) * _GROUP // self.multiplier
        return max(0, last + 4 - self.depth)

    @property
    def clear(self) -> int | None:
        """See ``Step.clearance``: an output line may lie on lines that are in the ring already."""
        if self.multiplier != 1:
            return None
        lines = np.arange(self.out_lines)
        made = np.clip(lines * self.stride_lines - self.pad_lines + self.slots, 0, self.lines)
        if self.dilation > 1 and (self.pad % self.dilation or self.out != self.count):
            return None  # what one phase writes, a later one may read
        if self.down or self.dilation > 1:
            return 0 if self.out_lines == self.lines and np.all(made > lines) else None
        ahead = ((lines + 1) * self.out - made * self.count)[made < self.lines]
        return max(0, int(ahead.max())) * self.depth if len(ahead) else 0

    @property
    def grain(self) -> int:
        """See ``Step.grain``: channels, columns and phases must lie on themselves."""
        if self.dilation > 1:
            return self.depth * self.lines * self.count
        return self.depth * (self.lines if self.down else 1)

    @property
    def cycles(self) -> float:
        """Of a group, roughly (measured on the emulated core): to choose a kernel."""
        if self.square:
            prepare = 400
            line = 54 + 67 * (self.out // 4) + 40 * _up(self.out % 4, 2)
        else:
            row = 12 + 8 * self.kernel_words if self.stride == 1 else 11 + 10 * self.kernel_words
            prepare = 300 + 120 * self.kernel_lines * self.kernel_words // self.stride
            line = 50 + self.blocks * (41 + self.kernel_lines * row)
        return prepare + self.dilation * (
            self.out_lines * (100 + _GROUP * line) + self.lines * (130 + 9 * self.words)
        )  # fmt: skip

    @property
    def plain_cycles(self) -> float:
        """Of the kernel for all (tk_op_depthwise.c), for as many outputs."""
        taps = self.kernel * self.kernel_lines
        one = 34 + 3.6 * taps if self.multiplier == 1 else 34 + 12 * taps
        return _GROUP * self.out_lines * self.out * one


def _up(n: int, divisor: int) -> int:
    return -(-n // divisor)
