"""The firmware that comes with this tinykit: where its sketch is, its version, and how it is built."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import ToolError
from ..files import write_whole
from ..toolchain import cache_dir, hardware_dir
from .arduino_cli import FQBN, ArduinoCli, Build

SKETCH_BYTES = 0x50000 - 0x10000  # slot A begins there: hardware/README.md


@dataclass(frozen=True)
class Pins:
    """What a ``sketch.yaml`` names: its profile, board package, core and libraries, with versions."""

    profile: str
    fqbn: str
    core: str
    core_version: str
    libraries: dict[str, str]

    @classmethod
    def read(cls, sketch) -> Pins:
        """From the sketch's folder; the first profile counts."""
        text = (Path(sketch) / "sketch.yaml").read_text(encoding="utf-8")
        core = re.search(r"^ +- platform: (\S+) \((\S+)\)", text, re.MULTILINE)
        return cls(
            re.search(r"^profiles:\s*\n  ([\w.-]+):", text, re.MULTILINE)[1],
            re.search(r"^ +fqbn: (\S+)", text, re.MULTILINE)[1],
            core[1], core[2], dict(re.findall(r"^ +- (?!platform:|dir:)([\w .-]+) \((\S+)\)", text, re.MULTILINE)),
        )  # fmt: skip


@dataclass(frozen=True)
class Road:
    """How a sketch is going to be built.

    Parameters
    ----------
    fqbn : str
    profile : str
        Of its ``sketch.yaml``, with a core and libraries apart from the user's own; empty: with the user's own.
    core, core_version : str
        What is used.
    missing : tuple of str
        What has to be downloaded into the user's own folder first, ``NAME@VERSION`` each, the core first.
    """

    fqbn: str
    profile: str
    core: str
    core_version: str
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.profile:
            return f"{self.core} {self.core_version}, as sketch.yaml pins it, apart from your own cores and libraries"
        installed = f", after installing {', '.join(self.missing)}" if self.missing else ""
        return f"your own {self.core} {self.core_version}{installed}"


def sketch_dir() -> Path:
    """Folder of the firmware's sketch."""
    return hardware_dir() / "TinyKit" / "examples" / "Board"


def shipped() -> str:
    """Version of the firmware that comes with this tinykit, such as ``"0.3.0"``."""
    text = (hardware_dir() / "TinyKit" / "src" / "tk_protocol.h").read_text(encoding="utf-8")
    return re.search(r'TK_FIRMWARE_VERSION "([^"]+)"', text)[1]


def is_old(version: str) -> bool:
    """Whether a board's firmware is older than the one that comes with this tinykit."""
    return numbers(version) < numbers(shipped())


def old_in_words(board) -> str:
    """A sentence where a board's firmware is older; such a board works, but for what is new. Else empty.

    The virtual board always runs the firmware of this tinykit.
    """
    version = board.info.firmware
    if board.is_virtual or not is_old(version):
        return ""
    return f"The board's firmware is {version}; {shipped()} comes with this tinykit."


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, to be compared; ``(0,)`` where there are none."""
    return tuple(int(n) for n in re.findall(r"\d+", version.split("-")[0])) or (0,)


def board_package(fqbn: str | None = None) -> str:
    """The board package: as given, else in ``TINYKIT_FQBN``, else ``arduino:mbed_nano:nano33ble``.

    Raises
    ------
    ToolError
        It is none (``no_core``).
    """
    fqbn = fqbn or os.environ.get("TINYKIT_FQBN") or FQBN
    if not re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+(:\S+)?", fqbn):
        raise ToolError(
            "no_core", f"{fqbn!r} is no board package; expected PACKAGE:ARCHITECTURE:BOARD.",
            f"Correct TINYKIT_FQBN, or leave it away: {FQBN} is the default.",
        )  # fmt: skip
    return fqbn


def road_for(cli: ArduinoCli, sketch, fqbn: str) -> Road:
    """How a sketch is built on this computer, asking nothing of the network.

    The user's own core and libraries, where they are as new as ``sketch.yaml`` wants them; else those that
    it pins, apart, so that nothing of the user's changes. An arduino-cli that can't do that (before 1.3),
    or another board package, gets what is missing installed.
    """
    pins = Pins.read(sketch)
    core = ":".join(fqbn.split(":")[:2])
    pinned = core == pins.core
    cores, libraries = cli.cores(), cli.libraries()
    wanted = pins.core_version if pinned else ""
    missing = []
    # Installed by hand it has no version: whoever did that knows why. Another major version is another core.
    own = cores.get(core)
    same = own is not None and (not own or not wanted or numbers(own)[0] == numbers(wanted)[0])
    if not same or (own and wanted and numbers(own) < numbers(wanted)):
        missing.append(f"{core}@{wanted}" if wanted else core)
    for name, version in pins.libraries.items():
        if name not in libraries or numbers(libraries[name]) < numbers(version):
            missing.append(f"{name}@{version}")
    if missing and pinned and cli.has_profiles:
        return Road(fqbn, pins.profile, core, pins.core_version)
    return Road(fqbn, "", core, wanted if missing[:1] == [f"{core}@{wanted}"] else own or wanted, tuple(missing))


def build(cli: ArduinoCli, road: Road, progress=None) -> Build:
    """Compile the firmware; a second time it is taken as it is.

    Parameters
    ----------
    cli : ArduinoCli
    road : Road
    progress : callable, optional
        Called with (step, text).

    Raises
    ------
    ToolError
        As ``ArduinoCli.compile``; ``too_large`` also when it would run into slot A.
    """
    folder = cache_dir() / "arduino"
    result = folder / f"Board-{_digest(road)}"
    if not (result / "build.json").is_file():
        cores = [name for name in road.missing if ":" in name]
        for core, _, version in (name.partition("@") for name in cores):
            cli.install_core(core, version, progress)
        cli.install_libraries([name for name in road.missing if name not in cores], progress)
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own: two notebooks may build at the same time, and the one that is later takes over.
        with tempfile.TemporaryDirectory(dir=folder, prefix="tmp-", ignore_cleanup_errors=True) as scratch:
            sketch = stage(road, scratch)
            if road.profile:
                cli.fetch(sketch, road.profile, progress)
            libraries = () if road.profile else (hardware_dir() / "TinyKit",)
            made = cli.compile(sketch, Path(scratch) / "build", road.fqbn, road.profile, libraries, progress)
            _check_size(made)
            _keep(made, Path(scratch) / "kept", result)
    facts = json.loads((result / "build.json").read_text(encoding="utf-8"))
    return Build(**{**facts, "folder": result, "libraries": tuple(facts["libraries"]),
                    "warnings": tuple(facts["warnings"])})  # fmt: skip


def stage(road: Road, folder) -> Path:
    """Copy the sketch into a folder, as arduino-cli is to have it; returns the copy.

    With a profile its ``sketch.yaml`` names the folder of the library too; without one it has none, so that
    no version of the tool stumbles over it.
    """
    copy = Path(folder) / sketch_dir().name
    copy.mkdir(exist_ok=True)
    for file in sketch_dir().iterdir():
        if file.suffix in (".ino", ".h", ".cpp", ".c"):
            write_whole(copy / file.name, file.read_bytes())
    if road.profile:
        text = (sketch_dir() / "sketch.yaml").read_text(encoding="utf-8")
        library = str(hardware_dir() / "TinyKit").replace("'", "''")
        text = text.replace("    libraries:\n", f"    libraries:\n      - dir: '{library}'\n", 1)
        write_whole(copy / "sketch.yaml", text.encode("utf-8"))
    return copy


def is_built(road: Road) -> bool:
    """Whether ``build`` would have nothing to do."""
    return (cache_dir() / "arduino" / f"Board-{_digest(road)}" / "build.json").is_file()


def _check_size(made: Build) -> None:
    images = list(made.folder.glob("*.ino.bin"))
    size = images[0].stat().st_size if images else made.flash
    if size > SKETCH_BYTES:
        raise ToolError(
            "too_large", f"The firmware is {size:,} bytes; {SKETCH_BYTES:,} are its place, after which slot A begins.",
            "Nothing was sent. Use the core that hardware/TinyKit/examples/Board/sketch.yaml names.",
        )  # fmt: skip


def _keep(made: Build, part: Path, result: Path) -> None:
    """Keep what an upload needs, whole or not at all."""
    part.mkdir()
    for file in made.folder.glob("*.ino.*"):
        if file.is_file():
            shutil.copy2(file, part)
    (part / "build.json").write_text(json.dumps(made.as_dict()), encoding="utf-8")
    try:
        os.replace(part, result)
    except OSError:
        if not (result / "build.json").is_file():  # another process was quicker; its result is the same
            raise


def _digest(road: Road) -> str:
    """Of all that goes into the firmware."""
    root = hardware_dir() / "TinyKit"
    digest = hashlib.sha256("\0".join([road.fqbn, road.profile, road.core, road.core_version]).encode())
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".c", ".h", ".inc", ".cpp", ".ino", ".yaml")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
