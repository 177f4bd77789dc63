"""The same C on the emulated Cortex-M4F and on this computer: bit for bit the same."""

import numpy as np
import pytest

from tinykit import toolchain
from tinykit.engine.cortex import Cortex
from tinykit.features import features, pack_section, quantized, resample
from tinykit.pipeline import IMU_CHANNELS, ImuFrontEnd, Pipeline

RNG = np.random.default_rng(3)
CALLED = ["tk_batch_features", "tk_batch_quantized", "tk_batch_resample"]


@pytest.fixture(scope="module")
def core():
    source, virtual = toolchain.hardware_dir() / "TinyKit" / "src", toolchain.hardware_dir() / "virtual"
    sources = [*toolchain.core_sources(), virtual / "start.c"]  # start.c has memchr
    core = Cortex()
    core.load(toolchain.arm_image(sources, [source, virtual, virtual / "libc"], name="same", keep=CALLED))
    return core


class Memory:
    """Places for arguments in the emulated RAM, one after the other."""

    def __init__(self, core):
        self.core, self.free = core, 0x2000_8000

    def put(self, data):
        address, self.free = self.free, self.free + -(-len(data) // 16) * 16
        self.core.write(address, bytes(data))
        return address


@pytest.mark.parametrize(
    "front",
    [
        ImuFrontEnd(scale=(1e-4,) * 6),
        ImuFrontEnd(IMU_CHANNELS, True, ("a", "g"), (3e-4, 1e-4, 2e-4, 1e-3, 4e-4, 5e-4, 1e-4, 6e-4)),
        ImuFrontEnd(("aY", "gX", "gY", "gZ"), True, ("g",), (1e-4, 2e-4, 1e-3, 1e-4, 2e-4)),
    ],
    ids=lambda f: "".join(f.features),
)
def test_front_end(core, front):
    n, window, scale, zero = 12, 60, 0.03, -7
    counts = RNG.integers(-32768, 32768, (n, window, len(front.channels))).astype(np.int16)
    counts[1::2] //= 16
    section = pack_section(Pipeline("x", "gesture", 119.0, window, 1, front, ("x",)), scale, zero)
    memory = Memory(core)
    at, data = memory.put(section), memory.put(counts.tobytes())
    shape = (n, window, len(front.features))
    whole, small = memory.put(bytes(4 * np.prod(shape))), memory.put(bytes(np.prod(shape)))
    assert core.call("tk_batch_features", at, len(section), data, n, whole) == 0
    assert core.call("tk_batch_quantized", at, len(section), data, n, small) == 0
    exact = np.frombuffer(core.read(whole, 4 * np.prod(shape)), "<i4").reshape(shape)
    assert np.array_equal((exact * np.array(front.scale)).astype(np.float32), features(counts, front))
    on_board = np.frombuffer(core.read(small, np.prod(shape)), "i1").reshape(shape)
    assert np.array_equal(on_board, quantized(counts, front, scale, zero))
    assert len(np.unique(on_board)) > 50


@pytest.mark.parametrize("rates", [(119, 119), (119, 50), (119, 200), (99.84, 119), (119, 62.5)])
def test_resampler(core, rates):
    counts = RNG.integers(-32768, 32768, (300, 6)).astype(np.int16)
    expected = resample(counts, *rates)
    memory = Memory(core)
    data, out, made = memory.put(counts.tobytes()), memory.put(bytes(expected.nbytes + 64)), memory.put(bytes(4))
    mhz = [round(rate * 1000) for rate in rates]
    assert core.call("tk_batch_resample", *mhz, data, 300, out, len(expected) + 5, made) == 0
    assert int.from_bytes(core.read(made, 4), "little") == len(expected)
    assert np.array_equal(np.frombuffer(core.read(out, expected.nbytes), "<i2").reshape(-1, 6), expected)
