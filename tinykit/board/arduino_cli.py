"""Driving arduino-cli, the user's own: cores, libraries, compiling, uploading.

A thin layer over its commands and their JSON (arduino-cli 1.0 to 1.5). What it relies on:

- results are objects since 1.0; lists in them may be null or missing, any object may have ``warnings``;
- a failed compilation prints its object on standard output, any other failure prints one on standard error;
- with ``--json`` nothing is said before the end, so what downloads runs without it, for the progress;
- after an upload the port may have another name: ``updated_upload_port`` says which.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ToolError
from . import arduino_words as words
from .arduino_run import run

FQBN = "arduino:mbed_nano:nano33ble"
OLDEST = (1, 0)  # its JSON had another form before
PROFILES = (1, 3)  # sketch.yaml may name a local library

_INSTALL_S, _COMPILE_S, _UPLOAD_S, _LOOK_S = 3600, 1800, 180, 300


@dataclass(frozen=True)
class Build:
    """A compiled sketch.

    Parameters
    ----------
    folder : Path
        Where its files are, ``NAME.ino.bin`` among them.
    fqbn : str
        The board package it was compiled for.
    flash, ram : int
        Bytes of program and of static variables, as the linker states them; 0: unknown.
    platform : str
        The core and its version.
    libraries : tuple of str
        With their versions.
    warnings : tuple of str
        Of the compiler, a line each.
    """

    folder: Path
    fqbn: str
    flash: int = 0
    ram: int = 0
    platform: str = ""
    libraries: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """For JSON."""
        return {**asdict(self), "folder": str(self.folder)}


class ArduinoCli:
    """The arduino-cli of this computer.

    Parameters
    ----------
    path : str
        The executable.

    Attributes
    ----------
    version : str
        Its own word for it, such as ``"1.5.1"``.

    Raises
    ------
    ToolError
        It does not run, or is older than 1.0 (``absent``, ``old``).
    """

    def __init__(self, path):
        self.path = str(path)
        # --format, not --json: versions that are too old have to understand it as well.
        answer = self._ask("version", "--format", "json", json_flag=False)
        self.version = str(answer.get("VersionString") or "unknown")
        if self._older_than(OLDEST):
            raise ToolError(
                "old", f"{self.path} is arduino-cli {self.version}; tinykit needs 1.0 or later.",
                f"Update it, or name a newer one in TINYKIT_ARDUINO_CLI. {words.INSTALL}",
            )  # fmt: skip

    @classmethod
    def find(cls) -> ArduinoCli:
        """The one that ``TINYKIT_ARDUINO_CLI`` names, else in ``PATH``, else the Arduino IDE 2's own copy.

        Raises
        ------
        ToolError
            There is none (``absent``), or all that there are are too old (``old``).
        """
        named = os.environ.get("TINYKIT_ARDUINO_CLI")
        if named:
            return cls(named)
        failure = None
        for path in _places():
            try:
                return cls(path)
            except ToolError as error:
                failure = failure or error
        raise failure or ToolError(
            "absent", "arduino-cli was not found: not in PATH, nor in an Arduino IDE 2.",
            f"{words.INSTALL} If it is there already, name it in the environment variable TINYKIT_ARDUINO_CLI.",
        )  # fmt: skip

    @property
    def has_profiles(self) -> bool:
        """Whether it can build from a ``sketch.yaml`` with a library beside it (1.3)."""
        return not self._older_than(PROFILES)

    def cores(self) -> dict[str, str]:
        """Installed cores and their versions: ``{"arduino:mbed_nano": "4.6.0"}``."""
        platforms = self._ask("core", "list").get("platforms") or ()
        return {p["id"]: str(p.get("installed_version") or "") for p in platforms if p.get("id")}

    def libraries(self) -> dict[str, str]:
        """Installed libraries and their versions; not those that come with a core."""
        found = {}
        for entry in self._ask("lib", "list").get("installed_libraries") or ():
            library = entry.get("library") or {}
            if library.get("name"):
                found[library["name"]] = str(library.get("version") or "")
        return found

    def install_core(self, core: str, version: str = "", progress=None) -> None:
        """Install a core with its tools into the user's Arduino folder; some hundred megabytes.

        Parameters
        ----------
        core : str
            As ``arduino:mbed_nano``.
        version : str
            Empty: the newest.
        progress : callable, optional
            Called with (step, text): ``"download"`` and the tool's own words.

        Raises
        ------
        ToolError
        """
        self._install("core", "update-index", progress=progress)
        self._install("core", "install", f"{core}@{version}" if version else core, progress=progress)

    def install_libraries(self, libraries, progress=None) -> None:
        """Install libraries, ``NAME`` or ``NAME@VERSION`` each, into the user's Arduino folder.

        Raises
        ------
        ToolError
        """
        libraries = list(libraries)
        if libraries:
            self._install("lib", "update-index", progress=progress)
            self._install("lib", "install", *libraries, progress=progress)

    def fetch(self, sketch, profile: str, progress=None) -> None:
        """Download what a profile of ``sketch.yaml`` names, apart from the user's own cores and libraries.

        Raises
        ------
        ToolError
        """

        def told(step, line):
            if not re.match(r"[\w.-]+=", line):  # the properties themselves, of which there are hundreds
                progress(step, line)

        # Asking for the properties of a build loads the profile, and compiles nothing.
        arguments = ("compile", "--profile", profile, "--show-properties", str(sketch))
        self._install(*arguments, progress=progress and told)

    def compile(self, sketch, build, fqbn: str = FQBN, profile: str = "", libraries=(), progress=None) -> Build:
        """Compile a sketch.

        Parameters
        ----------
        sketch : path
            Its folder.
        build : path
            Folder for the results; it is made.
        fqbn : str
            The board package.
        profile : str
            Of ``sketch.yaml``: its core and libraries instead of the user's own.
        libraries : iterable of path
            Folders of libraries to use beside the installed ones; not with a profile.
        progress : callable, optional
            Called with (step, text): ``"compile"`` and how many files are done.

        Raises
        ------
        ToolError
            ``compile``, ``no_core``, ``no_library``, ``too_large``, ``offline``...
        """
        build = Path(build)
        build.mkdir(parents=True, exist_ok=True)
        target = ["--profile", profile] if profile else [f"--library={Path(folder)}" for folder in libraries]
        arguments = ["compile", "--fqbn", fqbn, *target, "--build-path", str(build), "--export-binaries=false"]

        def tick():
            if progress is not None:
                files = sum(1 for _ in build.rglob("*.o"))
                progress("compile", f"{files} files" if files else "preparing")

        tick()  # a tool that is quick must not pass untold
        answer = self._ask(*arguments, str(sketch), task="compile", limit=_COMPILE_S, tick=tick)
        return _build_of(answer, build, fqbn)

    def upload(self, sketch, build: Build, port: str, profile: str = "", progress=None) -> str:
        """Upload a compiled sketch; it resets the board itself.

        Parameters
        ----------
        sketch : path
        build : Build
        port : str
        profile : str
            As for ``compile``.
        progress : callable, optional
            Called with (step, text): ``"upload"`` and an empty text, while it goes on.

        Returns
        -------
        str
            The port afterwards, as far as arduino-cli saw it; maybe of another name, maybe not there yet.

        Raises
        ------
        ToolError
            ``no_board``, ``busy``, ``no_rights``, ``cable``...
        """
        target = ["--fqbn", build.fqbn, *(["--profile", profile] if profile else [])]
        arguments = ["upload", *target, "--port", port, "--input-dir", str(build.folder), "--verbose", str(sketch)]
        tick = None if progress is None else lambda: progress("upload", "")
        answer = self._ask(*arguments, task="upload", limit=_UPLOAD_S, tick=tick, port=port)
        return (answer.get("updated_upload_port") or {}).get("address") or port

    # -- inside --------------------------------------------------------------------------------------

    def _older_than(self, wanted: tuple) -> bool:
        numbers = re.match(r"(\d+)\.(\d+)", self.version)
        # A nightly build has no number: it is new enough.
        return bool(numbers) and "git" not in self.version and tuple(map(int, numbers.groups())) < wanted

    def _ask(self, *arguments, task="look", limit=_LOOK_S, tick=None, port="", json_flag=True) -> dict:
        command = [self.path, *arguments, *(["--json"] if json_flag else [])]
        ended = run(command, limit, tick=tick)
        answer = parse(ended.out)
        if not ended.code:
            return answer
        answer = answer or parse(ended.err)
        inner = answer.get("output") or {}
        said = [answer.get("error"), *(answer.get("warnings") or ()), inner.get("stderr"), inner.get("stdout")]
        said += [answer.get("compiler_err"), answer.get("compiler_out")] if answer else [ended.err, ended.out]
        raise words.explain(
            task, ended.code, answer, "\n".join(filter(None, said)), self.path, port, _report(command, ended)
        )

    def _install(self, *arguments, progress=None) -> None:
        command = [self.path, *arguments, "--no-color"]
        told = None if progress is None else lambda line: progress("download", line)
        ended = run(command, _INSTALL_S, told)
        if ended.code:
            raise words.explain(
                "install", ended.code, {}, f"{ended.err}\n{ended.out}", self.path, "", _report(command, ended)
            )


def parse(text: str) -> dict:
    """The JSON object in a text; an empty one where there is none. Nothing is said by some commands."""
    for line in re.finditer(r"^\{", text, re.MULTILINE):  # what is inside the object is indented
        try:
            return json.JSONDecoder().raw_decode(text, line.start())[0]
        except ValueError:
            continue
    return {}


def _build_of(answer: dict, folder: Path, fqbn: str) -> Build:
    built = answer.get("builder_result") or {}
    sizes = {s.get("name"): int(s.get("size") or 0) for s in built.get("executable_sections_size") or ()}
    core = built.get("board_platform") or {}
    used = (f"{x.get('name', '')} {x.get('version', '')}".strip() for x in built.get("used_libraries") or ())
    warned = (words.place(d) for d in built.get("diagnostics") or () if str(d.get("severity")).upper() == "WARNING")
    return Build(
        folder, fqbn, sizes.get("text", 0), sizes.get("data", 0),
        f"{core.get('id', '')} {core.get('version', '')}".strip(), tuple(used), tuple(warned),
    )  # fmt: skip


def _report(command, ended) -> str:
    return "\n".join([" ".join(command), f"exit code {ended.code}", ended.out.strip(), ended.err.strip()]).strip()


def _places():
    """Where an arduino-cli may be, the likeliest first."""
    found = shutil.which("arduino-cli")
    if found:
        yield found
    home = Path.home()
    inside = Path("resources", "app", "lib", "backend", "resources", "arduino-cli")
    if sys.platform == "win32":
        roots = [os.environ.get(name) for name in ("LOCALAPPDATA", "ProgramFiles", "ProgramW6432")]
        tops = [Path(root) for root in roots if root]
        places = [top / more / "Arduino IDE" / inside for top in tops for more in ("Programs", "")]
        places += [top / "Arduino CLI" / "arduino-cli" for top in tops]
        places = [place.with_suffix(".exe") for place in places]
    elif sys.platform == "darwin":
        # A notebook that was not started from a terminal has a short PATH: look where Homebrew puts it.
        places = [Path("/opt/homebrew/bin/arduino-cli"), Path("/usr/local/bin/arduino-cli")]
        inside = Path("Arduino IDE.app", "Contents", "Resources", *inside.parts[1:])
        places += [Path("/Applications") / inside, home / "Applications" / inside]
    else:
        places = [home / "bin" / "arduino-cli", home / ".local" / "bin" / "arduino-cli", Path("/snap/bin/arduino-cli")]
        ide = shutil.which("arduino-ide")
        places += [Path(ide).resolve().parent / inside] if ide else []
        folders = (Path("/opt"), home, home / "Downloads", home / "Applications")
        places += [ide / inside for folder in folders for ide in sorted(folder.glob("arduino-ide*"), reverse=True)]
    yield from (str(place) for place in places if place.is_file() and str(place) != found)
