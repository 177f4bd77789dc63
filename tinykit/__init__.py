"""tinykit: learn and prototype TinyML in a notebook, with or without a board.

Everything a notebook uses is here; each name is loaded when it is first used, so that
``import tinykit`` stays quick and TensorFlow is loaded only by what needs it.
"""

from importlib import import_module

__version__ = "0.1.0"

# name -> module that defines it; None: the name is itself a room.
_HOME = {
    "Pipeline": "tinykit.pipeline",
    "TinykitError": "tinykit.errors",
    "Dataset": "tinykit.data",
    "Recording": "tinykit.data",
    "open_dataset": "tinykit.data",
    "sample": "tinykit.data",
    "audit": "tinykit.data",
    "keywords": "tinykit.data",
    "train": "tinykit.models",
    "train_word": "tinykit.models",
    "baselines": "tinykit.models",
    "quantize": "tinykit.compress",
    "evaluate": "tinykit.engine",
    "evaluate_stream": "tinykit.engine",
    "tune": "tinykit.engine",
    "compare": "tinykit.engine",
    "cost": "tinykit.engine",
    "fits": "tinykit.engine",
    "parity": "tinykit.engine",
    "connect": "tinykit.lab.offer",
    "flash": "tinykit.board",
    "ports": "tinykit.board",
    "export": "tinykit.exchange",
    "workspace": "tinykit.lab",
    "doctor": "tinykit.lab.doctor",
    "lab": None,
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tinykit' has no attribute {name!r}")
    home = _HOME[name]
    value = import_module(f"tinykit.{name}") if home is None else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
