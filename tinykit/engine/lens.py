"""The parity lens: one window through every computation of a network, layer by layer."""

from __future__ import annotations

import zlib

import numpy as np

from ..errors import BoardError, DataError, DeviceError, ModelError
from ..pipeline import Pipeline
from .parity_report import ParityReport
from .parting import BOARD, FLOAT, HOST, MICRO, TFLITE, layer
from .plan import Plan, compile_network, compile_plan
from .runtime import Runtime
from .taps import Tap, taps
from .tflite import DTYPES, Tensor, read_bytes

_SEED = 0


def parity(model, window=None, board=None) -> ParityReport:
    """One window through float Keras, int8 TFLite, tflite-micro, the host's core and the board.

    What each of them has behind every layer is compared with its neighbour's. tflite-micro, the host and the
    board must agree in every bit; the first layer at which two of them part is named and drawn. Float and int8
    always differ: there the lens shows where the quantisation error grows.

    Parameters
    ----------
    model : Pipeline, or bytes or path of an int8 .tflite
        A bare .tflite has no float network, so its column is left out.
    window : Recording, or array, optional
        Of a pipeline: a take (its middle window), one window as int16 counts of shape (window, channels), or
        float features or int8 values of the network's input shape. Of a bare .tflite: one input, of its type or float.
        Default: noise, always the same.
    board : Board, optional
        On which this very model is deployed. It computes op by op, and its memory is read in between.

    Returns
    -------
    ParityReport
        ``first``: where neighbours part; ``most_lost``: where int8 loses most; ``rows``: every layer.

    Raises
    ------
    ModelError
        There is no int8 network, the engine can't run it, or the board runs another.
    DataError
        The window does not fit the network.
    """
    plan, network = _compiled(model)
    pipeline = model if isinstance(model, Pipeline) else None
    counts, seen, x, what = _input(pipeline, plan, window)
    seams = taps(plan)
    indices = [tap.tensor.index for tap in seams[1:]]
    columns, left_out, notes = {}, {}, []

    def take(column: str, make) -> None:
        try:
            columns[column] = {seams[0].tensor.index: x} | make()
        except (ModelError, BoardError) as error:
            if isinstance(error, DeviceError):
                raise
            left_out[column] = error.what

    take(FLOAT, lambda: _float(pipeline, plan, seen))
    take(TFLITE, lambda: _tflite(plan, network, x, indices))
    take(MICRO, lambda: _micro(network, x.reshape(plan.network.input.shape), indices))
    columns[HOST] = _read(seams, lambda places: Runtime(plan).inside(x, places))
    if board is None:
        left_out[BOARD] = "No board was given."
    else:
        notes += _same_plan(board, plan)
        through = counts is not None and board.pipeline is not None
        given = counts if through else x
        take(BOARD, lambda: _read(seams, lambda places: board.inside(given, places, window=through)))
    rows, numbers = [], {}
    for number, tap in enumerate(seams):
        values = {c: v[tap.tensor.index] for c, v in columns.items() if tap.tensor.index in v}
        rows.append(layer(number, tap, values, numbers))
        numbers[tap.tensor.index] = number
    labels = pipeline.labels if pipeline else ()
    return ParityReport(
        plan.name, what, tuple(rows), left_out, tuple(notes), labels, numbers[plan.network.output.index]
    )


def _compiled(model) -> tuple[Plan, bytes]:
    if isinstance(model, Pipeline):
        return compile_plan(model, fit=False), model.int8_model
    network, name = read_bytes(model)
    return compile_network(network, name), network


# -- the input --------------------------------------------------------------------------------------


def _input(pipeline, plan: Plan, window):
    """Counts (or None), features (or None), the network's input, and words for what it is."""
    if pipeline is None:
        return None, None, *_tensor(plan, window)
    from ..features import checked, features, quantized

    if window is None:
        given = plan.network.input
        steps = np.clip(np.random.default_rng(_SEED).normal(0, 40, pipeline.input_shape), -128, 127)
        seen = ((steps - given.zero_point) * given.scale).astype(np.float32)
        return None, seen, _quantised(seen, given), "noise"
    counts, what = _counts(pipeline, window)
    if counts is None:
        given, window = plan.network.input, window.reshape(pipeline.input_shape)
        if window.dtype == np.int8:
            return None, ((window - np.float32(given.zero_point)) * given.scale).astype(np.float32), window, "one input"
        seen = window.astype(np.float32)
        return None, seen, _quantised(seen, given), "one window of features"
    counts = checked(counts[None], pipeline)
    x = quantized(counts, pipeline.front_end, plan.input_scale, plan.input_zero_point)[0]
    return counts[0], features(counts, pipeline.front_end)[0], x, what


def _counts(pipeline, window):
    if hasattr(window, "samples") and hasattr(window, "rate_hz"):
        from ..data import Dataset

        cut = Dataset([window]).windows(pipeline.window, None, pipeline.rate_hz, pipeline.front_end.channels)
        middle = len(cut) // 2
        of = f", window {middle + 1} of {len(cut)}" if len(cut) > 1 else ""
        return cut.counts[middle], f"{window.id or window.label or 'a take'}{of}"
    if not isinstance(window, np.ndarray) or window.dtype.kind not in "if" or not window.size:
        raise DataError(
            f"tk.parity takes one take or one window, got {type(window).__name__}.",
            "Give dataset[0], or one of dataset.windows(...).counts.",
        )
    if window.dtype.kind == "f":
        if tuple(n for n in window.shape if n != 1) == tuple(n for n in pipeline.input_shape if n != 1):
            return None, ""
        raise DataError(
            f"The features have shape {window.shape}, the network takes {pipeline.input_shape}.",
            "Give int16 counts, or features of that shape.",
        )
    if window.dtype == np.int8 and window.size == np.prod(pipeline.input_shape):
        return None, ""
    if window.dtype != np.int16:
        raise DataError(f"A window is int16 counts, got {window.dtype}.", "Make it with dataset.windows(...).counts.")
    one = window[0] if window.ndim == 3 and len(window) == 1 else window
    return one[:, None] if one.ndim == 1 else one, "one window"


def _tensor(plan: Plan, window):
    given, dtype = plan.network.input, np.dtype(plan.input_dtype)
    if window is None:
        rng = np.random.default_rng(_SEED)
        if dtype.kind == "f":
            return rng.normal(size=given.shape).astype(dtype), "noise"
        ends = np.iinfo(dtype)
        return rng.integers(ends.min, ends.max, given.shape, dtype, endpoint=True), "noise"
    x = np.asarray(window)
    if dtype.kind == x.dtype.kind == "f":
        x = x.astype(dtype)
    if x.size != given.size or not (x.dtype == dtype or (x.dtype.kind == "f" and given.scale)):
        raise DataError(
            f"{plan.name} takes one {dtype} input of shape {plan.input_shape}, got {x.dtype} of shape {x.shape}.",
            "Give one example; float values are quantised.",
        )
    return (x if x.dtype == dtype else _quantised(x, given)), "one input"


def _quantised(x: np.ndarray, given: Tensor) -> np.ndarray:
    ends = np.iinfo(DTYPES[given.dtype])
    steps = np.floor(np.asarray(x, np.float64) / given.scale + 0.5) + given.zero_point
    return np.clip(steps, ends.min, ends.max).astype(DTYPES[given.dtype])


# -- the columns: index of a tensor -> values --------------------------------------------------------


def _float(pipeline, plan: Plan, seen) -> dict:
    if pipeline is None or not pipeline.float_model:
        what = "A bare .tflite" if pipeline is None else f"The pipeline {pipeline.name}"
        raise ModelError(f"{what} has no float network.", "Give a pipeline that was trained.")
    from ..compress.layers import float_layers

    return float_layers(pipeline, seen, plan.network) | {plan.network.input.index: seen}


def _tflite(plan: Plan, network: bytes, x, indices) -> dict:
    from ..compress.layers import interpreter_layers

    for node in plan.network.nodes:
        if node.kind == "SVDF" and node.inputs[4].dtype == "INT8":
            raise ModelError(
                f"TensorFlow's kernel of SVDF can't have an int8 state (layer {node.name}): it writes beyond it.",
                "Compare the other columns.",
            )
    try:
        return interpreter_layers(network, x, indices)
    except ModelError:
        raise
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"TensorFlow's interpreter can't run this network ({str(error).splitlines()[0][:80]}).",
            "Compare the other columns.",
        ) from None


def _micro(network: bytes, x, indices) -> dict:
    from .micro import micro_layers

    return micro_layers(network, x, indices)


def _read(seams: list[Tap], inside) -> dict:
    there = sorted((tap for tap in seams if tap.step is not None), key=lambda tap: tap.step)
    data = inside([tap.place for tap in there])
    return {tap.tensor.index: tap.values(piece) for tap, piece in zip(there, data, strict=True)}


def _same_plan(board, plan: Plan) -> list[str]:
    """What is to be said of the plan on the board; raises if it is none of this network."""
    active = board.active
    if active is None or active.length != len(plan.bytes):
        runs = f"{active.name or 'a network'} of {active.length:,} bytes" if active else "nothing"
        raise ModelError(
            f"The board runs {runs}, not this {plan.name} of {len(plan.bytes):,} bytes.",
            "Deploy it first: board.deploy(pipeline).",
        )
    if active.crc != zlib.crc32(plan.bytes):
        return [f"The plan on the board is not the one compiled here: CRC {active.crc:08x}, here "
                f"{zlib.crc32(plan.bytes):08x}."]  # fmt: skip
    return []
