"""What a board says of itself, and how a notebook shows it."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass

from ..engine.plan import FORMAT
from ..engine.step import KINDS
from ..errors import BoardError
from . import messages as m
from .port import FLASH

# A firmware from before 0.2 doesn't say what it can run: this.
_FIRST_FORMAT, _FIRST_KINDS = 1, "1-12"


@dataclass(frozen=True)
class SensorInfo:
    """A sensor as the board states it: ``name`` ("imu"), ``part``, ``rate_hz``, ``channels``."""

    name: str
    part: str
    rate_hz: float
    channels: tuple[str, ...]


@dataclass(frozen=True)
class BoardInfo:
    """What a board says of itself; sizes in bytes.

    ``free_ram`` is what nothing uses, ``arena`` what networks may use, ``slot_bytes`` the largest
    plan that a slot holds, ``mic`` what the microphone did when the board was asked: ``"off"``,
    ``"settling"`` or ``"on"``, empty with a firmware from before sound. ``flash`` is what the firmware
    takes itself and ``ram`` what its static variables take, the arena among them (0: it doesn't say);
    ``plan_format`` and ``kinds`` are the plans that it reads and the kinds of op that it can run.
    """

    board: str
    firmware: str
    protocol: int
    virtual: bool
    id: str
    sensors: tuple[SensorInfo, ...]
    free_ram: int
    arena: int
    slot_bytes: int
    mic: str = ""
    flash: int = 0
    ram: int = 0
    plan_format: int = FORMAT
    kinds: tuple[int, ...] = tuple(KINDS.values())

    @classmethod
    def parse(cls, payload: bytes) -> BoardInfo:
        """From the reply to INFO."""
        lines = m.parse_info(payload)
        sensors = []
        for text in filter(None, lines.get("sensors", "").split(";")):
            name, part, rate, channels = text.split(":")[:4]
            sensors.append(SensorInfo(name, part, float(rate), tuple(channels.split(","))))
        numbers = ("protocol", "virtual", "free_ram", "arena", "slot_bytes", "flash", "ram")
        number = {key: int(lines.get(key) or 0) for key in numbers}
        return cls(
            lines.get("board", "unknown"), lines.get("firmware", "unknown"), number["protocol"],
            bool(number["virtual"]), lines.get("id", ""), tuple(sensors), number["free_ram"],
            number["arena"], number["slot_bytes"], lines.get("mic", ""), number["flash"], number["ram"],
            int(lines.get("plan_format") or _FIRST_FORMAT), _kinds(lines.get("kinds") or _FIRST_KINDS),
        )  # fmt: skip

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kinds of op that it can run, as far as this tinykit knows them."""
        return tuple(name for name, number in KINDS.items() if number in self.kinds)

    def as_dict(self) -> dict:
        """For JSON."""
        return {**asdict(self), "kernels": list(self.kernels)}

    def __str__(self) -> str:
        sensors = "; ".join(f"{s.name}: {s.part}, {s.rate_hz:g} Hz" for s in self.sensors) or "none"
        missing = [name for name, number in KINDS.items() if number not in self.kinds]
        lines = {
            "board": f"{self.board}{' (virtual)' if self.virtual else ''} {self.id}".rstrip(),
            "firmware": f"{self.firmware}, {self.size_in_words}",
            "sensors": sensors,
            "networks": f"arena {self.arena:,} bytes of RAM, {self.slot_bytes:,} bytes of flash in each of two slots",
            "kernels": f"{len(self.kernels)}: {', '.join(self.kernels)}",
            "lacks": f"{', '.join(missing)}: a newer firmware has them" if missing else "",
        }
        indent = " " * 10
        return "\n".join(
            textwrap.fill(f"{name:10}{text}", 100, subsequent_indent=indent) for name, text in lines.items() if text
        )

    @property
    def size_in_words(self) -> str:
        """Flash and static RAM of the firmware itself, as a clause."""
        if not self.flash:
            return "of unknown size"
        return f"{self.flash:,} bytes of flash, {self.ram:,} bytes of static RAM (arena {self.arena:,} of them)"

    def require_plan(self, plan) -> None:
        """Raise BoardError, naming op and layer, when the firmware can't run a plan."""
        form = int.from_bytes(plan.bytes[4:6], "little")
        if plan.bytes[:4] == b"TKPL" and form != self.plan_format:
            raise BoardError(
                f"The firmware {self.firmware} of this board reads plans of format {self.plan_format}, this tinykit "
                f"writes format {form}.",
                FLASH if form > self.plan_format else "Install the tinykit that the firmware came with.",
            )
        for layer in plan.ops:
            if KINDS[layer.kind] not in self.kinds:
                raise BoardError(
                    f"The firmware {self.firmware} of this board has no kernel {layer.kind}, which layer {layer.name} "
                    f"of {plan.name} needs.",
                    FLASH,
                )

    def require(self, sensor: str) -> None:
        """Raise BoardError, with what to do, when the board has no such sensor."""
        if any(s.name == sensor for s in self.sensors):
            return
        if sensor == "mic":
            self.require_sound()
            raise BoardError(
                f"This {self.board} has no microphone that answers.",
                "Use a Nano 33 BLE Sense, or the virtual board: tk.connect('virtual').",
            )
        if sensor == "environment":
            known = tuple(int(part) for part in self.firmware.split(".") if part.isdigit()) >= (0, 3)
            raise BoardError(
                f"None of the environment sensors of this {self.board} answers."
                if known
                else f"The firmware {self.firmware} of this board knows no environment sensors; 0.3.0 does.",
                "Use a Nano 33 BLE Sense (the Nano 33 BLE has none), or tk.connect('virtual')." if known else FLASH,
            )
        there = ", ".join(s.name for s in self.sensors) or "none"
        raise BoardError(f"This board has no sensor {sensor!r}; it has: {there}.", "Use one that it has.")

    def require_sound(self) -> None:
        """Raise BoardError when the board's firmware knows nothing of sound."""
        if not self.mic:
            raise BoardError(
                f"The firmware {self.firmware} of this board is too old for sound: it knows no microphone.",
                FLASH,
            )


def _kinds(text: str) -> tuple[int, ...]:
    """ "1-3,5" -> 1, 2, 3, 5; what is no number is left out."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (last.isdigit() or not last):
            found += range(int(first), min(int(last or first), 65535) + 1)
    return tuple(found)


def _size(info: BoardInfo, look):
    if info.flash:
        yield f"{look.kilobytes(info.flash)} of flash"
        yield f"{look.kilobytes(info.ram)} of static RAM, the arena among them"


def card(info: BoardInfo, port: str, connected: bool, slots, versions):
    """A board as a card in the lab's look: facts, and what is in its slots."""
    from .. import look

    imu = "; ".join(f"{s.name}: {s.part}, {s.rate_hz:g} Hz" for s in info.sensors) or "none"
    rows = []
    for slot in slots:
        entry = versions.entry(slot.crc) or {}
        version = f"v{entry['version']}" if entry else ""
        what = "active" if slot.active else slot.state
        size = look.kilobytes(slot.length) if slot.length else ""
        rows.append([slot.letter, what, slot.name, version, size])
    facts = {
        "Port": look.mono(port),
        "Firmware": look.dots(info.firmware, *_size(info, look), f"{len(info.kernels)} kernels"),
        "Sensors": imu,
        "Arena": look.kilobytes(info.arena),
        "Slot": look.kilobytes(info.slot_bytes),
    }
    body = look.facts(facts) + look.table(rows, ["Slot", "State", "Pipeline", "Version", "Size"])
    state = ("ok", "connected") if connected else ("warn", "away")
    return look.card(info.board, look.tag("virtual board") if info.virtual else "", body, state=state)
