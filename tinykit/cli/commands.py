"""The commands, each from its arguments to what it prints."""

from __future__ import annotations

import io
import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from ..errors import BoardError, DataError
from ..files import check_place, write_whole
from . import common, words


def doctor(arguments):
    """Is this computer ready for the course, and each board on USB well?"""
    from ..lab.doctor import doctor

    report = doctor()
    if arguments.mend or arguments.yes:
        common.note(repr(report))
        report = report.mend(lambda question: arguments.yes or common.agreed(question), common.note)
    common.say(arguments, report.as_dict(), repr(report))
    return 0 if report.ok else 1


def ports(arguments):
    """Boards that are there, the virtual one last."""
    from ..board import ports

    found = ports()
    common.say(arguments, {"ports": [port.as_dict() for port in found]}, "\n".join(str(port) for port in found))


def info(arguments):
    """What a board says of itself: firmware, its size, sensors, memory, kernels."""
    with common.connect(arguments.board) as board:
        common.say(arguments, {**board.info.as_dict(), "port": board.port}, f"{'port':10}{board.port}\n{board.info}")


def train(arguments):
    """Train on everything in DATA (but its testing part), quantise, and write one file."""
    import tinykit as tk

    check_place(arguments.out)
    dataset = common.dataset(arguments.data)
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
        common.note(f"{left} of {len(dataset)} recordings are left out of training (testing part or --leave-out).")
    shown = common.shown(arguments)
    if arguments.kind == "keyword":
        pipeline = words.train(arguments, material, shown)
    else:
        options = {} if arguments.epochs is None else {"epochs": arguments.epochs}
        pipeline = tk.train("gesture", material, seed=arguments.seed, model=arguments.model, progress=shown, **options)
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
    common.say(arguments, facts, f"{path}: {pipeline!r}")


def evaluate(arguments):
    """Accuracy, macro F1, confusion, per person; with --board, of the board's own answers."""
    import tinykit as tk

    pipeline = common.pipeline(arguments.file)
    if arguments.stream is not None:
        report = words.stream(arguments, pipeline, common.shown(arguments))
        return common.say(arguments, report.as_dict(), repr(report))
    if arguments.data is None:
        raise DataError("There is nothing to evaluate on.", "Give --data DIR, or --stream FILE.wav --labels FILE.csv.")
    dataset = common.dataset(arguments.data)
    if arguments.part != "all":
        dataset = dataset.select(lambda r: r.split == arguments.part)
    if not dataset.recordings:
        raise DataError(
            f"No recording in {arguments.data} belongs to the part {arguments.part!r}.", "Leave --part out for all."
        )
    if pipeline.kind == "keyword":
        dataset = words.clips(arguments, pipeline, dataset)
    if arguments.board is None:
        report = tk.evaluate(pipeline, dataset)
    else:
        with common.connect(arguments.board, clock="free") as board:
            board.deploy(pipeline, progress=common.shown(arguments))
            report = board.evaluate(dataset, progress=common.shown(arguments))
    known = set(pipeline.provenance.get("recordings", ()))
    seen = sum(r.fingerprint[:12] in known for r in dataset.recordings)
    if seen:
        common.note(f"{seen} of these {len(dataset.recordings)} recordings were trained on: this is not a test.")
    foreign = [label for label in dataset.labels if label not in pipeline.labels]
    if foreign:
        common.note(
            f"{report.unknown} of {len(report)} {report.unit}s have a label that the pipeline does not know "
            f"({', '.join(foreign)}): they count as wrong."
        )
    absent = [label for label in pipeline.labels if label not in dataset.labels]
    if absent:
        common.note(f"No recording here is {' or '.join(absent)}: that is not tested.")
    common.say(arguments, {**report.as_dict(), "trained_on": seen}, repr(report))


def run(arguments):
    """One answer of the network on the board for each example in INPUT (int8, as a rule)."""
    import numpy as np

    from ..engine import compile_network

    check_place(arguments.output)
    plan = compile_network(arguments.model).check_fit()
    x = common.examples(Path(arguments.input), plan)
    with common.connect(arguments.board, clock="free") as board:
        board.deploy(plan, progress=common.shown(arguments))
        y = board.run(x, progress=common.shown(arguments)).reshape(len(x), *plan.output_shape)
    data = io.BytesIO()
    np.save(data, y)
    write_whole(arguments.output, data.getvalue())
    facts = {"output": arguments.output, "examples": int(len(y)), "shape": list(y.shape)}
    common.say(arguments, facts, f"{arguments.output}: {len(y)} answers of shape {y.shape[1:]}")


def cost(arguments):
    """What a network or a pipeline costs on the board, and whether it fits."""
    import tinykit as tk

    from ..engine import bill, timeline

    if arguments.html is not None:
        check_place(arguments.html)
    price = tk.cost(arguments.file)
    fit = tk.fits(price, arguments.on, arguments.every)
    life = price.lifetime(arguments.battery, arguments.every, arguments.sensor) if arguments.battery else None
    if arguments.html is not None:
        write_whole(arguments.html, bill.page(price, fit).encode("utf-8"))
    facts = {**price.as_dict(), "fit": fit.as_dict(), "arena": timeline.tensors(price.plan)}
    if life is not None:
        facts["lifetime_estimated"] = life.as_dict()
    parts = ["\n".join(bill.table(price)) if arguments.layers else bill.text(price, fit)]
    parts += [timeline.text(price.plan)] if arguments.arena else []
    parts += [bill.told(life)] if life is not None else []
    common.say(arguments, facts, "\n\n".join(parts))


def parity(arguments):
    """One window through every computation of a network, layer by layer: where do two of them part?"""
    import tinykit as tk

    from ..engine import compile_network

    path = Path(arguments.file)
    piped = path.suffix == ".tk"
    model = common.pipeline(path) if piped else path
    if arguments.data is not None and not piped:
        raise DataError("A bare .tflite has no front end for recordings.", "Give --input X.npy, or a .tk file.")
    window = None
    if arguments.data is not None:
        window = common.one(common.dataset(arguments.data).recordings, arguments.take, arguments.data)
    elif arguments.input is not None:
        plan = compile_network(model.int8_model if piped else model)
        window = common.one(common.examples(Path(arguments.input), plan), arguments.take, arguments.input)
    if arguments.board is None:
        report = tk.parity(model, window)
    else:
        with common.connect(arguments.board, clock="free") as board:
            board.deploy(model if piped else compile_network(model), progress=common.shown(arguments))
            report = tk.parity(model, window, board)
    common.say(arguments, report.as_dict(), repr(report))
    return 0 if report.exact else 1


def deploy(arguments):
    """Send a pipeline into the board's free slot and switch over."""
    pipeline = common.pipeline(arguments.file)
    with common.connect(arguments.board) as board:
        done = board.deploy(pipeline, progress=common.shown(arguments))
    common.say(arguments, done.as_dict(), repr(done))


def text(arguments):
    """Readings of the board as lines of numbers, until Ctrl-C or --seconds."""
    from ..board import text

    with common.connect(arguments.board) as board:
        if arguments.leave:
            left = board.text(arguments.sensor)
            return common.say(arguments, asdict(left), repr(left))
        port, left = text.hand_over(board, arguments.sensor)
        try:
            for line in text.lines(port, arguments.seconds):
                if arguments.json:
                    try:
                        line = json.dumps(dict(zip(left.channels, map(float, line.split(",")), strict=True)))
                    except ValueError:  # damaged on its way: plain text has no checksum
                        continue
                print(line, flush=True)
        finally:
            text.end(port)


def serve(arguments):
    """The virtual board behind a port that other programs open, until Ctrl-C or --seconds."""
    from ..board.port import open_port
    from ..board.virtual import Served

    if not arguments.board.startswith("virtual://"):
        raise BoardError(f"{arguments.board} is no virtual board.", "A real board has a port already: use that.")
    source = None if arguments.replay is None else words.replayed(arguments.replay)
    with open_port(arguments.board) as port:
        machine = port.machine
    with machine:
        if source is not None:
            machine.source = source
        with Served(machine, arguments.link, b"text\r" if arguments.text else b"", common.note) as served:
            text = f"{served.address}\nOpen this port in another program (115200 baud). Ctrl-C ends it."
            common.say(arguments, {"port": served.address, "board": machine.name}, text)
            sys.stdout.flush()
            threading.Event().wait(arguments.seconds)


def export(arguments):
    """Write a pipeline as a program of its own: an Arduino sketch, or C for any Cortex-M."""
    from ..exchange import export

    made = export(common.pipeline(arguments.file), arguments.kind, arguments.folder)
    common.say(arguments, made.as_dict(), repr(made))


def listen(arguments):
    """Live predictions of the board, one a line, until Ctrl-C or --seconds."""
    import time

    source = None if arguments.replay is None else words.replayed(arguments.replay)
    with common.connect(arguments.board, source=source) as board:
        if arguments.file:
            board.deploy(common.pipeline(arguments.file), progress=common.shown(arguments))
        hears = board.pipeline is not None and board.pipeline.kind == "keyword"
        end = None if arguments.seconds is None else time.monotonic() + arguments.seconds
        with board.listen(arguments.seconds) if hears else board.live() as live:
            for prediction in live:
                line = json.dumps(prediction.as_dict()) if arguments.json else str(prediction)
                print(line, flush=True)
                if end is not None and time.monotonic() >= end:
                    break
