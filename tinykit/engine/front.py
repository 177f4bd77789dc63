"""What a pipeline's front end costs on the board: counted on the emulated core, like the network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .. import toolchain
from ..errors import TinykitError
from ..features import pack_front, pack_section, quantized, quantized_frames
from ..look import number
from ..pipeline import ImuFrontEnd, MelFrontEnd, Pipeline
from .cortex import CLOCK_HZ, RAM_BASE, Cortex, Count
from .elf import Elf, read_elf

# sizeof of what the firmware keeps for sound: tk_mel_work, and tk_mic's ring (TK_MIC_SAMPLES of int16).
_MEL_WORK, _MIC_RING = 6464, 2 * 16384
_PLAN = 0x5_1000  # flash: where slot A's plan begins
_PARSED, _USED, _WORK, _DATA, _OUT, _SMALL = (RAM_BASE + at for at in (0x400, 0x6F0, 0x1000, 0x4000, 0x8000, 0x9000))

_MEL = ("tk_mel_parse", "tk_mel_frame", "tk_mel_quantized")
_IMU = ("tk_batch_quantized",)
_SOURCES = {
    _MEL: ("tk_mel.c", "tk_fft.c"),
    _IMU: ("tk_batch.c", "tk_pipeline.c", "tk_imu.c", "tk_mel.c", "tk_fft.c", "tk_resample.c"),
}


@dataclass(frozen=True)
class FrontCost:
    """What a front end costs on a Cortex-M4F at 64 MHz.

    Parameters
    ----------
    unit : str
        ``"hop"``: a row of features is computed as soon as its sound is there. ``"window"``: all
        rows are computed for each answer.
    instructions, cycles : int
        Of one such unit. Instructions are counted, cycles estimated from them.
    runs : int
        Units from one answer to the next.
    answer_s : float
        Seconds from one answer to the next.
    table_bytes : int
        Of the plan: windows, filters, factors.
    code_flash_bytes : int
        Flash for the code, the FFT's constants included.
    work_bytes : int
        RAM while it computes.
    ring_bytes : int
        RAM that keeps samples, and for sound rows of features, until they are needed.
    """

    unit: str
    instructions: int
    cycles: int
    runs: int
    answer_s: float
    table_bytes: int
    code_flash_bytes: int
    work_bytes: int
    ring_bytes: int

    @property
    def answer_cycles(self) -> int:
        """Estimated cycles from one answer to the next."""
        return self.runs * self.cycles

    def as_dict(self) -> dict:
        """Numbers only, for JSON."""
        return {
            "unit": self.unit,
            "instructions": self.instructions,
            "cycles_estimated": self.cycles,
            "milliseconds_estimated": round(1000 * self.cycles / CLOCK_HZ, 4),
            "units_an_answer": self.runs,
            "answer_s": self.answer_s,
            "table_bytes": self.table_bytes,
            "code_flash_bytes": self.code_flash_bytes,
            "work_bytes": self.work_bytes,
            "ring_bytes": self.ring_bytes,
        }

    def __repr__(self) -> str:
        unit = f"hop ({number(1000 * self.answer_s / self.runs)} ms)" if self.unit == "hop" else "window"
        return (
            f"front end, a {unit}: {self.instructions:,} instructions, {self.cycles:,} cycles = "
            f"{1000 * self.cycles / CLOCK_HZ:.2f} ms at 64 MHz (estimated); {self.bytes_in_words}"
        )

    @property
    def bytes_in_words(self) -> str:
        """Its bytes of flash and RAM, as a clause."""
        work = f"work {self.work_bytes:,}, " if self.work_bytes else ""
        return (
            f"flash: tables {self.table_bytes:,} bytes of the plan, code {self.code_flash_bytes:,}; "
            f"RAM: {work}rings {self.ring_bytes:,} bytes"
        )


def front_cost(pipeline: Pipeline, image: Elf | None = None) -> FrontCost:
    """What a pipeline's front end costs on the board.

    It runs once on the emulated Cortex-M4F, on noise; its time hardly depends on the values. The
    result is compared with this computer's.

    Parameters
    ----------
    pipeline : Pipeline
        Its network is not looked at.
    image : Elf, optional
        The same sources as another compiler builds them; default: Zig's, -O2.

    Raises
    ------
    ModelError
        The device can't compute this front end.
    """
    cost = _mel_cost if isinstance(pipeline.front_end, MelFrontEnd) else _imu_cost
    return cost(pipeline, image)


def skipped(cycles: int, front: FrontCost) -> float:
    """How many answers the device skips for each that it makes, by the cycle estimate.

    The front end of sound goes on while the network runs, so that no hop is lost: the network has the
    time that is left. Infinite when the front end alone is too slow.

    Parameters
    ----------
    cycles : int
        Of one run of the network.
    """
    budget = CLOCK_HZ * front.answer_s
    if front.unit == "window":
        return max(0, math.ceil((cycles + front.cycles) / budget) - 1)
    left = budget - front.answer_cycles
    return max(0, math.ceil(cycles / left) - 1) if left > 0 else math.inf


def _mel_cost(pipeline: Pipeline, image) -> FrontCost:
    front, scale, zero = pipeline.front_end, 0.05, 0
    block, rows = pack_front(front, scale, zero), front.rows(pipeline.window)
    sound = np.random.default_rng(0).normal(0, 3000, front.frame).astype(np.int16)
    core = Cortex()
    core.load(image or _image(_MEL))
    core.write(_PLAN, block)
    core.write(_DATA, sound.astype("<i2").tobytes())
    if core.call("tk_mel_parse", _PARSED, _PLAN, len(block), _USED):
        raise TinykitError("The emulated core refuses the front end.", "Report this as a fault.")
    with core.counting() as count:
        core.call("tk_mel_frame", _PARSED, _DATA, len(sound), 0, _WORK, _OUT)
        core.call("tk_mel_quantized", _PARSED, _OUT, _SMALL)
    _compare(core.read(_SMALL, len(front.features)), quantized_frames(sound, front, scale, zero))
    return FrontCost(
        "hop", count.instructions, count.cycles, pipeline.hop // front.hop, pipeline.hop / pipeline.rate_hz,
        len(block), _code_bytes(core.image), _MEL_WORK, _MIC_RING + rows * len(front.features),
    )  # fmt: skip


def _imu_cost(pipeline: Pipeline, image) -> FrontCost:
    front, scale, zero = pipeline.front_end, 0.05, 0
    n, channels = len(front.features), len(front.channels)
    front = ImuFrontEnd(front.channels, front.center, front.magnitude, front.scale or (1e-3,) * n)
    counts = np.random.default_rng(0).integers(-9000, 9000, (2, pipeline.window, channels)).astype(np.int16)
    section = pack_section(pipeline.with_(front_end=front), scale, zero)
    core = Cortex()
    core.load(image or _image(_IMU))
    core.write(_PLAN, section)
    core.write(_DATA, counts.astype("<i2").tobytes())
    out, costs = _DATA + -(-counts.nbytes // 16) * 16, []
    for windows in (2, 1):  # the difference is one window, without the check of the section
        with core.counting() as count:
            if core.call("tk_batch_quantized", _PLAN, len(section), _DATA, windows, out):
                raise TinykitError("The emulated core refuses the front end.", "Report this as a fault.")
        costs.append(count)
    one = Count(*(getattr(costs[0], f) - getattr(costs[1], f) for f in ("instructions", "cycles")))
    _compare(core.read(out, pipeline.window * n), quantized(counts[:1], front, scale, zero))
    return FrontCost(
        "window", one.instructions, one.cycles, 1, pipeline.hop / pipeline.rate_hz,
        8 * n, _code_bytes(core.image), 0, 2 * pipeline.window * channels,
    )  # fmt: skip


def _compare(board: bytes, host: np.ndarray) -> None:
    if board != host.tobytes():
        raise TinykitError("The emulated core and this computer compute different features.", "Report this as a fault.")


@lru_cache(maxsize=2)
def _image(entries):
    source, virtual = toolchain.hardware_dir() / "TinyKit/src", toolchain.hardware_dir() / "virtual"
    sources = [*(source / name for name in _SOURCES[entries]), virtual / "start.c"]  # start.c has memchr
    return read_elf(toolchain.arm_image(sources, [source, virtual, virtual / "libc"], name="front", keep=entries))


def _code_bytes(image) -> int:
    return sum(len(segment.data) for segment in image.segments)
