"""A Nano 33 BLE Sense without the board: the same firmware on an emulated core.

``serial.serial_for_url("virtual://nano33ble")`` opens it like any other serial port. What a cable
and a hand do to a real board is done to ``VirtualBoard``, which every open port has as ``.machine``.
"""

from importlib import import_module

import serial

_HOME = {
    "VirtualBoard": "machine",
    "Faults": "faults",
    "FlashFile": "flash",
    "Replay": "sources",
    "Generator": "sources",
    "Still": "sources",
    "SoundReplay": "sound",
    "Noise": "sound",
    "Room": "environment",
    "RoomReplay": "environment",
    "PushSource": "sound",
    "Together": "sound",
    "PushMotion": "hand",
    "as_source": "sound",
    "board_image": "image",
    "Served": "serve",
}

__all__ = sorted(_HOME)

# pyserial looks here for a module protocol_virtual when it meets virtual://.
if __name__ not in serial.protocol_handler_packages:
    serial.protocol_handler_packages.append(__name__)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
