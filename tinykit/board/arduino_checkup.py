"""Whether this computer could flash a board: arduino-cli, the core, the libraries."""

from __future__ import annotations

from ..errors import ToolError
from . import firmware
from .arduino_cli import ArduinoCli
from .finding import Finding, Remedy, steps

_NEEDED = "It is needed to flash a real board, once; nothing else needs it."


def arduino() -> list[Finding]:
    """What flashing needs; nothing is asked of the network, and nothing of it is needed without a board."""
    try:
        cli = ArduinoCli.find()
    except ToolError as error:
        return [Finding("arduino-cli", "warn", error.what.rstrip("."), f"{_NEEDED} {error.next}", f"cli_{error.name}")]
    tool = Finding("arduino-cli", "ok", f"{cli.version} ({cli.path})", name="cli")
    try:
        fqbn = firmware.board_package()
        road = firmware.road_for(cli, firmware.sketch_dir(), fqbn)
        built = firmware.is_built(road)
        installed = cli.cores().get(road.core) is not None
    except ToolError as error:
        return [tool, Finding("Arduino core", "warn", error.what.rstrip("."), error.next, f"core_{error.name}")]
    if built:
        return [
            tool,
            Finding("Arduino core", "ok", f"the firmware is compiled, by {road}", name="arduino_core"),
        ]
    if installed and not road.profile and not road.missing:
        return [tool, Finding("Arduino core", "ok", str(road), name="arduino_core")]
    what = "is not installed" if not installed else "or a library of it is not as the firmware needs it"
    return [tool, Finding(
        "Arduino core", "warn", f"{road.core} {what}; flashing will use {road}",
        f"{_NEEDED} With the internet at hand `tinykit flash` brings it (some hundred megabytes); for a class, do it "
        "before: `tinykit doctor --mend`.", "no_core", remedy=_ready(cli, road),
    )]  # fmt: skip


def _ready(cli, road) -> Remedy:
    def act(tell):
        from .flashing import WORDS

        made = firmware.build(cli, road, steps(tell, WORDS))
        found = f"{made.platform or road.core} is here and the firmware is compiled ({made.flash:,} bytes of flash)"
        return Finding("Arduino core", "ok", found, name="core_ready")

    return Remedy(
        f"Download {road.core} {road.core_version} with its compiler and libraries, and compile the firmware (some "
        "hundred megabytes; minutes)", act,
    )  # fmt: skip
