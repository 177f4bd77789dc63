"""Run chains through the engine and through tflite-micro, in a process of their own.

tflite-micro ends the process on some networks that make no sense, and so would an engine that is
wrong enough. As a program this module reads chains, one a line, and says for each what it is doing
(so that a death has a name) and what came of it; ``trials`` is the other end.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


def trial(line: str, say=lambda stage: None) -> dict:
    """One chain: ``{"outcome": ...}`` with equal, different, refused or reference (which can't run it)."""
    import chains
    from golden import answers

    from tinykit.engine import Runtime
    from tinykit.errors import UnsupportedOp

    chain = chains.Chain.parse(line)
    say("building")
    network, built = chains.build(chain)
    found = {"chain": line, "built": built}
    if not built:
        return {**found, "outcome": "empty"}
    say("compiling")
    try:
        engine = Runtime(network)
    except UnsupportedOp as error:
        return {**found, "outcome": "refused", "why": str(error)}
    found["kinds"] = sorted({layer.kind for layer in engine.plan.ops})
    say("running")
    rng = np.random.default_rng([chain.seed, 10**6 + 2])
    x = chains.examples(engine.plan.input_shape, engine.plan.input_dtype, rng)
    mine = engine.run(x, reset=False)  # the reference forgets nothing from one to the next
    say("reference")
    try:
        theirs = answers(network, x)
    except RuntimeError as error:
        return {**found, "outcome": "reference", "why": str(error)}
    mine = mine.reshape(theirs.shape)
    wrong = np.argwhere(~((mine == theirs) | (mine != mine) & (theirs != theirs)))
    found["values"], found["distinct"] = int(mine.size), len(np.unique(theirs))
    if mine.dtype != theirs.dtype:
        return {**found, "outcome": "different", "why": f"{mine.dtype}, reference {theirs.dtype}"}
    if not len(wrong):
        return {**found, "outcome": "equal"}
    at = tuple(int(n) for n in wrong[0])
    why = f"{len(wrong)} of {mine.size} values, first at {at}: {mine[at]}, reference {theirs[at]}; {engine.plan!r}"
    return {**found, "outcome": "different", "why": why}


def trials(lines, workers: int | None = None):
    """Outcomes of many chains, in any order. A chain that kills its process has the outcome died."""
    todo, done = queue.Queue(), queue.Queue()
    lines = list(lines)
    for line in lines:
        todo.put(line)
    threads = [threading.Thread(target=_serve, args=(todo, done), daemon=True)
               for _ in range(workers or min(4, os.cpu_count() or 1))]  # fmt: skip
    for thread in threads:
        thread.start()
    for _ in lines:
        outcome = done.get()
        if isinstance(outcome, BaseException):
            raise outcome
        yield outcome


def _serve(todo, done):
    """Chains to one process after another, until none is left."""
    try:
        while not todo.empty():
            with tempfile.TemporaryFile("w+") as errors:
                _one_process(todo, done, errors)
    except BaseException as error:  # noqa: BLE001  (told to the one who waits)
        done.put(error)


def _one_process(todo, done, errors):
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    with process:
        while True:
            try:
                line = todo.get_nowait()
            except queue.Empty:
                process.stdin.close()
                return
            stage, outcome = "starting", None
            try:
                process.stdin.write(line + "\n")
                process.stdin.flush()
                for answer in process.stdout:
                    if answer.startswith("{"):
                        outcome = json.loads(answer)
                        break
                    stage = answer.strip()
            except BrokenPipeError:
                pass
            if outcome is None:
                code = process.wait()
                errors.seek(0)
                words = errors.read()[-300:]
                done.put(
                    {"chain": line, "outcome": "died", "stage": stage, "why": f"exit {code} while {stage}: {words}"}
                )
                return
            done.put(outcome)


def _main():
    for line in sys.stdin:
        try:
            outcome = trial(line.strip(), lambda stage: print(stage, flush=True))
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
            import traceback

            where = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(where.filename).name}:{where.lineno}"
            outcome = {"chain": line.strip(), "outcome": "failed", "why": f"{type(error).__name__} at {where}: {error}"}
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    _main()
