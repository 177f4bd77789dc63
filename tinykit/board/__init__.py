"""Boards: ports, the link, the virtual board; streams, takes, deploying, live predictions.

Importing this room makes ``virtual://`` a pyserial URL (``tinykit.board.virtual``).
"""

from importlib import import_module

_HOME = {
    "connect": ".connection",
    "Board": ".board",
    "flash": ".flashing",
    "ports": ".port",
    "Port": ".port",
    "Stream": ".stream",
    "Samples": ".samples",
    "Take": ".recorder",
    "Deployment": ".deploy",
    "Live": ".live",
    "Listening": ".live",
    "Played": ".play",
    "Prediction": ".live",
    "VirtualBoard": ".virtual",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__


def _register_virtual() -> None:
    # pyserial looks for a module protocol_virtual in these packages; naming one imports nothing.
    import serial

    package = f"{__name__}.virtual"
    if package not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(package)


_register_virtual()
