"""Random small networks: chains of one to six operations, each drawn with all its options.

A chain is written as one line, ``17 CONV_2D:0 ADD:3``: the seed, then each operation with its own
number. All random choices of an operation come from (seed, number), so it stays what it was when
others are dropped from the chain; ``python tests/engine/shrink.py LINE`` does that for a chain that fails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from builder import Net, S

from tinykit.engine.lower import OPERATIONS

BIGGEST = 3000  # values of a tensor, so that thousands of networks take minutes
# What QUANTIZE turns into int8.
BACK = ("INT16", "UINT8", "INT32", "FLOAT32")


class Unfit(Exception):
    """The operation can't follow here: wrong type, or no shape for it."""


@dataclass(frozen=True)
class Chain:
    """A seed, and (operation, number) in order."""

    seed: int
    links: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return " ".join([str(self.seed), *(f"{name}:{number}" for name, number in self.links)])

    @classmethod
    def parse(cls, line: str) -> Chain:
        seed, *links = line.split()
        return cls(int(seed), tuple((k, int(n)) for k, n in (link.split(":") for link in links)))

    def without(self, place: int) -> Chain:
        return Chain(self.seed, self.links[:place] + self.links[place + 1 :])


class RandomNet(Net):
    """A ``Net`` that goes to the ends of what the format allows more often than a trained network would."""

    def __init__(self, rng, *args, **kwargs):
        self.wild = rng.random() < 0.25
        self.history = []
        super().__init__(rng, *args, **kwargs)

    def activation(self, shape, scale=None, zero=None):
        """Scale and zero point both given are kept; else the one may be far off, the other at an end."""
        rng = self.rng
        if zero is None:
            if rng.random() < 0.35:
                zero = int(rng.choice([-128, -127, -1, 0, 126, 127]))
            if self.wild and rng.random() < 0.5:
                low, high = (1e-6, 50) if scale is None else (scale / 200, scale * 200)
                scale = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        if scale is not None and zero is None:  # beyond these the reference shifts by negative numbers
            scale = float(np.clip(scale, 1e-6, 1e3))
        return super().activation(shape, scale, zero)

    def _weights(self, *args, **kwargs):
        weights, bias = super()._weights(*args, **kwargs)
        rng, buffer = self.rng, self.buffers[self.tensors[weights].buffer]
        values = buffer.data.view(np.int8)
        style = rng.random()
        if style < 0.15:  # as large as they get: sums at their ends
            values = rng.choice([-127, 127] if style < 0.1 else [-128, 127], len(values))
        elif style < 0.2:
            values = np.full(len(values), rng.choice([-128, -127, 127]))
        elif style < 0.25:
            values = np.where(rng.random(len(values)) < 0.8, 0, values)
        buffer.data = values.astype(np.int8).view(np.uint8)
        if bias >= 0 and rng.random() < 0.1:
            big = self.buffers[self.tensors[bias].buffer]
            values = rng.integers(-(2**30), 2**30, len(big.data) // 4).astype(np.int32)
            big.data = np.frombuffer(values.tobytes(), np.uint8)
        return weights, bias

    @property
    def dtype(self) -> str:
        types = {v: k for k, v in vars(S.TensorType).items() if isinstance(v, int)}
        return types[self.tensors[self.last].type]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def picture(self):
        """Make the last tensor (1, height, width, channels), if it is not."""
        if len(self.shape) != 4:
            sides = factors(self.rng, self.size, 3)
            self.reshape((1, *sides))
        return self.shape[1:]

    def earlier(self, accept) -> int | None:
        """An earlier tensor for which accept(tensor) holds, if there is one."""
        found = [i for i in self.history if i != self.last and accept(self.tensors[i])]
        return int(self.rng.choice(found)) if found else None


def factors(rng, size: int, count: int) -> list[int]:
    """``count`` numbers with this product."""
    sides = []
    for _ in range(count - 1):
        divisors = [d for d in range(1, min(size, 64) + 1) if size % d == 0]
        sides.append(int(rng.choice(divisors)))
        size //= sides[-1]
    sides.append(size)
    rng.shuffle(sides)
    return [int(n) for n in sides]


def start(seed: int) -> RandomNet:
    """A network of one input and nothing else."""
    rng = np.random.default_rng([seed, 10**6])
    style = rng.random()
    if style < 0.04:  # as large as a layer of a real network
        return RandomNet(rng, (1, int(rng.integers(8, 25)), int(rng.integers(8, 25)), int(rng.integers(8, 65))))
    if style < 0.6:
        side = int(rng.integers(1, 14))
        shape = (1, side, int(rng.integers(1, 14)), int(rng.integers(1, 20)))
    elif style < 0.85:
        shape = (1, int(rng.integers(1, 30)), int(rng.integers(1, 30)))
    else:
        shape = (1, int(rng.integers(1, 200)))
    while int(np.prod(shape)) > BIGGEST:
        shape = tuple(max(1, n * 2 // 3) for n in shape)
    return RandomNet(rng, shape)


def _of_type(net: RandomNet, dtype: str) -> RandomNet:
    if dtype != "INT8":
        net.retype(net.input, dtype)
    return net


def build(chain: Chain) -> tuple[bytes, list[str]]:
    """The network, and the operations in it; those that can't follow are left out."""
    import links

    dtypes = links.TABLE[chain.links[0][0]].dtypes
    draw = np.random.default_rng([chain.seed, 10**6 + 3])
    net = _of_type(start(chain.seed), str(draw.choice(dtypes)) if draw.random() < 0.8 else dtypes[0])
    built, largest = [], net.size
    for name, number in chain.links:
        net.rng = np.random.default_rng([chain.seed, number])
        if net.dtype not in links.TABLE[name].dtypes:
            if net.dtype not in BACK or "INT8" not in links.TABLE[name].dtypes:
                continue
            links.back(net)
        mark = len(net.tensors), len(net.operators), len(net.codes), len(net.buffers), net.last
        try:
            net.history.append(net.last)
            links.TABLE[name].build(net, net.rng)
            if not 0 < net.size <= max(4 * BIGGEST, largest):
                raise Unfit(name)
        except Unfit:
            del net.tensors[mark[0] :], net.operators[mark[1] :], net.codes[mark[2] :], net.buffers[mark[3] :]
            net.last = mark[4]
            continue
        built.append(name)
    return net.bytes(), built


def chain_of(seed: int) -> Chain:
    """The chain of a seed: one operation in turn, and up to five others around it."""
    import links

    rng = np.random.default_rng([seed, 10**6 + 1])
    names = [n for n, link in links.TABLE.items() if (n in OPERATIONS or n == "DILATED") and not link.alone]
    focus = names[seed % len(names)]
    count = int(rng.choice([1, 1, 2, 3, 4, 5, 6]))
    common = [n for n in names if "INT8" in links.TABLE[n].dtypes and not links.TABLE[n].ends]
    chosen = [str(rng.choice(common)) for _ in range(count - 1)]
    place = int(rng.integers(0, count))
    if links.TABLE[focus].ends:
        place = count - 1
    elif "INT8" not in links.TABLE[focus].dtypes or (len(links.TABLE[focus].dtypes) > 1 and rng.random() < 0.5):
        place = 0
    chosen.insert(place, focus)
    return Chain(seed, tuple(zip(chosen, range(count), strict=True)))


def examples(net_shape, dtype, rng, count: int = 6) -> np.ndarray:
    """All low, all high, only ends, calm, and any; of an int8, int16, uint8 or float32 input."""
    shape = (count, *net_shape)
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 2, shape).astype(dtype)
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max + 1, shape)
    x[0], x[1] = info.min, info.max
    x[2] = rng.choice([info.min, info.max], shape[1:])
    middle = (info.min + info.max + 1) // 2
    x[3] = (x[3] - middle) // 8 + middle
    return x.astype(dtype)
