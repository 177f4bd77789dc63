"""All that a notebook does, from a terminal: ``tinykit COMMAND --help`` says more.

Numbers that a program would read come with ``--json``, one object on standard output; progress and
complaints go to standard error. Exit status: 0 done, 1 refused (one sentence says why), 2 wrong words.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from pathlib import Path

from . import __version__
from .errors import DataError, TinykitError
from .files import check_place, write_whole

VIRTUAL = "virtual://nano33ble"


def main(argv=None) -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return arguments.command(arguments) or 0
    except TinykitError as error:
        return _refuse(arguments, error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # whatever the system says no to, and no room has put into words
        what = f"{error.filename}: {error.strerror}." if error.filename and error.strerror else f"{error}."
        return _refuse(arguments, TinykitError(what, "Check the name, its rights and the free space."))
    except KeyboardInterrupt:
        _note("tinykit: stopped.")
        return 130


def _refuse(arguments, error):
    if getattr(arguments, "json", False):
        print(json.dumps({"error": type(error).__name__, "what": error.what, "next": error.next}))
    _note(f"tinykit: {error}")
    return 1


# --- the commands ---------------------------------------------------------------------------------


def doctor(arguments):
    """Is this computer ready for the course?"""
    from .lab.doctor import doctor

    report = doctor()
    _say(arguments, report.as_dict(), repr(report))
    return 0 if report.ok else 1


def ports(arguments):
    """Boards that are there, the virtual one last."""
    from .board import ports

    found = ports()
    _say(arguments, {"ports": [port.as_dict() for port in found]}, "\n".join(str(port) for port in found))


def train(arguments):
    """Train on everything in DATA (but its testing part), quantise, and write one file."""
    import tinykit as tk

    check_place(arguments.out)
    dataset = _dataset(arguments.data)
    unknown = [person for person in arguments.leave_out if person not in dataset.persons]
    if unknown:
        raise DataError(
            f"There is nobody called {', '.join(unknown)} in {arguments.data}; the persons are "
            f"{', '.join(dataset.persons) or 'not known'}.",
            "Give names as they are there.",
        )
    material = dataset.select(lambda r: r.split != "testing" and r.person not in arguments.leave_out)
    left = len(dataset) - len(material)
    if left:
        _note(f"{left} of {len(dataset)} recordings are left out of training (testing part or --leave-out).")
    options = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    shown = _shown(arguments)
    pipeline = tk.train(arguments.kind, material, seed=arguments.seed, model=arguments.model, progress=shown, **options)
    pipeline = tk.quantize(pipeline, material)
    path = pipeline.save(arguments.out)
    facts = {
        "file": str(path),
        "fingerprint": pipeline.fingerprint,
        "labels": list(pipeline.labels),
        "window": pipeline.window,
        "rate_hz": pipeline.rate_hz,
        "trained_on": len(material),
        "provenance": pipeline.provenance,
    }
    _say(arguments, facts, f"{path}: {pipeline!r}")


def evaluate(arguments):
    """Accuracy, macro F1, confusion, per person; with --board, of the board's own answers."""
    import tinykit as tk

    pipeline = _pipeline(arguments.file)
    dataset = _dataset(arguments.data)
    if arguments.part != "all":
        dataset = dataset.select(lambda r: r.split == arguments.part)
    if not dataset.recordings:
        raise DataError(
            f"No recording in {arguments.data} belongs to the part {arguments.part!r}.", "Leave --part out for all."
        )
    if arguments.board is None:
        report = tk.evaluate(pipeline, dataset)
    else:
        with _connect(arguments.board, clock="free") as board:
            board.deploy(pipeline, progress=_shown(arguments))
            report = board.evaluate(dataset, progress=_shown(arguments))
    known = set(pipeline.provenance.get("recordings", ()))
    seen = sum(r.fingerprint[:12] in known for r in dataset.recordings)
    if seen:
        _note(f"{seen} of these {len(dataset.recordings)} recordings were trained on: this is not a test.")
    foreign = [label for label in dataset.labels if label not in pipeline.labels]
    if foreign:
        _note(
            f"{report.unknown} of {len(report)} {report.unit}s have a label that the pipeline does not know "
            f"({', '.join(foreign)}): they count as wrong."
        )
    absent = [label for label in pipeline.labels if label not in dataset.labels]
    if absent:
        _note(f"No recording here is {' or '.join(absent)}: that is not tested.")
    _say(arguments, {**report.as_dict(), "trained_on": seen}, repr(report))


def run(arguments):
    """One answer of the network on the board for each example in INPUT (int8 in, int8 out)."""
    import numpy as np

    from .engine import compile_network

    check_place(arguments.output)
    plan = compile_network(arguments.model).check_fit()
    x = _examples(Path(arguments.input), plan)
    with _connect(arguments.board, clock="free") as board:
        board.deploy(plan, progress=_shown(arguments))
        y = board.run(x, progress=_shown(arguments)).reshape(len(x), *plan.output_shape)
    data = io.BytesIO()
    np.save(data, y)
    write_whole(arguments.output, data.getvalue())
    facts = {"output": arguments.output, "examples": int(len(y)), "shape": list(y.shape)}
    _say(arguments, facts, f"{arguments.output}: {len(y)} answers of shape {y.shape[1:]}")


def cost(arguments):
    """What a network or a pipeline costs on the board."""
    import tinykit as tk

    path = Path(arguments.file)
    price = tk.cost(_pipeline(path) if path.suffix == ".tk" else path)
    _say(arguments, price.as_dict(), repr(price))


def deploy(arguments):
    """Send a pipeline into the board's free slot and switch over."""
    pipeline = _pipeline(arguments.file)
    with _connect(arguments.board) as board:
        done = board.deploy(pipeline, progress=_shown(arguments))
    _say(arguments, done.as_dict(), repr(done))


def listen(arguments):
    """Live predictions of the board, one a line, until Ctrl-C or --seconds."""
    import time

    source = None if arguments.replay is None else _dataset(arguments.replay)
    with _connect(arguments.board, source=source) as board:
        if arguments.file:
            board.deploy(_pipeline(arguments.file), progress=_shown(arguments))
        end = None if arguments.seconds is None else time.monotonic() + arguments.seconds
        with board.live() as live:
            for prediction in live:
                line = json.dumps(prediction.as_dict()) if arguments.json else str(prediction)
                print(line, flush=True)
                if end is not None and time.monotonic() >= end:
                    break


# --- what they share ------------------------------------------------------------------------------


def _connect(url, source=None, **options):
    from .board import connect

    if url is not None and url.startswith("virtual://"):
        known = url.split("?", 1)[1] if "?" in url else ""
        extra = [f"{name}={value}" for name, value in options.items() if f"{name}=" not in known]
        if extra:
            url += ("&" if known else "?") + "&".join(extra)
    return connect(url, source=source)


def _dataset(path):
    from .data import open_dataset

    dataset = open_dataset(path)
    for note in dataset.card.get("notes", ()):
        _note(f"Note: {note}")
    return dataset


def _examples(path, plan):
    """The int8 examples of a .npy file, in the shape that the network takes."""
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
    if x.dtype != np.int8:
        raise DataError(
            f"{path} holds {x.dtype}, and the network's input is int8.",
            f"Quantise it: round(x / {plan.input_scale:.6g}) + {plan.input_zero_point}, clipped to -128..127.",
        )
    shape = tuple(plan.input_shape)
    wanted = f"expected (n, {', '.join(map(str, shape))}), the first axis the examples"
    if x.ndim < 1 or len(x) == 0:
        raise DataError(f"{path} has no examples: its shape is {x.shape}, {wanted}.", "Give at least one example.")
    sides = [n for n in x.shape[1:] if n != 1]
    if x.ndim < 2 or sides not in ([n for n in shape if n != 1], [n for n in [math.prod(shape)] if n != 1]):
        raise DataError(f"{path} has shape {x.shape}, {wanted}.", "Reshape it; one example alone is x[None].")
    return x


def _pipeline(path):
    from .pipeline import Pipeline

    return Pipeline.load(path)


def _say(arguments, facts, text):
    print(json.dumps(_plain(facts), indent=1) if arguments.json else text)


def _plain(facts):
    """The same without NaN and infinity, which JSON has no words for."""
    if isinstance(facts, dict):
        return {key: _plain(value) for key, value in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [_plain(value) for value in facts]
    return None if isinstance(facts, float) and not math.isfinite(facts) else facts


def _note(text):
    print(text, file=sys.stderr)


def _shown(arguments):
    return not arguments.json and sys.stderr.isatty()


def _number(kind, least, most=math.inf, above=False):
    """A reader of numbers within limits, for argparse."""

    def read(text):
        value = kind(text)
        if not (least < value if above else least <= value) or not value <= most or not math.isfinite(value):
            limits = (f"above {least}" if above else f"at least {least}") + f", at most {most}" * (most < math.inf)
            raise argparse.ArgumentTypeError(f"{text} given, must be {limits}")
        return value

    read.__name__ = "whole number" if kind is int else "number"
    return read


def _parser():
    parser = argparse.ArgumentParser(prog="tinykit", description="TinyML from sensor to live prediction.")
    parser.add_argument("--version", action="version", version=f"tinykit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, name=None):
        text = function.__doc__.splitlines()[0]
        words = commands.add_parser(name or function.__name__, help=text, description=text)
        words.add_argument("--json", action="store_true", help="one JSON object instead of text")
        words.set_defaults(command=function)
        return words

    def board(words, default=None, text="port of the board, or virtual://nano33ble"):
        words.add_argument("--board", "--port", dest="board", metavar="URL", default=default, help=text)

    def data(words):
        words.add_argument("--data", required=True, metavar="DIR", help="a tinykit dataset or another known format")

    command(doctor)
    command(ports)

    words = command(train)
    words.add_argument("kind", choices=["gesture"], help="what to train")
    data(words)
    words.add_argument("--out", required=True, metavar="FILE.tk")
    words.add_argument("--seed", type=_number(int, 0, 2**32 - 1), default=0)
    words.add_argument("--model", default="auto", help="name from the zoo (default: auto)")
    words.add_argument("--epochs", type=_number(int, 1))
    words.add_argument("--leave-out", nargs="+", default=[], metavar="PERSON", help="persons not to train on")

    words = command(evaluate)
    words.add_argument("file", metavar="FILE.tk")
    data(words)
    words.add_argument("--part", choices=["all", "training", "validation", "testing"], default="all")
    board(words, text="ask the board for the answers (default: the same C code on this computer)")

    words = command(run)
    words.add_argument("model", metavar="MODEL.tflite")
    words.add_argument("--input", required=True, metavar="X.npy")
    words.add_argument("--output", required=True, metavar="Y.npy")
    board(words, VIRTUAL)

    words = command(cost)
    words.add_argument("file", metavar="MODEL.tflite|FILE.tk")

    words = command(deploy)
    words.add_argument("file", metavar="FILE.tk")
    board(words)

    words = command(listen)
    words.add_argument("file", nargs="?", metavar="FILE.tk", help="deploy this first")
    board(words)
    words.add_argument("--seconds", type=_number(float, 0, above=True))
    words.add_argument("--replay", metavar="DIR", help="what a virtual board's hand does: recordings of DIR")
    return parser


if __name__ == "__main__":
    sys.exit(main())
