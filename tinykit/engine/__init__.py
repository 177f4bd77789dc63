"""From an int8 .tflite to a plan; what it costs; and the exact answers a board will give."""

from importlib import import_module

_HOME = {
    "compile_plan": "plan",
    "compile_network": "plan",
    "Plan": "plan",
    "Runtime": "runtime",
    "answers": "evaluation",
    "evaluate": "evaluation",
    "compare": "comparison",
    "cost": "costs",
    "fits": "fit",
    "parity": "lens",
    "ParityReport": "parity_report",
    "stream_answers": "streaming",
    "StreamAnswers": "streaming",
    "detections": "detection",
    "Detection": "detection",
    "score": "detection",
    "StreamScore": "detection",
    "Curve": "tuning",
    "curve": "tuning",
    "tune": "tuning",
    "evaluate_stream": "listening",
    "StreamReport": "listening",
    "harvest": "listening",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tinykit.engine' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
