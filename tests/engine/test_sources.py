"""The engine's C sources compile without a word, as C99, by whatever compilers are here."""

import os
import shutil
import subprocess
import sys

import pytest

from tinykit import toolchain
from tinykit.engine.standalone import include_dirs
from tinykit.toolchain import engine_sources, hardware_dir

SOURCE = hardware_dir() / "TinyKit" / "src"
SOURCES = engine_sources()
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wpedantic", "-Werror"]
# As the Arduino core for the Nano 33 BLE compiles for its processor.
CORTEX = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"]
# Helpers of the compiler's library that cost hundreds of cycles each: double precision, 64-bit division, and
# 64-bit numbers to and from float. By the names of Arm's interface and by those of the libraries themselves.
DEAR = ("__aeabi_d", "__aeabi_f2d", "__aeabi_i2d", "__aeabi_ui2d", "__aeabi_l2d", "__aeabi_ul2d", "__aeabi_ldivmod",
        "__aeabi_uldivmod", "__aeabi_l2f", "__aeabi_ul2f", "__divdi3", "__udivdi3", "__moddi3", "__umoddi3",
        "__divmoddi4", "__udivmoddi4", "__adddf3", "__muldf3", "__divdf3", "__subdf3", "__extendsfdf2",
        "__truncdfsf2", "__floatsidf", "__floatdidf", "__floatdisf", "__fixdfsi")  # fmt: skip


def silent(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


@pytest.mark.parametrize("level", ["-Os", "-O2", "-O3"])
@pytest.mark.parametrize("compiler, flags", [("gcc", []), ("clang", []), ("arm-none-eabi-gcc", CORTEX)])
def test_no_warning(compiler, flags, level, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"There is no {compiler} on this computer.")
    # Several files in one call, objects into the working folder.
    sources = [str(source) for source in SOURCES]
    command = [compiler, "-std=c99", *STRICT, *flags, level, "-c", *sources]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[:2000]


@pytest.fixture(scope="module")
def zig_objects(tmp_path_factory):
    """The sources as Zig's Clang compiles them for the board, under the strict warnings."""
    folder = tmp_path_factory.mktemp("zig")
    cache = str(toolchain.cache_dir() / "zig")
    headers = [f"-I{path}" for path in include_dirs()]
    for source in SOURCES:
        command = [sys.executable, "-m", "ziglang", "cc", "-std=c99", *toolchain.ARM_TARGET, "-O2", *STRICT, *headers,
                   "-fno-sanitize=undefined", "-Wno-overlength-strings",  # assembly of a whole loop is one string
                   "-c", source, "-o", folder / f"{source.stem}.o"]  # fmt: skip
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True,
            env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
        )  # fmt: skip
        assert done.returncode == 0, f"{source.name}: {done.stderr[:2000]}"
    return folder


def test_no_warning_from_zig_for_the_board(zig_objects):
    assert len(list(zig_objects.glob("*.o"))) == len(SOURCES)


def needed(objects) -> dict:
    """Names that each object file wants from elsewhere."""
    return {path.stem: _undefined(path.read_bytes()) for path in sorted(objects.glob("*.o"))}


def _undefined(raw: bytes) -> set:
    """Undefined symbols of a 32-bit ELF object."""
    import struct

    at, size, count = struct.unpack_from("<I", raw, 32)[0], *struct.unpack_from("<HH", raw, 46)
    sections = [struct.unpack_from("<10I", raw, at + size * i) for i in range(count)]
    names = set()
    for section in sections:
        if section[1] != 2:  # the symbol table
            continue
        texts = sections[section[6]][4]
        for place in range(section[4], section[4] + section[5], 16):
            name, _, _, _, _, where = struct.unpack_from("<IIIBBH", raw, place)
            if name and where == 0:
                names.add(raw[texts + name : raw.index(b"\0", texts + name)].decode())
    return names


@pytest.fixture(scope="module")
def gcc_objects(tmp_path_factory):
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("There is no arm-none-eabi-gcc on this computer.")
    folder = tmp_path_factory.mktemp("gcc")
    command = ["arm-none-eabi-gcc", "-std=c99", *CORTEX, "-Os", "-c", *map(str, SOURCES)]
    subprocess.run(command, cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("objects", ["zig_objects", "gcc_objects"])
def test_no_kernel_calls_a_dear_helper(objects, request):
    """Double precision and division of 64 bits are the host's work."""
    found = needed(request.getfixturevalue(objects))
    assert "tk_crc32" in found["tk_plan"], "the symbols are not read"
    dear = {file: sorted(n for n in names if n.startswith(DEAR)) for file, names in found.items()}
    assert not any(dear.values()), {file: names for file, names in dear.items() if names}


def test_headers_are_for_cpp_too(tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("There is no g++ on this computer.")
    sketch = tmp_path / "sketch.cpp"
    text = '#include "tk_engine.h"\nint main() { tk_engine e; return tk_engine_init(&e, 0, 0, 0); }\n'
    sketch.write_text(text, encoding="utf-8")
    silent(["g++", "-std=c++14", "-Wall", "-Wextra", "-Werror", f"-I{SOURCE}", "-c", sketch, "-o", tmp_path / "o"])


def test_nothing_is_allocated_or_printed():
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        for word in ("malloc", "calloc", "free(", "printf", "alloca"):
            assert word not in text, f"{source.name} has {word}"
