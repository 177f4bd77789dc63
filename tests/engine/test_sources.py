"""The engine's C sources compile without a word, as C99, by whatever compilers are here."""

import shutil
import subprocess

import pytest

from tinykit.toolchain import engine_sources, hardware_dir

SOURCE = hardware_dir() / "TinyKit" / "src"
SOURCES = engine_sources()
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wpedantic", "-Werror"]
CORTEX = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"]


@pytest.mark.parametrize("level", ["-Os", "-O2"])
@pytest.mark.parametrize("compiler, flags", [("gcc", []), ("clang", []), ("arm-none-eabi-gcc", CORTEX)])
def test_no_warning(compiler, flags, level, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"There is no {compiler} on this computer.")
    for source in SOURCES:
        command = [compiler, "-std=c99", *STRICT, *flags, level, "-c", source, "-o", tmp_path / "out.o"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{source.name}: {done.stderr[:2000]}"


def test_headers_are_for_cpp_too(tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("There is no g++ on this computer.")
    sketch = tmp_path / "sketch.cpp"
    text = '#include "tk_engine.h"\nint main() { tk_engine e; return tk_engine_init(&e, 0, 0, 0); }\n'
    sketch.write_text(text, encoding="utf-8")
    command = ["g++", "-std=c++14", "-Wall", "-Wextra", "-Werror", f"-I{SOURCE}", "-c", sketch, "-o", tmp_path / "o"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


def test_nothing_is_allocated_or_printed():
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        for word in ("malloc", "calloc", "free(", "printf", "alloca"):
            assert word not in text, f"{source.name} has {word}"
