"""A pipeline as a C99 program: the plan, of the engine only what it uses, and a main."""

from __future__ import annotations

import re

from .. import __version__
from ..engine.plan import compile_plan
from ..engine.standalone import ENTRIES, kinds_source
from ..engine.step import KINDS
from .checks import check_source, checks
from .core_files import SENSOR, needed
from .folder import Made
from .text import array, filled, whole

_CALLED = (*ENTRIES, "tk_engine_reset", "tk_plan_section", "tk_status_name", "tk_solo_init", "tk_solo_put_answer")
_FLAGS = "-std=c99 -O2 -ffp-contract=off -Wall -Wextra -I. -Isrc"
_SMALL = "-ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,-e,reset -Wl,-T,cortex/cortex.ld"
_PARTS = ("Makefile", "README.md", "main.c", "pipeline.c", "pipeline.h", "port.h",
          "host/port.c", "cortex/port.c", "cortex/start.c", "cortex/string.h", "cortex/cortex.ld")  # fmt: skip


def program(pipeline) -> Made:
    """Files of a program that runs a pipeline by tinykit's engine.

    Raises
    ------
    ModelError
        The pipeline has no int8 network, or one that the engine has not.
    """
    plan = compile_plan(pipeline, fit=False)
    kinds = sorted({layer.kind for layer in plan.ops}, key=KINDS.__getitem__)
    files = {f"src/{path.name}": path.read_bytes() for path in needed(_roots(pipeline, kinds), without=("tk_kinds",))}
    files["src/tk_kinds.c"] = kinds_source(kinds).encode("utf-8")
    files["LICENSE"] = filled("LICENSE", {})
    words = _words(pipeline, plan, kinds)
    files |= {name: filled(f"program/{name}", words) for name in _PARTS}
    sources = [
        "main.c",
        "pipeline.c",
        *sorted(name for name in files if name.startswith("src/") and name.endswith(".c")),
    ]
    limits = [f"-D{name}={value}u" for name, value in _limits(pipeline).items()]
    host = [_FLAGS, *limits, *sources, "host/port.c"]
    cortex = [_FLAGS, "-Icortex", *limits, *sources, "cortex/port.c", "cortex/start.c", *_SMALL.split()]
    files["host.args"] = "\n".join([*host, ""]).encode()
    files["cortex.args"] = "\n".join([*cortex, ""]).encode()
    facts = {"plan_bytes": len(plan.bytes), "arena_bytes": plan.arena_bytes, "kinds": kinds}
    run = f"./{words['PROGRAM']} {words['RECORDING']}"
    todo = f"in {{folder}}: cc @host.args -o {words['PROGRAM']}, then {run}; README.md has the rest."
    return Made(files, facts, todo)


def _roots(pipeline, kinds) -> list[str]:
    table = re.findall(r"\btk_(?:check|op)_\w+", kinds_source(kinds))
    return [*_CALLED, *SENSOR[pipeline.sensor], *table]


def _limits(pipeline) -> dict[str, int]:
    """Sizes of the core's rings, which a firmware for all pipelines has larger."""
    if pipeline.sensor == "imu":
        return {
            "TK_WINDOW_MAX": pipeline.window,
            "TK_HISTORY_SAMPLES": 64,
            "TK_SOUND_INPUT_MAX": 1,
            "TK_MEL_FRAME_MAX": 256,
        }
    rows, features = pipeline.input_shape
    points = max(256, 1 << (pipeline.front_end.frame - 1).bit_length())
    return {
        "TK_WINDOW_MAX": 1,
        "TK_MIC_SAMPLES": 4096,
        "TK_SOUND_INPUT_MAX": rows * features,
        "TK_MEL_FRAME_MAX": points,
    }


def _words(pipeline, plan, kinds) -> dict:
    hears = pipeline.sensor == "mic"
    found = checks(pipeline, plan)
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", pipeline.name).strip("_-") or "pipeline"
    first, *others = pipeline.labels
    return {
        "NAME": whole(pipeline.name),
        "PROGRAM": name,
        "FINGERPRINT": pipeline.fingerprint,
        "VERSION": __version__,
        "KIND": pipeline.kind,
        "LABELS": whole(", ".join(pipeline.labels)),
        "FIRST": whole(first),
        "EXAMPLE": whole(" ".join([f"{first}:0.95", *(f"{label}:0.01" for label in others)])),
        "RECORDING": "recording.wav" if hears else "recording.csv",
        "HEARS": int(hears),
        "FLOATS": "; sound wants one, because its front end computes in floats" if hears else "",
        "ARENA": plan.arena_bytes,
        "ARENA_TEXT": f"{plan.arena_bytes:,}",
        "PLAN_BYTES": len(plan.bytes),
        "PLAN_BYTES_TEXT": f"{len(plan.bytes):,}",
        "LINE": line_bytes(pipeline),
        "BLOCK": pipeline.front_end.hop if hears else 1,
        "KINDS_TEXT": f"of tinykit's engine it has the kernels that this network uses ({', '.join(kinds)})",
        "CHECKS": len(found),
        "CHECK_SOURCE": check_source(found, "pipeline_checks"),
        "PLAN": array(plan.bytes),
    }  # fmt: skip


def line_bytes(pipeline) -> int:
    """Room for the longest text of ``tk_solo_text``: what the program says first, and an answer."""
    labels = sum(len(label.encode()) + 8 for label in pipeline.labels)
    return 512 + 2 * labels
