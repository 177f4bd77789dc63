"""Compile the C core: a shared library for this computer, an image for the Cortex-M4F.

The compiler is Zig's, a Python package, so nothing has to be installed by hand. Results are
kept in ``cache_dir()`` under a name with a hash of everything that goes into them: sources,
headers, flags and the compiler's version. A second call costs some milliseconds; after a
change only the changed sources are compiled again (Zig keeps objects in the same place).
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from .errors import BuildError

ARM_TARGET = ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp")

# Zig would insert traps for undefined behaviour; the core is tested with them on, but what we
# count and run is what the Arduino toolchain would make. No fused multiply-add: a float must
# come out the same on every machine.
_COMMON = ("-O2", "-g0", "-fno-sanitize=undefined", "-ffp-contract=off", "-ffunction-sections",
           "-fdata-sections", "-fno-stack-protector", "-Wall", "-Wextra")  # fmt: skip
_HOST = ("-fPIC", "-mcpu=baseline")
_ARM = ARM_TARGET + ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
_LANGUAGE = {
    "c": ("cc", ("-std=c99",)),
    "c++": ("c++", ("-std=c++14", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-x", "c++")),
}
_CPP = {".ino", ".cpp", ".cc", ".cxx"}
_HEADERS = {".h", ".hpp", ".inc"}
_LOCK = threading.Lock()


def cache_dir() -> Path:
    """Folder for everything that can be made again: ``TINYKIT_CACHE`` or the user's cache folder."""
    if "TINYKIT_CACHE" in os.environ:
        path = Path(os.environ["TINYKIT_CACHE"]).expanduser().absolute()
    else:
        import pooch

        path = Path(pooch.os_cache("tinykit"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def hardware_dir() -> Path:
    """The folder ``hardware/``: of the checkout, or as it came with the installed package."""
    return _shipped("hardware")


def data_dir() -> Path:
    """The folder ``data/``: of the checkout, or as it came with the installed package."""
    return _shipped("data")


def core_sources() -> list[Path]:
    """All C files of the device core, in a fixed order."""
    return sorted((hardware_dir() / "TinyKit" / "src").glob("*.c"))


def engine_sources() -> list[Path]:
    """The C files that read and run a plan: validator, all kernels, and what they need."""
    source = hardware_dir() / "TinyKit" / "src"
    names = ("tk_plan", "tk_check", "tk_kinds", "tk_engine", "tk_crc")
    return [
        *(source / f"{name}.c" for name in names),
        *sorted(source.glob("tk_halves*.c")),
        *sorted(source.glob("tk_op_*.c")),
    ]


def host_library(sources, include_dirs=(), name: str = "core", flags=()) -> Path:
    """Compile C or C++ files into a shared library for this computer.

    Parameters
    ----------
    sources : iterable of path
        ``.c`` is C99; ``.cpp`` and ``.ino`` are C++14 without exceptions.
    include_dirs : iterable of path
        Header folders. Their headers, in subfolders too, are part of the hash.
    name : str
        First part of the file's name.
    flags : iterable of str
        Further compiler flags, after the default ones (so they win).

    Returns
    -------
    Path
        ``.so``, ``.dylib`` or ``.dll``, for ``ctypes.CDLL``.

    Raises
    ------
    BuildError
        The compiler is missing, a source is missing, or it does not compile: with the
        compiler's first error.
    """
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    return _build(sources, include_dirs, name, suffix, _COMMON + _HOST, tuple(flags), ("-shared", "-s"))


def arm_image(sources, include_dirs=(), linker_script=None, name: str = "image", flags=(), keep=()) -> Path:
    """Compile C or C++ files into an ELF image for a Cortex-M4F with nothing under it.

    Parameters
    ----------
    sources, include_dirs, name, flags
        As for ``host_library``. memcpy, memset, integer division and float helpers come from
        Zig's compiler-rt.
    linker_script : path, optional
        Memory layout. Without one, all functions are kept, code from 0x10000 on, data from
        0x20000000 (``hardware/virtual/bare.ld``): to be called one by one by ``engine.cortex``.
    keep : iterable of str, optional
        Names of functions that are needed; what none of them uses is dropped. Without it, and
        without a linker script, nothing is dropped.

    Returns
    -------
    Path
        ELF file with its symbol table.

    Raises
    ------
    BuildError
        As for ``host_library``; also when the image is larger than the linker script allows.
    """
    gc = ("-Wl,--gc-sections",) if keep or linker_script else ("-Wl,--no-gc-sections",)
    script = Path(linker_script or hardware_dir() / "virtual" / "bare.ld").absolute()
    link = ARM_TARGET + (
        "-O2",
        "-Wl,-z,max-page-size=4096",
        *gc,
        *(f"-Wl,-u,{k}" for k in keep),
        "-T",
        str(script),
    )
    return _build(sources, include_dirs, name, ".elf", _COMMON + _ARM, tuple(flags), link, script)


def _build(sources, include_dirs, name, suffix, flags, extra, link, linker_script=None) -> Path:
    sources = [Path(s).absolute() for s in sources]
    include_dirs = [Path(d).absolute() for d in include_dirs]
    missing = [str(p) for p in [*sources, *([linker_script] if linker_script else [])] if not Path(p).is_file()]
    if missing or not sources:
        raise BuildError(
            f"There is no source file {missing[0]}." if missing else f"No source files were given for {name}.",
            "Reinstall tinykit, or check out its hardware folder again.",
        )
    digest = _digest(sources, include_dirs, linker_script, (suffix, *flags, *extra, *_nameless(link)))
    folder = cache_dir() / "built"
    result = folder / f"{name}-{digest}{suffix}"
    if result.exists():
        return result
    folder.mkdir(parents=True, exist_ok=True)
    includes = [f"-I{d}" for d in include_dirs]
    # One build at a time in this process; another process may build the same thing beside us,
    # in its own folder: the last one to finish replaces a file by an equal one.
    with _LOCK, tempfile.TemporaryDirectory(dir=folder, prefix="tmp-") as scratch:
        if result.exists():
            return result
        _tell(f"Compiling tinykit's C code ({name}); this is done once and takes up to a minute.")

        def compile_one(job):
            number, source = job
            language, standard = _LANGUAGE["c++" if source.suffix.lower() in _CPP else "c"]
            target = Path(scratch) / f"{number:03d}-{source.stem}.o"
            _zig(language, *flags, *includes, *extra, *standard, "-c", str(source), "-o", str(target))
            return str(target)

        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
            objects = list(pool.map(compile_one, enumerate(sources)))
        made = Path(scratch) / ("linked" + suffix)
        _zig("c++" if any(s.suffix.lower() in _CPP for s in sources) and suffix == ".elf" else "cc",
             *objects, *link, "-o", str(made))  # fmt: skip
        try:
            os.replace(made, result)
        except OSError:
            if not result.exists():  # Windows: an equal library is there and in use
                raise
    return result


def _tell(text: str) -> None:
    """To people who wait: in a notebook, or at a terminal; not to programs."""
    if "ipykernel" in sys.modules:
        print(text, flush=True)
    elif sys.stderr is not None and sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _zig(*arguments: str) -> None:
    zig_cache = str(cache_dir() / "zig")
    environment = dict(os.environ, ZIG_GLOBAL_CACHE_DIR=zig_cache, ZIG_LOCAL_CACHE_DIR=zig_cache)
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", *arguments],
        env=environment, capture_output=True, text=True, encoding="utf-8", errors="replace",
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise BuildError(f"The C core does not compile: {_first_error(done.stderr)}",
                         "If you changed hardware/, mend that line; else run tinykit doctor.")  # fmt: skip


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if "error:" in line:
            return line
    return lines[-1] if lines else "the compiler said nothing."


def _digest(sources, include_dirs, linker_script, words) -> str:
    digest = hashlib.sha256()
    headers = {
        path
        for folder in {*include_dirs, *(s.parent for s in sources)}
        for path in folder.rglob("*")
        if path.suffix in _HEADERS
    }
    scripts = [Path(linker_script)] if linker_script else []
    # Sources in the caller's order (it is the link order), headers by path. Not the absolute path:
    # two checkouts with the same content share one result.
    for path in [*sources, *sorted(headers), *scripts]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    digest.update("\0".join([*words, _zig_version(), sys.platform, platform.machine()]).encode())
    return digest.hexdigest()[:16]


def _nameless(link) -> tuple[str, ...]:
    """Link flags without the linker script's folder; its content is hashed instead."""
    return tuple(Path(w).name if i and link[i - 1] == "-T" else w for i, w in enumerate(link))


def _zig_version() -> str:
    try:
        return metadata.version("ziglang")
    except metadata.PackageNotFoundError:
        raise BuildError(
            "The compiler (Python package ziglang) is not installed.", "pip install ziglang==0.16.0"
        ) from None


def _shipped(name: str) -> Path:
    here = Path(__file__).resolve().parent
    for path in (here.parent / name, here / "_share" / name):
        if path.is_dir():
            return path
    raise BuildError(
        f"The folder {name}/ that belongs to tinykit was not found (looked beside and in {here}).",
        "Install tinykit again, or work in a checkout.",
    )
