"""No compiler makes one fused operation of a product and a sum of the front end: that would change bits."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sounds import FRONTS, made_up

from tinykit import toolchain
from tinykit.engine.cortex import Cortex
from tinykit.engine.elf import read_elf
from tinykit.features import frames, pack_front, quantized_frames

SOURCE = toolchain.hardware_dir() / "TinyKit" / "src"
GCC = shutil.which("arm-none-eabi-gcc")
# As Arduino's mbed core for the Nano 33 BLE compiles a library: GNU's C, in which GCC fuses by default.
ARDUINO = ["-std=gnu11", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16",
           "-fsingle-precision-constant", "-ffunction-sections", "-fdata-sections", "-c"]  # fmt: skip
FUSED = re.compile(r"\tv?fn?m(?:a|s|la|ls|add|sub)\w*(?:\.\w+)*\t|\tvml[as]\S*\t")
FLOATING = [p for p in sorted(SOURCE.glob("*.c")) if re.search(r"\bfloat\b|tk_float|tk_lanes", p.read_text("utf-8"))]


def instructions(path):
    done = subprocess.run([GCC.replace("gcc", "objdump"), "-d", str(path)], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("level", ["-Os", "-O2", "-O3"])
def test_arduinos_compiler_fuses_nothing(level, tmp_path):
    if GCC is None:
        pytest.skip("arm-none-eabi-gcc is not installed.")
    assert {"tk_mel.c", "tk_batch_mel.c"} <= {p.name for p in FLOATING}
    products = 0
    for source in FLOATING:
        target = tmp_path / "out.o"
        subprocess.run([GCC, *ARDUINO, level, str(source), "-o", str(target)], check=True)
        code = instructions(target)
        assert not FUSED.search(code), f"{source.name}: {FUSED.search(code).group()}"
        assert "__aeabi_f" not in code and "__aeabi_d" not in code, f"{source.name} calculates in software"
        products += len(re.findall(r"\tvmul\.f32", code))
    assert products > 50


def test_the_search_finds_what_gcc_fuses(tmp_path):
    if GCC is None:
        pytest.skip("arm-none-eabi-gcc is not installed.")
    source = tmp_path / "fused.c"
    source.write_text("float fused(float a, float b, float c) { return a * b + c; }\n", encoding="utf-8")
    subprocess.run([GCC, *ARDUINO, "-O2", str(source), "-o", str(tmp_path / "fused.o")], check=True)
    assert FUSED.search(instructions(tmp_path / "fused.o"))


def test_zig_fuses_nothing(tmp_path):
    """For the virtual board, and for computers that could: with their fused instructions allowed."""
    for flags in (toolchain.ARM_TARGET, ("-target", "x86_64-linux", "-mcpu=haswell"), ("-target", "aarch64-linux")):
        for source in FLOATING:
            target = tmp_path / "out.s"
            command = [sys.executable, "-m", "ziglang", "cc", *flags, "-std=c99", "-O2", "-g0", "-ffp-contract=off",
                       "-fno-sanitize=undefined", f"-I{toolchain.hardware_dir() / 'virtual' / 'libc'}", "-S",
                       str(source), "-o", str(target)]  # fmt: skip
            subprocess.run(command, check=True)
            found = FUSED.search(target.read_text(encoding="utf-8", errors="replace"))
            assert not found, f"{source.name} for {flags[1]}: {found.group()}"


@pytest.mark.parametrize("level", ["-Os", "-O2"])
def test_arduinos_compiler_computes_the_same_bits(level, tmp_path):
    """Its code on the emulated core, against Zig's on this computer."""
    if GCC is None:
        pytest.skip("arm-none-eabi-gcc is not installed.")
    sources = [Path(__file__).parent / "mel_probe.c", SOURCE / "tk_mel.c", SOURCE / "tk_fft.c"]
    script = toolchain.hardware_dir() / "virtual" / "bare.ld"
    linked = ["-nostartfiles", f"-T{script}", "-Wl,--no-gc-sections", f"-I{SOURCE}", *map(str, sources)]
    target = tmp_path / "mel.elf"
    flags = [flag for flag in ARDUINO if flag != "-c"]
    done = subprocess.run([GCC, *flags, level, *linked, "-o", str(target)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    core, block_at, sound_at, out = Cortex(), 0x2000_4000, 0x2001_4000, 0x2002_0000
    core.load(read_elf(target))
    for front in FRONTS:
        block, n = pack_front(front, 0.05, 3), len(front.features)
        core.write(block_at, block)
        for sound in made_up(7000):
            core.write(sound_at, sound.astype("<i2").tobytes())
            rows = front.rows(len(sound))
            small = out + 4 * rows * n
            assert core.call("probe_frames", block_at, len(block), sound_at, len(sound), 0, rows, out, small) == 0
            assert core.read(out, 4 * rows * n) == frames(sound, front).astype("<f4").tobytes()
            expected = quantized_frames(sound, front, 0.05, 3)
            assert np.array_equal(np.frombuffer(core.read(small, rows * n), "i1").reshape(rows, n), expected)
