"""Depthwise convolutions: which kernel, along rows or along columns, and its constants.

The kernels that go by channel (``hardware/TinyKit/src/tk_pairs.h``) take their input line by line;
everything here is said once for lines along rows and holds, turned over, for lines along columns.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .step import FLAG_SIMPLE, Step

_GROUP = 4  # channels at a time


def choose(step: Step, taps: np.ndarray) -> Step:
    """The same convolution by a quicker kernel, if one takes it.

    Parameters
    ----------
    step : Step
        Of kind ``depthwise``.
    taps : numpy.ndarray
        int8 weights, shape (kernel height * width, out channels).
    """
    if not step.flags & FLAG_SIMPLE or step.kernel != (3, 3) or step.dilation != (1, 1):
        return step
    shift = step.channels["shift"]
    if step.clamp[0] < step.zeros[2] and shift.min() < 9:
        return step  # without a floor, 2^(32 - shift) must fit an int32
    ways = [_Lines(step, down) for down in (False, True)]
    ways = [way for way in ways if way.stride in (1, 2)]
    if not ways:
        return step
    way = min(ways, key=lambda way: way.guess)
    weights = taps.reshape(3, 3, -1).transpose(2, 1, 0) if way.down else taps.reshape(3, 3, -1).transpose(2, 0, 1)
    data = np.pad(weights, [(0, 0), (0, 0), (0, 1)]).astype(np.int8).tobytes()
    return replace(
        step,
        kind="depthwise_3x3" if way.stride == 1 else "depthwise_3x3_2",
        data=data,
        params=[int(way.down), step.params[1]],
        scratch=way.words * 3 * 4 * _GROUP + 64 * _GROUP,
        over=way.over,
        clear=way.clear,
        grain=way.grain,
    )


class _Lines:
    """A depthwise convolution with lines along rows, or along columns (``down``)."""

    def __init__(self, step: Step, down: bool):
        def turned(pair):
            return tuple(pair[::-1]) if down else tuple(pair)

        self.down = down
        self.lines, self.count = turned(step.in_shape[:2])
        self.out_lines, self.out = turned(step.out_shape[:2])
        self.kernel = turned(step.kernel)
        self.stride_lines, self.stride = turned(step.stride)
        self.pad_lines, self.pad = turned(step.pad)
        self.multiplier = step.params[1]
        self.depth, self.out_c = step.in_shape[2], step.out_shape[2]
        self.words = -(-self.out // 2) * 2 // (3 - self.stride) + 1 if self.stride in (1, 2) else 0

    @property
    def over(self) -> int:
        """Bytes read behind the input: four channels from the first one of the last group."""
        last = (-(-self.out_c // _GROUP) - 1) * _GROUP // self.multiplier
        return max(0, last + 4 - self.depth)

    @property
    def clear(self) -> int | None:
        """See ``Step.clear``: an output line may lie on lines that are in the ring already."""
        if self.multiplier != 1:
            return None
        lines = np.arange(self.out_lines)
        made = np.clip(lines * self.stride_lines - self.pad_lines + self.kernel[0], 0, self.lines)
        if self.down:
            return 0 if self.out_lines == self.lines and np.all(made > lines) else None
        ahead = ((lines + 1) * self.out - made * self.count)[made < self.lines]
        return max(0, int(ahead.max())) * self.depth if len(ahead) else 0

    @property
    def grain(self) -> int:
        """See ``Step.grain``: channels, and columns, must lie on themselves."""
        return self.depth * (self.lines if self.down else 1)

    @property
    def guess(self) -> float:
        """Cycles, roughly, a group: to choose between rows and columns."""
        blocks = 68 * (self.out // 4) + 40 * (-(-(self.out % 4) // 2))
        return self.out_lines * (120 + _GROUP * (32 + blocks)) + self.lines * (90 + 9 * self.words)
