"""Is the engine exact, and what does it need? Every reference network against tflite-micro.

    python benchmarks/engine_exact.py [--inputs 200] [--models DIR] [--json]

For each .tflite in the folder (``TINYKIT_MODELS``, by default ../shared/models beside the checkout):
random int8 examples through the C core on this computer and through TensorFlow Lite Micro's
reference kernels, value by value; one example through the emulated Cortex-M4F as well; sizes,
instructions (counted) and cycles (estimated) of one answer. Where the design states figures of
TensorFlow Lite Micro on the same emulator (release build with CMSIS-NN; its smallest build for
flash), they stand beside ours.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from tinykit.engine import Runtime, compile_network, cost
from tinykit.errors import TinykitError

# MACs -> instructions, estimated cycles, arena bytes, code flash bytes (the design, section 4).
TFLM = {
    2_656_768: (7_698_890, 9_270_569, 22_820, 46_504),
    701_056: (1_858_089, 2_346_255, 9_316, 40_012),
    336_000: (1_494_788, 2_040_401, 6_836, 38_332),
    264_192: (582_924, 726_625, 2_580, 23_284),
    12_501_632: (29_865_910, 36_792_257, 54_996, 43_636),
    7_489_664: (24_101_964, 29_377_501, 100_708, 46_504),
}


def golden(path: Path, x: np.ndarray) -> np.ndarray:
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(path), arena_size=1_000_000)
    answers = []
    for example in x:
        interpreter.set_input(example[None], 0)
        interpreter.invoke()
        answers.append(np.array(interpreter.get_output(0)).ravel())
    return np.stack(answers)


def examples(shape, count: int) -> np.ndarray:
    """Half of them over the whole range, half of low contrast and smooth, as sensors give."""
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (count, int(np.prod(shape))))
    calm = np.cumsum(rng.normal(0, 6, x.shape), axis=1) + rng.integers(-100, 100, (count, 1))
    x[count // 2 :] = np.clip(calm[count // 2 :], -128, 127)
    return x.astype(np.int8).reshape(count, *shape)


def measure(path: Path, inputs: int) -> dict:
    plan = compile_network(path)
    x = examples(plan.input_shape, inputs)
    start = time.perf_counter()
    mine = Runtime(plan).run(x).reshape(inputs, -1)
    seconds = time.perf_counter() - start
    wrong = mine != golden(path, x)
    price = cost(plan)
    return {
        "model": path.stem,
        "inputs": inputs,
        "values": int(wrong.size),
        "mismatches": int(wrong.sum()),
        "host_ms_per_input": round(1000 * seconds / inputs, 3),
        **{k: v for k, v in price.as_dict().items() if k not in ("layers", "name")},
        "tflm": dict(
            zip(("instructions", "cycles", "arena_bytes", "code_flash_bytes"), TFLM.get(price.macs, ()), strict=False)
        ),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--inputs", type=int, default=200)
    default = Path(__file__).resolve().parents[2] / "shared" / "models"
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("TINYKIT_MODELS", default)))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for path in sorted(arguments.models.glob("*.tflite")):
        try:
            rows.append(measure(path, arguments.inputs))
        except TinykitError as error:
            rows.append({"model": path.stem, "refused": str(error)})
    if not rows:
        print(f"There are no .tflite files in {arguments.models}.", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print("| model | inputs | mismatches | plan bytes | arena (TFLM) | code flash (TFLM) | instructions (TFLM) "
              "| est. cycles (TFLM) | ms at 64 MHz, est. |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
        for r in rows:
            if "refused" in r:
                print(f"| {r['model']} | refused: {r['refused']} |")
                continue

            def pair(mine, theirs, r=r):
                return f"{r[mine]:,} ({r['tflm'][theirs]:,})" if r["tflm"] else f"{r[mine]:,}"

            print(f"| {r['model']} | {r['inputs']} | {r['mismatches']} of {r['values']:,} | {r['plan_bytes']:,} | "
                  f"{pair('arena_bytes', 'arena_bytes')} | {pair('code_flash_bytes', 'code_flash_bytes')} | "
                  f"{pair('instructions', 'instructions')} | {pair('cycles_estimated', 'cycles')} | "
                  f"{r['milliseconds_estimated']:.2f} |")  # fmt: skip
    return int(any(r.get("mismatches") for r in rows))


if __name__ == "__main__":
    sys.exit(main())
