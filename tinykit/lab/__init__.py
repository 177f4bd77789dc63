"""What a notebook shows: live widgets, exercise checks, and the course's workspace.

Each name is loaded when it is first used, so that a check needs no widget and no board.
"""

import sys
from importlib import import_module
from types import ModuleType

# name -> module that defines it
_HOME = {
    "scope": "scope",
    "recorder": "recorder",
    "live": "live",
    "deploy": "deploy",
    "flash": "flash",
    "check": "check",
    "hint": "check",
    "solution": "check",
    "workspace": "workspace",
    "spoiled": "spoil",
    "traces": "picture",
    "gestures": "picture",
    "chart": "picture",
    "table": "picture",
    "windows": "picture",
    "sweep": "sweep",
    "curve": "curve",
    "microphone": "microphone",
    "pad": "pad",
    "features": "sound",
    "play": "sound",
    "doctor": "doctor",
}

__all__ = sorted(_HOME)


class _Lab(ModuleType):
    # Importing tinykit.lab.check would set the attribute ``check`` to the module; keep the function.
    def __setattr__(self, name, value):
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Lab


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tinykit.lab' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
