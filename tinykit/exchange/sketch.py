"""A pipeline as an Arduino sketch on TensorFlow Lite Micro."""

from __future__ import annotations

import re

from .. import __version__
from ..engine.plan import compile_plan
from ..engine.tflite import read_network
from ..errors import DataError, DoesNotFit, ModelError
from ..features import pack_section
from .allocation import Allocation, allocation
from .checks import check_source, checks
from .core_files import SENSOR, needed
from .dense import without_many_scales
from .folder import Made
from .operators import LIBRARY, methods
from .program import line_bytes
from .text import array, filled, whole

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")  # of a sketch and its folder
_CALLED = ("tk_solo_init", "tk_solo_put_answer", "tk_schedule_reading")
_LIBRARIES = {
    "imu": (("Arduino_LSM9DS1", "1.1.1"), ("Arduino_BMI270_BMM150", "1.2.3"), LIBRARY),
    "mic": (LIBRARY,),
}
_SENSOR_TEXT = {
    "imu": "the IMU of either revision: an LSM9DS1 or a BMI270",
    "mic": "the microphone, by the board package's PDM library",
}
# Of 256 kB: the mbed core with its stacks and drivers, and what the sketch keeps besides the arena.
_RAM = 256 * 1024
_TAKEN = {"imu": (47 + 17 + 11 + 4) * 1024, "mic": (46 + 17 + 33 + 17 + 4) * 1024}
_HEAP = 8 * 1024
_PARTS = ("README.md", "sketch.yaml", "network.cpp", "network.h", "model.cpp", "model.h", "sensor.h")


def sketch(pipeline, name: str) -> Made:
    """Files of a sketch that runs a pipeline by TensorFlow Lite Micro.

    Parameters
    ----------
    pipeline : Pipeline
    name : str
        Of the sketch, and of the folder that it will be in.

    Raises
    ------
    DataError
        No sketch can have that name.
    ModelError
        The pipeline has no int8 network, or one that can't be checked or run there.
    DoesNotFit
        Its arena is larger than the board's RAM.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"An Arduino sketch can't be called {name!r}, as its folder would be.",
            "Give a folder with a name of letters, digits, _, . and -, at most 63 of them.",
        )
    plan = compile_plan(pipeline, fit=False)
    model, changed = without_many_scales(pipeline.int8_model)
    network = read_network(model, pipeline.name)
    found = checks(pipeline, plan)
    if changed and found != checks(pipeline, compile_plan(pipeline.with_(int8_model=model), fit=False)):
        raise ModelError(
            f"{pipeline.name} answers otherwise after its dense layers were made convolutions.",
            "Report this as a fault, with the .tk file; tinykit export c works without that step.",
        )
    arena = allocation(model, network)
    _check_fit(pipeline, arena)
    section = pack_section(
        pipeline, network.input.scale, network.input.zero_point, network.output.scale, network.output.zero_point
    )
    called = methods(network)
    words = _words(pipeline, name, model, section, found, called, arena, changed)
    files = {f"src/{path.name}": path.read_bytes() for path in needed((*_CALLED, *SENSOR[pipeline.sensor]))}
    files |= {part: filled(f"sketch/{part}", words) for part in _PARTS}
    files["sensor.cpp"] = filled(f"sketch/sensor_{pipeline.sensor}.cpp", words)
    files[f"{name}.ino"] = filled("sketch/sketch.ino", words)
    files["LICENSE"] = filled("LICENSE", {})
    facts = {
        "network_bytes": len(model),
        "arena_bytes": arena.bytes,
        "arena_source": arena.source,
        "operations": [method[3:] for method in called],
        "libraries": [f"{library} {version}" for library, version in _LIBRARIES[pipeline.sensor]],
        "dense_layers_as_convolutions": changed,
    }
    return Made(files, facts, "arduino-cli compile --profile nano33ble {folder}, then upload; README.md says how.")


def _check_fit(pipeline, arena: Allocation) -> None:
    room = _RAM - _TAKEN[pipeline.sensor] - _HEAP
    if arena.bytes > room:
        raise DoesNotFit(
            f"{pipeline.name} needs an arena of {arena.bytes:,} bytes in TensorFlow Lite Micro ({arena.source}); the "
            f"board has about {room:,} left for it.",
            "Use fewer filters or a larger stride; tinykit export c, and tinykit deploy, need less.",
        )


def _words(pipeline, name, model, section, found, called, arena, changed) -> dict:
    first, *others = pipeline.labels
    libraries = _LIBRARIES[pipeline.sensor]
    many = "1 dense layer is" if changed == 1 else f"{changed} dense layers are"
    note = (
        f"\n\nIn this network {many} written as a convolution with a kernel of 1x1, with the same answers: the library "
        "knows one scale for all weights of a dense layer, and this network has one for each output."
    )
    return {
        "SKETCH": name,
        "NAME": whole(pipeline.name),
        "KIND": pipeline.kind,
        "FINGERPRINT": pipeline.fingerprint,
        "VERSION": __version__,
        "LABELS": whole(", ".join(pipeline.labels)),
        "FIRST": whole(first),
        "EXAMPLE": whole(" ".join([f"{first}:0.95", *(f"{label}:0.01" for label in others)])),
        "SENSOR_TEXT": _SENSOR_TEXT[pipeline.sensor],
        "LIBRARY": " ".join(LIBRARY),
        "LIBRARIES": "\n".join(f"      - {library} ({version})" for library, version in libraries),
        "LIBRARY_TEXT": ", ".join(library for library, _ in libraries),
        "LINE": line_bytes(pipeline),
        "METHOD_COUNT": len(called),
        "METHODS": "\n".join(f"    resolver.{method}();" for method in called),
        "METHODS_TEXT": ", ".join(f"`{method}`" for method in called),
        "ARENA": arena.bytes,
        "ARENA_BYTES_TEXT": f"{arena.bytes:,}",
        "ARENA_TEXT": arena.source,
        "NETWORK_BYTES": len(model),
        "NETWORK_BYTES_TEXT": f"{len(model):,}",
        "NETWORK": array(model),
        "SECTION_BYTES": len(section),
        "SECTION": array(section),
        "CHECKS": len(found),
        "CHECK_SOURCE": check_source(found, "model_checks"),
        "DENSE_TEXT": f"; of it {many} written as a convolution" if changed else "",
        "DENSE_NOTE": note if changed else "",
    }
