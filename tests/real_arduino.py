"""The Arduino tools' own compiler flags and headers, to compile sketches against what a real board has.

The sources of Arduino's mbed core and libraries are found in the folder ``TINYKIT_ARDUINO`` (by default
``../.mirror`` beside the checkout): for each repository ``owner+name`` with either its files or its bare
git directory ``repo`` in it. They are not part of the project; without them, tests skip and say so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tinykit import toolchain

ROOT = Path(__file__).resolve().parents[1]
GCC = shutil.which("arm-none-eabi-gcc")
CORE = "arduino+ArduinoCore-mbed"
API = "arduino+ArduinoCore-API"
# Not the core's libraries for other boards, nor its binaries, which a mirror may lack.
_PARTS = {CORE: ("cores", "libraries/Wire", "libraries/PDM", "libraries/SPI", "variants/ARDUINO_NANO33BLE",
                 ":(exclude)variants/ARDUINO_NANO33BLE/libs")}  # fmt: skip


def folder_of(repository: str) -> Path:
    """Folder with the files of a repository, such as ``arduino-libraries+Arduino_LSM9DS1``; or a skip."""
    base = Path(os.environ.get("TINYKIT_ARDUINO", ROOT.parent / ".mirror"))
    place = base / repository
    if (place / "repo" / "HEAD").is_file():
        return _unpacked(place / "repo", repository)
    if not place.is_dir():
        pytest.skip(f"{repository} is not here: set TINYKIT_ARDUINO to the folder that has it (looked in {base}).")
    return place


@cache
def _unpacked(git: Path, repository: str) -> Path:
    def run(*words):
        return subprocess.run(["git", f"--git-dir={git}", *words], check=True, capture_output=True).stdout

    target = toolchain.cache_dir() / "arduino" / f"{repository}-{run('rev-parse', 'HEAD').decode()[:12]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "files"
        archive = Path(scratch) / "files.tar"
        run("archive", "-o", str(archive), "HEAD", "--", *_PARTS.get(repository, (".",)))
        shutil.unpack_archive(archive, made)
        try:
            made.rename(target)
        except OSError:
            assert target.is_dir()  # another process was faster
    return target


class MbedCore:
    """Compiles as the recipe in the core's platform.txt does for ``nano33ble``, with all warnings on.

    Parameters
    ----------
    libraries : sequence of str
        Repositories of the libraries that a sketch includes, besides those of the core itself.
    folder : Path
        For what is compiled, and for the link to the API that an installed core has within it.
    """

    def __init__(self, libraries, folder: Path):
        if GCC is None:
            pytest.skip("arm-none-eabi-gcc is not installed: sketches are compiled for the virtual board alone.")
        core = folder_of(CORE)
        self.folder = folder
        self._includes = [folder_of(name) / "src" for name in libraries]
        self._includes += [core / "libraries" / name for name in ("Wire", "SPI")]
        self._includes.append(core / "libraries" / "PDM" / "src")
        variant = core / "variants" / "ARDUINO_NANO33BLE"
        api = core / "cores" / "arduino" / "api"
        above = [] if (api / "ArduinoAPI.h").is_file() else [self._api()]
        self._includes += [*above, core / "cores" / "arduino", api / "deprecated", api / "deprecated-avr-comp", variant]
        self._common = [
            f"@{variant / 'defines.txt'}", "-nostdlib", "-DARDUINO_ARCH_NRF52840", "-DARDUINO=10607",
            "-DARDUINO_ARDUINO_NANO33BLE", "-DARDUINO_ARCH_MBED_NANO", "-DARDUINO_ARCH_MBED",
            "-DARDUINO_LIBRARY_DISCOVERY_PHASE=0", "-mcpu=cortex-m4", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16",
        ]  # fmt: skip
        self._last = ["-iprefix", str(core / "cores" / "arduino"), f"@{variant / 'includes.txt'}"]
        self._flags = {"c": f"@{variant / 'cflags.txt'}", "c++": f"@{variant / 'cxxflags.txt'}"}

    def _api(self) -> Path:
        """The API's headers by the name ``api``; above it, those of old that the core's own path names."""
        link = self.folder / "api"
        if not link.exists():
            shutil.copytree(folder_of(API) / "api", link)
        for old in ("deprecated", "deprecated-avr-comp"):
            self._includes.append(link / old)
        return self.folder

    def compile(self, source: Path, includes=(), flags=()) -> tuple[Path, list[str]]:
        """Object of a sketch or source file, and the warnings that are about the project's own files.

        Fails the test, with the compiler's words, when it does not compile.
        """
        source, language = Path(source), "c" if Path(source).suffix == ".c" else "c++"
        head = ["-include", "Arduino.h"] if Path(source).suffix == ".ino" else []
        made = self.folder / f"{source.name}.o"
        words = [
            GCC if language == "c" else GCC.replace("gcc", "g++"), "-c", "-g3", *self._common, self._flags[language],
            "-Wall", "-Wextra", "-Wunused-parameter", "-Wmissing-field-initializers", *flags,
            *(f"-I{folder}" for folder in [*includes, *self._includes]), *self._last,
            "-x", language, *head, str(source), "-o", str(made),
        ]  # fmt: skip
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, f"{source}:\n{done.stderr[-4000:]}"
        ours = {str(Path(p)) for p in [source.parent, *includes]}
        told = re.findall(r"^(.+?):\d+:\d+: warning: .*$", done.stderr, re.M)
        lines = re.findall(r"^.+?:\d+:\d+: warning: .*$", done.stderr, re.M)
        return made, [line for file, line in zip(told, lines, strict=True) if str(Path(file).parent) in ours]
