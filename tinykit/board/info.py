"""What a board says of itself, and how a notebook shows it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BoardError
from . import messages as m


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
    ``"settling"`` or ``"on"``, empty with a firmware from before sound.
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

    @classmethod
    def parse(cls, payload: bytes) -> BoardInfo:
        """From the reply to INFO."""
        lines = m.parse_info(payload)
        sensors = []
        for text in filter(None, lines.get("sensors", "").split(";")):
            name, part, rate, channels = text.split(":")[:4]
            sensors.append(SensorInfo(name, part, float(rate), tuple(channels.split(","))))
        number = {key: int(lines.get(key) or 0) for key in ("protocol", "virtual", "free_ram", "arena", "slot_bytes")}
        return cls(
            lines.get("board", "unknown"), lines.get("firmware", "unknown"), number["protocol"],
            bool(number["virtual"]), lines.get("id", ""), tuple(sensors), number["free_ram"],
            number["arena"], number["slot_bytes"], lines.get("mic", ""),
        )  # fmt: skip

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
        there = ", ".join(s.name for s in self.sensors) or "none"
        raise BoardError(f"This board has no sensor {sensor!r}; it has: {there}.", "Use one that it has.")

    def require_sound(self) -> None:
        """Raise BoardError when the board's firmware knows nothing of sound."""
        if not self.mic:
            raise BoardError(
                f"The firmware {self.firmware} of this board is too old for sound: it knows no microphone.",
                "Flash hardware/TinyKit/examples/Board of this tinykit, then connect again.",
            )


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
        "Firmware": info.firmware,
        "Sensors": imu,
        "Arena": look.kilobytes(info.arena),
        "Slot": look.kilobytes(info.slot_bytes),
    }
    body = look.facts(facts) + look.table(rows, ["Slot", "State", "Pipeline", "Version", "Size"])
    state = ("ok", "connected") if connected else ("warn", "away")
    return look.card(info.board, look.tag("virtual board") if info.virtual else "", body, state=state)
