"""What the engine needs for each network, beside TensorFlow Lite Micro with CMSIS-NN; and is it exact?

    python benchmarks/engine [--models DIR] [--inputs 20] [--json FILE]

For each .tflite in the folder (``TINYKIT_MODELS``, by default ../shared/models beside the checkout):
instructions (counted) and cycles (estimated) of one answer on the emulated Cortex-M4F, as Zig's Clang
and as arm-none-eabi-gcc build the engine; arena, plan, and the code that a program made for this
network alone needs. The answers to random and to realistic inputs, on this computer and (one each) on
the emulated core, are compared with those of the tflite-micro package, value by value.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import arm_gcc
import inputs
import numpy as np
import tflm
from report import report

from tinykit.engine import Runtime, compile_network
from tinykit.engine.meter import run_on_core
from tinykit.engine.standalone import stand_alone
from tinykit.engine.step import KINDS
from tinykit.errors import TinykitError

SHARED = Path(__file__).resolve().parents[3] / "shared"


def measure(path: Path, count: int, data: Path) -> dict:
    """All figures of one network."""
    plan = compile_network(path)
    dtype = np.dtype(getattr(plan, "input_dtype", np.int8))
    known = getattr(tflm.FIGURES.get(plan.macs), "name", "")
    real, words = inputs.realistic(plan.input_shape, dtype, count, data, f"{path.stem} {known}")
    row = {"model": path.stem, "network": known, "macs": plan.macs,
           "arena": plan.arena_bytes, "plan_bytes": len(plan.bytes), "realistic": words}  # fmt: skip
    for name, x in (("random", inputs.random(plan.input_shape, dtype, count)), ("realistic", real)):
        theirs = tflm.answers(path, x)
        mine = Runtime(plan).run(x, reset=False).reshape(theirs.shape)  # theirs remembers earlier examples
        row[f"{name}_inputs"], row[f"{name}_values"] = count, int(mine.size)
        row[f"{name}_wrong"] = int((mine != theirs).sum())
        row[f"{name}_levels"] = len(np.unique(theirs))
    kinds = tuple(sorted({layer.kind for layer in plan.ops}, key=KINDS.__getitem__))
    builds = {"clang": (None, stand_alone(plan).flash_bytes)}
    if arm_gcc.version():
        builds["gcc"] = (arm_gcc.image(), arm_gcc.flash_bytes(kinds))
    first = Runtime(plan).run(real[:1])[0]
    for name, (image, flash) in builds.items():
        answer, total, parts = run_on_core(plan, real[0], image)
        row[name] = {
            "instructions": total.instructions,
            "cycles_estimated": total.cycles,
            "code_flash": flash,
            "answers_as_this_computer": bool(np.array_equal(answer, first)),
            "layers": [{"name": o.name, "kind": o.kind, "macs": o.macs, "cycles_estimated": p.cycles}
                       for o, p in zip(plan.ops, parts, strict=True)],
        }  # fmt: skip
    return row


def main() -> int:
    """Measure and print; exit status 1 if a single value differs."""
    parser = argparse.ArgumentParser(prog="python benchmarks/engine", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("TINYKIT_MODELS", SHARED / "models")))
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TINYKIT_DATA", SHARED / "data")))
    parser.add_argument("--inputs", type=int, default=20, help="random ones, and as many realistic ones")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, layer by layer")
    parser.add_argument("--layers", action="store_true", help="cycles a MAC of every layer as well")
    arguments = parser.parse_args()
    rows = []
    for path in sorted(arguments.models.glob("*.tflite")):
        print(f"{path.stem} ...", file=sys.stderr, flush=True)
        try:
            rows.append(measure(path, arguments.inputs, arguments.data))
        except TinykitError as error:
            rows.append({"model": path.stem, "refused": str(error)})
    if not rows:
        print(f"There are no .tflite files in {arguments.models}.", file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps({"gcc": arm_gcc.version(), "networks": rows}, indent=1) + "\n")
    print(report(rows, arm_gcc.version(), arguments.layers))
    return int(any(not exact(row) for row in rows if "refused" not in row))


def exact(row: dict) -> bool:
    """Whether not one value of a network's answers differs."""
    cores = all(row[name]["answers_as_this_computer"] for name in ("clang", "gcc") if name in row)
    return cores and not row["random_wrong"] and not row["realistic_wrong"]


if __name__ == "__main__":
    sys.exit(main())
