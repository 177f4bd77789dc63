"""What the device core costs around the network: front end, resampler, decision, frames, checks.

    python benchmarks/device.py [--json]

Cycles are estimated on the emulated Cortex-M4F (engine/cortex.py), random input, 64 MHz; code and RAM
are read from the compiled image. The share of the processor that sampling and streaming take is that of
the whole firmware on the virtual board.
"""

import argparse
import json
import sys
import time

import numpy as np

from tinykit import toolchain
from tinykit.board import Board
from tinykit.board.virtual import SoundReplay
from tinykit.board.virtual.image import board_image
from tinykit.engine.cortex import CLOCK_HZ, Cortex
from tinykit.engine.elf import read_elf
from tinykit.features import pack_section
from tinykit.features.core import load_core
from tinykit.pipeline import IMU_CHANNELS, ImuFrontEnd, Pipeline

RAM = 0x2000_8000
CALLED = ["tk_crc32", "tk_frame_encode", "tk_decoder_push", "tk_batch_quantized", "tk_pipeline_parse",
          "tk_resample_init", "tk_resample_give", "tk_resample_take", "tk_decide_init", "tk_decide_push"]  # fmt: skip
RNG = np.random.default_rng(0)


class Bench:
    """Calls functions of the core on the emulated core; each block of memory has its own place."""

    def __init__(self):
        self.core = Cortex()
        source, virtual = toolchain.hardware_dir() / "TinyKit" / "src", toolchain.hardware_dir() / "virtual"
        sources = [*toolchain.core_sources(), virtual / "start.c"]  # start.c has memchr
        image = toolchain.arm_image(sources, [source, virtual, virtual / "libc"], name="device", keep=CALLED)
        self.core.load(image)
        self.free = RAM

    def put(self, data):
        """Copy bytes into RAM; returns their address."""
        address = self.free
        self.free += -(-len(data) // 16) * 16
        self.core.write(address, bytes(data))
        return address

    def cycles(self, function, *arguments):
        with self.core.counting() as count:
            self.core.call(function, *arguments)
        return count.cycles


def front_end(bench, front, window):
    scaled = ImuFrontEnd(front.channels, front.center, front.magnitude, (1e-4,) * len(front.features))
    section = pack_section(Pipeline("bench", "gesture", 119.0, window, 30, scaled, ("a", "b", "c")), 0.02, 0)
    parsed, bytes_ = bench.put(bytes(512)), bench.put(section)
    assert bench.core.call("tk_pipeline_parse", parsed, bytes_, len(section)) == 0
    counts = bench.put(RNG.integers(-20000, 20000, (window, len(front.channels))).astype("<i2").tobytes())
    out = bench.put(bytes(window * len(front.features)))
    with bench.core.counting() as count:
        assert bench.core.call("tk_batch_quantized", bytes_, len(section), counts, 1, out) == 0
    with bench.core.counting() as parse:
        bench.core.call("tk_pipeline_parse", parsed, bytes_, len(section))
    return count.cycles - parse.cycles


def measure():
    bench, rows = Bench(), []

    def row(what, cycles, per, unit):
        rows.append({"what": what, "cycles": cycles, "per": f"{cycles / per:.1f} a {unit}",
                     "microseconds": round(cycles / CLOCK_HZ * 1e6, 1)})  # fmt: skip

    data = bench.put(RNG.integers(0, 256, 4096, dtype=np.uint8).tobytes())
    row("CRC-32 of 4 KB", bench.cycles("tk_crc32", 0, data, 4096), 4096, "byte")
    raw, wire, n = bench.put(bytes(518)), bench.put(bytes(523)), bench.put(bytes(4))
    payload = bench.put(RNG.integers(0, 256, 512, dtype=np.uint8).tobytes())
    encode = bench.cycles("tk_frame_encode", 0x40, 1, payload, 512, raw, wire, 523, n)
    row("build a frame of 512 bytes", encode, 512, "byte")
    size = int.from_bytes(bench.core.read(n, 4), "little")
    decoder, frame = bench.put(bytes(1024)), bench.put(bytes(16))
    cycles = sum(bench.cycles("tk_decoder_push", decoder, b, frame) for b in bench.core.read(wire, size))
    row("read a frame of 512 bytes", cycles, 512, "byte")
    for name, front in [
        ("6 channels", ImuFrontEnd()),
        ("6 channels, centred", ImuFrontEnd(center=True)),
        ("6 channels, centred, |a| and |g|", ImuFrontEnd(IMU_CHANNELS, True, ("a", "g"))),
    ]:
        values = 119 * len(front.features)
        row(f"front end, 119 rows, {name}", front_end(bench, front, 119), values, "value")
    state = bench.put(bytes(256))
    sample, out = bench.put(RNG.integers(-9000, 9000, 6).astype("<i2").tobytes()), bench.put(bytes(16))
    for rate in (119000, 50000, 200000):
        bench.core.call("tk_resample_init", state, 119000, rate)
        total = 0
        for _ in range(200):
            total += bench.cycles("tk_resample_give", state, sample)
            while True:
                with bench.core.counting() as count:
                    more = bench.core.call("tk_resample_take", state, out)
                total += count.cycles
                if not more & 0xFF:
                    break
        row(f"resample 119 Hz to {rate / 1000:g} Hz, 200 samples", total, 200, "sample")
    decide, rule = bench.put(bytes(4096)), bench.put(bytes([0, 128, 3, 0, 244, 1]))
    bench.core.call("tk_decide_init", decide, rule, 10)
    answer, decision = bench.put(RNG.integers(-128, 128, 10).astype("i1").tobytes()), bench.put(bytes(80))
    # The 64-bit time goes on the stack, after it the last pointer.
    row("decide among 10 labels", bench.cycles("tk_decide_push", decide, answer, 0, 0, decision), 1, "answer")
    sections = read_elf(board_image()).segments
    return {
        "rows": rows,
        "device_state_bytes": load_core().tk_device_size(),
        "sketch_flash_bytes": sum(len(s.data) for s in sections),
        "sketch_ram_bytes": sum(s.memory_bytes for s in sections if s.virtual >= 0x2000_0000),
    }


def shares(seconds=5.0):
    """Share of the 64 MHz that the firmware uses while it samples and streams."""
    noise = RNG.normal(0, 3000, 16_000 * 60).astype("<i2")
    with Board("virtual://nano33ble/device-benchmark?clock=free") as board:
        machine, board.source = board.machine, SoundReplay(noise, loop=True)

        def share():
            cycles, start = machine.core.cycles, machine.seconds
            while machine.seconds < start + seconds:
                time.sleep(0.01)
            return (machine.core.cycles - cycles) / ((machine.seconds - start) * CLOCK_HZ)

        used = {"IMU sampled": share()}
        with board.stream("imu"):
            used["IMU streamed"] = share()
        with board.stream("mic") as sound:
            sound.read(16_000)  # it has settled
            used["sound streamed, IMU sampled"] = share()
        used["sound kept, IMU sampled"] = share()
    return used


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    result = measure()
    result["processor_shares"] = shares()
    if parser.parse_args().json:
        json.dump(result, sys.stdout, indent=1)
        return
    for r in result["rows"]:
        print(f"{r['what']:52} {r['cycles']:9,} cycles  {r['per']:>20}  {r['microseconds']:9.1f} us (estimated)")
    for what, share in result["processor_shares"].items():
        print(f"{what:52} {100 * share:9.2f} % of the processor (estimated)")
    print(f"\nwhole sketch of the virtual board: {result['sketch_flash_bytes']:,} bytes of flash, "
          f"{result['sketch_ram_bytes']:,} of RAM (131,072 of it the arena; state of the device "
          f"{result['device_state_bytes']:,} on this computer)")  # fmt: skip


if __name__ == "__main__":
    main()
