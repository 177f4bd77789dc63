"""Builds: cached by content, whole or not at all, clear when they fail."""

import ctypes
import subprocess
import sys
import textwrap
import time

import pytest

from tinykit import toolchain
from tinykit.errors import BuildError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own for results; the compiler's objects stay shared, to be quick."""
    zig = toolchain.cache_dir() / "zig"
    zig.mkdir(exist_ok=True)
    monkeypatch.setenv("TINYKIT_CACHE", str(tmp_path / "cache"))
    try:
        (toolchain.cache_dir() / "zig").symlink_to(zig, target_is_directory=True)
    except OSError:  # Windows without the right to make links
        pass
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "seven.h").write_text("#define SEVEN 7\n", encoding="utf-8")
    path = folder / "seven.c"
    path.write_text('#include "seven.h"\nint seven(void) { return SEVEN; }\n', encoding="utf-8")
    return path


def test_library_is_built_once(cache, source):
    first = toolchain.host_library([source], name="seven")
    made = first.stat().st_mtime_ns
    assert first.parent == cache / "built" and first.name.startswith("seven-")
    assert ctypes.CDLL(str(first)).seven() == 7
    assert toolchain.host_library([source], name="seven") == first
    assert first.stat().st_mtime_ns == made


def test_any_change_makes_another(cache, source):
    first = toolchain.host_library([source], name="seven")
    other_flags = toolchain.host_library([source], name="seven", flags=["-DX"])
    source.with_name("seven.h").write_text("#define SEVEN 8\n", encoding="utf-8")
    other_header = toolchain.host_library([source], name="seven")
    assert len({first, other_flags, other_header}) == 3
    assert ctypes.CDLL(str(other_header)).seven() == 8
    assert ctypes.CDLL(str(first)).seven() == 7
    source.with_name("seven.h").write_text("#define SEVEN 7\n", encoding="utf-8")
    assert toolchain.host_library([source], name="seven") == first


def test_place_does_not_matter(cache, source, tmp_path):
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for path in source.parent.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert toolchain.host_library([source], name="seven") == toolchain.host_library([copy / "seven.c"], name="seven")


@pytest.mark.parametrize("build", [toolchain.host_library, toolchain.arm_image])
def test_error_is_the_compilers_first(cache, source, build):
    source.write_text("int seven(void) {\n    return sieben;\n}\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"seven\.c:2:12: error: .*sieben"):
        build([source], name="seven")
    assert [p for p in (cache / "built").iterdir()] == []  # and nothing is left


def test_missing_files_and_nothing_to_build(cache, source):
    with pytest.raises(BuildError, match="no source file .*nowhere.c"):
        toolchain.host_library([source.with_name("nowhere.c")])
    with pytest.raises(BuildError, match="No source files"):
        toolchain.host_library([])


def test_undefined_function_is_told(cache, source):
    source.write_text("int eight(void); int seven(void) { return eight() - 1; }\n", encoding="utf-8")
    with pytest.raises(BuildError, match="undefined symbol: eight"):
        toolchain.arm_image([source], keep=["seven"])


def test_sketch_that_is_too_large_is_told(cache, source):
    virtual = toolchain.hardware_dir() / "virtual"
    source.write_text(
        "const char big[300000] = {1}; void tkv_panic(const char *t) { (void)t; for (;;) {} }"
        'void tkv_main(void) { __asm__ volatile("" :: "r"(big)); for (;;) tkv_panic(big); }',
        encoding="utf-8",
    )
    with pytest.raises(BuildError, match="SKETCH|does not fit"):
        toolchain.arm_image([virtual / "start.c", source], [virtual, virtual / "libc"], virtual / "virtual.ld")


def test_two_processes_build_the_same_at_once(cache, source):
    program = textwrap.dedent(f"""
        import time
        from tinykit import toolchain
        time.sleep(max(0, {time.time() + 1.0} - time.time()))
        print(toolchain.host_library([{str(source)!r}], name="both"))
    """)
    running = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    paths = {process.communicate(timeout=300)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert paths == {str(toolchain.host_library([source], name="both"))}


def test_folders():
    assert (toolchain.hardware_dir() / "virtual" / "tk_virtual.h").is_file()
    assert toolchain.data_dir().is_dir()
    assert all(path.suffix == ".c" for path in toolchain.core_sources())
