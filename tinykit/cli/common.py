"""What the commands share: boards, data and pipelines from words, and what is said."""

from __future__ import annotations

import argparse
import json
import math
import sys

from ..errors import DataError

VIRTUAL = "virtual://nano33ble"


def connect(url, source=None, **options):
    from ..board import connect, firmware

    if url is not None and url.startswith("virtual://"):
        known = url.split("?", 1)[1] if "?" in url else ""
        extra = [f"{name}={value}" for name, value in options.items() if f"{name}=" not in known]
        if extra:
            url += ("&" if known else "?") + "&".join(extra)
    board = connect(url, source=source)
    old = firmware.old_in_words(board)
    if old:
        note(f"{old} Next: `tinykit flash` writes it.")
    return board


def dataset(path):
    from ..data import open_dataset

    found = open_dataset(path)
    for text in found.card.get("notes", ()):
        note(f"Note: {text}")
    return found


def examples(path, plan):
    """The examples of a .npy file, of the type and in the shape that the network takes."""
    import numpy as np

    if not path.is_file():
        raise DataError(f"There is no file {path}.", "Check the name.")
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise DataError(f"{path} is not a .npy file.", "Write one array with np.save.")
    try:
        x = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} is not an array that numpy can read ({error}).", "Write it with np.save.") from None
    takes = np.dtype(plan.input_dtype)
    if x.dtype != takes:
        way = f"Write it as {takes}."
        if takes.kind in "iu":
            ends = np.iinfo(takes)
            way = (f"Quantise it: round(x / {plan.input_scale:.6g}) + {plan.input_zero_point}, "
                   f"clipped to {ends.min}..{ends.max}.")  # fmt: skip
        raise DataError(f"{path} holds {x.dtype}, and the network's input is {takes}.", way)
    shape = tuple(plan.input_shape)
    wanted = f"expected (n, {', '.join(map(str, shape))}), the first axis the examples"
    if x.ndim < 1 or len(x) == 0:
        raise DataError(f"{path} has no examples: its shape is {x.shape}, {wanted}.", "Give at least one example.")
    sides = [n for n in x.shape[1:] if n != 1]
    if x.ndim < 2 or sides not in ([n for n in shape if n != 1], [n for n in [math.prod(shape)] if n != 1]):
        raise DataError(f"{path} has shape {x.shape}, {wanted}.", "Reshape it; one example alone is x[None].")
    return x


def one(some, number: int, place):
    """The one with this number, from 0."""
    if not number < len(some):
        raise DataError(f"{place} has {len(some)}, there is no number {number}.", "Count from 0.")
    return some[number]


def pipeline(path):
    from ..pipeline import Pipeline

    return Pipeline.load(path)


def say(arguments, facts, text):
    print(json.dumps(plain(facts), indent=1) if arguments.json else text)


def plain(facts):
    """The same without NaN and infinity, which JSON has no words for."""
    if isinstance(facts, dict):
        return {key: plain(value) for key, value in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [plain(value) for value in facts]
    return None if isinstance(facts, float) and not math.isfinite(facts) else facts


def note(text):
    print(text, file=sys.stderr)


def agreed(question):
    """Ask on standard error; no answer is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def shown(arguments):
    return not arguments.json and sys.stderr.isatty()


def number(kind, least, most=math.inf, above=False):
    """A reader of numbers within limits, for argparse."""

    def read(text):
        value = kind(text)
        if not (least < value if above else least <= value) or not value <= most or not math.isfinite(value):
            limits = (f"above {least}" if above else f"at least {least}") + f", at most {most}" * (most < math.inf)
            raise argparse.ArgumentTypeError(f"{text} given, must be {limits}")
        return value

    read.__name__ = "whole number" if kind is int else "number"
    return read
