"""The core as other compilers see it, its size, and its behaviour with traps for undefined behaviour."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tinykit import toolchain

SRC = toolchain.hardware_dir() / "TinyKit" / "src"
SOURCES = toolchain.core_sources()
STRICT = [
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wshadow",
    "-Wundef",
    "-Wstrict-prototypes",
    "-O2",
    "-c",
]
GCC = shutil.which("arm-none-eabi-gcc")
CORTEX = [
    "-mcpu=cortex-m4",
    "-mthumb",
    "-mfloat-abi=softfp",
    "-mfpu=fpv4-sp-d16",
    "-funsigned-char",
    "-fno-common",
]
INTERNAL = {"tk_check.h", "tk_kernels.h", "tk_quant.h"}  # of the engine's own C files
TRAPS = ["-fsanitize=undefined", "-fsanitize-trap=undefined"]


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """Object and stack-usage file of each source, by arm-none-eabi-gcc without a word from it."""
    if GCC is None:
        pytest.skip("arm-none-eabi-gcc is not installed: Zig's compiler is tested alone.")
    folder = tmp_path_factory.mktemp("objects")
    for source in SOURCES:
        done = run(GCC, *STRICT, *CORTEX, "-fstack-usage", "-o", folder / (source.stem + ".o"), source)
        assert done.returncode == 0 and not done.stderr, done.stderr
    return folder


def symbols(objects, *how):
    names = {}
    for path in sorted(objects.glob("*.o")):
        lines = run(GCC.replace("gcc", "nm"), *how, path).stdout.splitlines()
        names[path.stem] = {line.split()[-1] for line in lines if line.strip()}
    return names


def test_arm_gcc_has_nothing_to_say(objects):
    assert len(list(objects.glob("*.o"))) == len(SOURCES) > 20


def test_zig_has_nothing_to_say():
    toolchain.host_library(SOURCES, [SRC], "strict", ["-Werror", "-Wshadow", "-Wundef", "-Wstrict-prototypes"])


def test_headers_stand_alone_twice_and_in_cpp(tmp_path):
    users = []
    for i, header in enumerate(sorted(p.name for p in SRC.glob("tk_*.h") if p.name not in INTERNAL)):
        users.append(tmp_path / f"user{i}.c")
        text = f'#include "{header}"\n#include "{header}"\nint user{i}(void) {{ return 0; }}\n'
        users[-1].write_text(text, encoding="utf-8")
    users.append(tmp_path / "all.cpp")
    users[-1].write_text(
        '#include "TinyKit.h"\n#include "tk_batch.h"\n#include "tk_requests.h"\nint all() { return 0; }\n',
        encoding="utf-8",
    )
    toolchain.host_library(users, [SRC], "headers", ["-Werror"])


def test_public_symbols_are_ours(objects):
    """Nothing that could collide with a sketch or another library."""
    for source, names in symbols(objects, "-g", "--defined-only").items():
        assert {n for n in names if not n.startswith("tk_")} == set(), source


def test_no_malloc_no_printf_no_double(objects):
    wanted = set().union(*symbols(objects, "-u").values())
    foreign = {n for n in wanted if not n.startswith(("tk_", "__aeabi_uldiv", "__aeabi_ldiv"))}
    assert foreign <= {"memcpy", "memmove", "memset", "memcmp", "memchr", "strlen"}


def test_stack_frames_are_small_and_fixed(objects):
    frames = {}
    for path in objects.glob("*.su"):
        for line in path.read_text(encoding="utf-8").splitlines():
            place, size, kind = line.split("\t")
            assert kind != "dynamic", line
            frames[place.split(":")[-1]] = int(size)
    assert len(frames) > 50 and max(frames.values()) <= 1024, sorted(frames.items(), key=lambda kv: -kv[1])[:5]


def test_sketch_fits_the_boards_ram_and_its_part_of_the_flash():
    from tinykit.board.virtual.image import board_image

    sections = elf_sections(Path(board_image()).read_bytes())
    ram = sections[".data"] + sections[".bss"]
    flash = sections[".text"] + sections[".data"]
    assert 128 * 1024 < ram < 200 * 1024
    assert flash < 128 * 1024  # of the sketch's 256 KB; the mbed core of a real board takes some 96 KB


STUBS = {  # as much of Arduino's mbed core as nano33_port.h touches, by the signatures of version 4.5
    "USB/PluggableUSBSerial.h": """
        struct UsbStub { bool connected(); void send_nb(uint8_t *, uint32_t, uint32_t *, bool now = true); };
        extern UsbStub _SerialUSB;
        struct DebugStub { uint32_t DEMCR; }; struct DwtStub { uint32_t CTRL, CYCCNT; };
        struct FicrStub { uint32_t DEVICEADDR[2]; };
        extern DebugStub *CoreDebug; extern DwtStub *DWT; extern FicrStub *NRF_FICR;
        enum { CoreDebug_DEMCR_TRCENA_Msk = 1 << 24, DWT_CTRL_CYCCNTENA_Msk = 1 };
        namespace rtos { namespace ThisThread { void yield(); } }
    """,
    "drivers/FlashIAP.h": """#include "../FlashIAP.h" """,
    "malloc.h": "#include <stdlib.h>",
}


def test_the_sketch_for_the_real_board_compiles(tmp_path):
    """Against stand-ins, by Zig: the real headers are not everywhere (test_real_headers.py)."""
    sketch = toolchain.hardware_dir() / "TinyKit" / "examples" / "Board" / "Board.ino"
    arduino = toolchain.hardware_dir() / "virtual" / "arduino"
    for name, text in STUBS.items():
        path = tmp_path / "stub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    flash = (arduino / "FlashIAP.h").read_text(encoding="utf-8") + "\n#define FLASHIAP_APP_ROM_END_ADDR 0x30000u\n"
    (tmp_path / "stub" / "FlashIAP.h").write_text(flash, encoding="utf-8")
    done = run(sys.executable, "-m", "ziglang", "c++", "-std=gnu++14", "-x", "c++", "-Wall", "-Wextra", "-Werror", "-c",
               "-Wno-unused-command-line-argument", f"-I{tmp_path / 'stub'}", f"-I{arduino}", f"-I{arduino.parent}",
               f"-I{SRC}", "-o", tmp_path / "board.o", sketch)  # fmt: skip
    assert done.returncode == 0, done.stderr


def elf_sections(data):
    """Sizes of an ELF32 file's sections by name."""
    at, entry, count, names = (
        int.from_bytes(data[32:36], "little"), *(int.from_bytes(data[o : o + 2], "little") for o in (46, 48, 50))
    )  # fmt: skip
    headers = [data[at + i * entry : at + (i + 1) * entry] for i in range(count)]
    word = lambda header, o: int.from_bytes(header[o : o + 4], "little")  # noqa: E731
    strings = data[word(headers[names], 16) :]
    return {strings[word(h, 0) :].split(b"\0", 1)[0].decode(): word(h, 20) for h in headers}


def test_every_source_says_what_it_is():
    for path in SRC.glob("*.h"):
        assert re.match(r"/\* (tk_\w+|TinyKit): ", path.read_text(encoding="utf-8")), path.name


def test_the_traps_do_trap(tmp_path):
    source = tmp_path / "overflow.c"
    source.write_text("int add(int a, int b) { return a + b; }\n", encoding="utf-8")
    library = toolchain.host_library([source], (), "overflow", TRAPS)
    script = f"import ctypes; print(ctypes.CDLL({str(library)!r}).add(2147483647, %d))"
    assert run(sys.executable, "-c", script % 0).returncode == 0
    assert run(sys.executable, "-c", script % 1).returncode != 0


def test_no_undefined_behaviour_under_random_requests():
    """The device tests again with a library that traps on undefined behaviour (the process would die)."""
    here = Path(__file__).parent
    script = f"""
        import ctypes, random, sys
        sys.path.insert(0, {str(here)!r})
        from tinykit import toolchain
        from tinykit.features import core
        path = toolchain.host_library(toolchain.core_sources(), [{str(SRC)!r}], "traps", {TRAPS!r})
        traps = ctypes.CDLL(str(path))
        for name, (result, arguments) in core._PROTOTYPES.items():
            getattr(traps, name).restype, getattr(traps, name).argtypes = result, arguments
        core.load_core.cache_clear()
        core.load_core = lambda: traps
        import host_device, tinykit.features, tinykit.features.imu
        for module in (host_device, tinykit.features, tinykit.features.imu):
            module.load_core = lambda: traps
        import pytest
        sys.exit(pytest.main(["-q", "-p", "no:cacheprovider",
                              "-k", "not power_cut and not rollbacks_until and not arduinos",
                              *[{str(here)!r} + f"/test_{{n}}.py"
                                for n in ("device", "live", "decide", "slots", "audio", "listen", "text",
                                          "environment")],
                              {str(here.parent / "features" / "test_imu.py")!r},
                              {str(here.parent / "features" / "test_resample.py")!r}]))
    """
    done = run(sys.executable, "-c", textwrap.dedent(script))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
