"""How fast the virtual board is: the core alone, a register access, a minute of its sensors, an idle board.

    python benchmarks/virtual_board.py [--json]

Everything is measured on this computer. Instructions are those of the emulated core, IT-skipped ones
included; the board runs the real sketch.
"""

from __future__ import annotations

import argparse
import json
import struct
import tempfile
import time
from pathlib import Path

from tinykit.board import messages as m
from tinykit.board.link import Link
from tinykit.board.virtual import VirtualBoard, board_image
from tinykit.engine.cortex import Cortex
from tinykit.toolchain import arm_image

SOURCE = """
#include <stdint.h>
__attribute__((used)) uint32_t work(uint32_t n) {
    uint32_t s = 1;
    for (uint32_t i = 0; i < n; i++) { s = s * 1664525u + i; if (s & 0x10000) s ^= i; __asm__ volatile("" : "+r"(s)); }
    return s;
}
__attribute__((used)) void touch(uint32_t n) { while (n--) *(volatile uint32_t *)0x40000000; }
"""


def measure() -> dict:
    """Figures by name."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "speed.c"
        source.write_text(SOURCE, encoding="utf-8")
        image = arm_image([source], name="speed")
    core = Cortex((0x4000_0000, lambda offset: 0, lambda offset, value: None))
    core.load(image)
    core.call("work", 1000)
    figures = {}

    start = time.perf_counter()
    with core.counting() as count:
        core.call("work", 20_000_000)
    figures["instructions_per_s"] = count.instructions / (time.perf_counter() - start)
    start = time.perf_counter()
    core.call("touch", 100_000)
    figures["register_access_us"] = (time.perf_counter() - start) * 10
    core.limit(1 << 60)
    start = time.perf_counter()
    with core.counting() as count:
        core.call("work", 2_000_000)
    figures["instructions_per_s_with_a_limit"] = count.instructions / (time.perf_counter() - start)

    board_image()
    start = time.perf_counter()
    with VirtualBoard("speed", clock="free") as board:
        board.wait_until_idle()
        figures["boot_s"] = time.perf_counter() - start
        link = Link("virtual://nano33ble/speed")
        taken = []
        link.on(m.SAMPLES, lambda frame: taken.append(frame.payload[1]))
        start = time.perf_counter()
        link.request(m.STREAM_START, struct.pack("<BBHI", 0, 8, 0, 0))
        while sum(taken) < 60 * 119:
            time.sleep(0.005)
        figures["free_minute_of_imu_s"] = time.perf_counter() - start
        figures["samples_lost"] = board.imu.lost
        link.request(m.STREAM_STOP, b"\0")
        heard = []
        link.on(m.AUDIO, lambda frame: heard.append(len(frame.payload) // 2 - 6))
        link.request(m.STREAM_START, struct.pack("<BBHI", 1, 240, 0, 0))
        while not heard:  # the microphone settles
            time.sleep(0.005)
        heard.clear()
        start = time.perf_counter()
        while sum(heard) < 60 * 16_000:
            time.sleep(0.005)
        figures["free_minute_of_sound_s"] = time.perf_counter() - start
        figures["sound_lost"] = board.mic.lost
        link.close()
    with VirtualBoard("idle", clock="paced") as board:
        board.wait_until_idle()
        start = time.process_time(), time.perf_counter()
        time.sleep(5)
        spent = time.process_time() - start[0], time.perf_counter() - start[1]
        figures["paced_idle_share_of_a_core"] = spent[0] / spent[1]
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for a program")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):36} {value:,.4g}")


if __name__ == "__main__":
    main()
