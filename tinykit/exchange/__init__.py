"""A pipeline for others' tools: an Arduino sketch on TensorFlow Lite Micro, a C program for any Cortex-M."""

from importlib import import_module

_HOME = {"export": "export", "Exported": "export"}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tinykit.exchange' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
