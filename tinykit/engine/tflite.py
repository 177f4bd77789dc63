"""Read a ``.tflite`` file into plain Python values.

The file is a FlatBuffer; it is read with the schema module that TensorFlow, LiteRT or tflite-micro
brings along (``schema_py_generated``), imported only when a file is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import util
from pathlib import Path

import numpy as np

from ..errors import ModelError, UnsupportedOp

# (package, the schema module's place in it). The file is loaded by itself: importing all of
# TensorFlow for it would take seconds.
_SCHEMAS = (
    ("ai_edge_litert", "schema_py_generated.py"),
    ("tensorflow", "lite/python/schema_py_generated.py"),
    ("tflite_micro", "tensorflow/lite/micro/python/schema_py_generated.py"),
)
_MAGIC = b"TFL3"


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a network.

    Parameters
    ----------
    index : int
        Its number in the file.
    name : str
    shape : tuple of int
    dtype : str
        The schema's name, such as ``"INT8"``.
    scales : numpy.ndarray
        float32: one value, one per channel, or none at all if it isn't quantised.
    zero_points : numpy.ndarray
        int64, as many as scales.
    axis : int
        The axis that the channels' scales belong to.
    data : numpy.ndarray or None
        The values of a constant.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int = 0
    data: np.ndarray | None = None

    @property
    def scale(self) -> float:
        """The one scale of an activation (a float32's value)."""
        return float(self.scales[0]) if len(self.scales) else 0.0

    @property
    def zero_point(self) -> int:
        return int(self.zero_points[0]) if len(self.zero_points) else 0

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def itemsize(self) -> int:
        """Bytes of one value."""
        return np.dtype(DTYPES[self.dtype]).itemsize

    @property
    def bytes(self) -> int:
        return self.size * self.itemsize


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: its kind as the schema spells it, its tensors (None: left out), its options."""

    kind: str
    inputs: tuple
    outputs: tuple
    options: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The Keras layer's name, as far as the output's name tells it (``model/layer/operation;...``)."""
        layers = []
        for part in self.outputs[0].name.split(";"):
            path = [p for p in part.strip().split("/") if p]
            if len(path) >= 3:
                layers.append(path[1])
        for layer in layers:
            if any(word in layer for word in _LAYER_WORDS.get(self.kind, ())):
                return layer
        return layers[0] if layers else self.kind.lower()


# Fused layers share one output name; the one with the weights tells most.
_LAYER_WORDS = {"CONV_2D": ("conv",), "DEPTHWISE_CONV_2D": ("conv",), "FULLY_CONNECTED": ("dense",)}


@dataclass(frozen=True, eq=False)
class Network:
    """A network with one input and one output, in the order in which it runs."""

    name: str
    nodes: tuple[Node, ...]
    input: Tensor
    output: Tensor

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.input.shape} -> {self.output.shape}, {len(self.nodes)} operations>"


@lru_cache(maxsize=1)
def schema_module():
    """The module of the FlatBuffer schema's classes (``ModelT`` and so on)."""
    for package, place in _SCHEMAS:
        found = util.find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            path = Path(folder) / place
            if path.is_file() and util.find_spec("flatbuffers"):
                spec = util.spec_from_file_location("tinykit_tflite_schema", path)
                module = util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    raise ModelError(
        "Reading a .tflite file needs the FlatBuffer schema of TensorFlow or LiteRT, and neither is installed.",
        "pip install ai-edge-litert flatbuffers (small), or tensorflow.",
    )


def read_bytes(model, name: str | None = None) -> tuple[bytes, str]:
    """The bytes and a short name of a network given as bytes or as a path.

    Raises
    ------
    ModelError
        The file is missing, or is no .tflite.
    """
    name, called = "network", name
    if not isinstance(model, (bytes, bytearray, memoryview)):
        path = Path(model)
        if not path.is_file():
            raise ModelError(f"There is no file {path}.", "Check the name.")
        model, name = path.read_bytes(), path.stem
    model, name = bytes(model), called or name
    if model[4:8] != _MAGIC:
        raise ModelError(
            f"{name} is not a .tflite network ({len(model)} bytes, without the mark TFL3).",
            "Give the file that TensorFlow's converter wrote.",
        )
    return model, name


def read_network(model, name: str | None = None) -> Network:
    """Read a network and check that it is one that the engine can take.

    Parameters
    ----------
    model : bytes or path
        A .tflite.
    name : str, optional
        What to call it; by default the file's name.

    Raises
    ------
    ModelError
        No .tflite, damaged, or not one input and one output of fixed shape.
    UnsupportedOp
        It has several graphs (a loop or a branch).
    """
    data, name = read_bytes(model, name)
    schema = schema_module()
    try:
        tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
        if len(tree.subgraphs) != 1:
            raise UnsupportedOp(
                f"{name} has {len(tree.subgraphs)} graphs: it holds a loop or a branch, which the engine can't run.",
                "Fix the batch at 1 before converting (keras.Input(..., batch_size=1)), so that an LSTM becomes one "
                "operation; for other recurrent layers unroll=True, or 1-D convolutions.",
            )
        graph = tree.subgraphs[0]
        types = _names(schema.TensorType)
        tensors = [_tensor(i, t, tree.buffers, types, data) for i, t in enumerate(graph.tensors)]
        nodes = tuple(_node(schema, tree, op, tensors) for op in graph.operators)
        inputs, outputs = [[tensors[i] for i in ends] for ends in (graph.inputs, graph.outputs)]
    except ModelError:
        raise
    except Exception as error:  # the reader has no error of its own: any damage shows as any exception
        raise ModelError(
            f"{name} is damaged: reading its FlatBuffer failed ({type(error).__name__}: {error}).",
            "Convert the network again.",
        ) from None
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"{name} has {len(inputs)} inputs and {len(outputs)} outputs; the engine takes one of each.",
            "Join them within the network (Concatenate), or make two networks.",
        )
    _check_end(f"The input of {name}", inputs[0])
    _check_end(f"The output of {name}", outputs[0])
    signature = graph.tensors[graph.inputs[0]].shapeSignature
    _check_sizes(f"The input of {name}", inputs[0].shape, inputs[0].shape if signature is None else signature)
    return Network(name, nodes, inputs[0], outputs[0])


def _check_end(what: str, tensor: Tensor) -> None:
    """One end of a network: of a kind of number that the engine knows."""
    if tensor.dtype not in ENDS:
        raise ModelError(
            f"{what} is {tensor.dtype.lower()}, expected {', '.join(ENDS).lower()}.",
            "Turn text into numbers before the network."
            if tensor.dtype == "STRING"
            else "Convert with inference_input_type and inference_output_type = tf.int8 (tk.quantize does).",
        )
    if tensor.dtype in ("INT8", "UINT8", "INT16") and len(tensor.scales) != 1:
        raise ModelError(
            f"{what} is {tensor.dtype.lower()} with {len(tensor.scales)} scales, expected one.",
            "Convert with full integer quantisation (tk.quantize does).",
        )
    if tensor.size < 1:
        raise ModelError(f"{what} has shape {tensor.shape}: nothing at all.", "Convert the network again.")


def _check_sizes(what: str, shape, signature) -> None:
    """The input: one example, all its sizes fixed (-1 in the signature: open)."""
    if any(n < 1 for n in signature[1:]):
        sizes = ", ".join(str(n) if n > 0 else "?" for n in signature)
        raise ModelError(
            f"{what} has shape ({sizes}), which leaves a size open; the engine needs every size beforehand.",
            "Fix it before converting, by numbers in keras.Input(shape=(...)).",
        )
    if shape and shape[0] != 1:
        raise ModelError(f"{what} has shape {shape}, expected one example (1, ...).", "Convert with a batch of 1.")


def _names(enum) -> dict:
    return {value: key for key, value in vars(enum).items() if isinstance(value, int)}


DTYPES = {"INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
           "FLOAT32": np.float32, "FLOAT16": np.float16, "BOOL": np.bool_}  # fmt: skip
ENDS = ("INT8", "UINT8", "INT16", "INT32", "INT64", "FLOAT32")  # what may enter or leave a network


def _tensor(index, raw, buffers, types, data) -> Tensor:
    dtype = types[raw.type]
    shape = tuple(int(n) for n in raw.shape) if raw.shape is not None else ()
    buffer = buffers[raw.buffer]
    values = None
    if buffer.data is not None and len(buffer.data):
        values = np.asarray(buffer.data, dtype=np.uint8).tobytes()
    elif getattr(buffer, "offset", 0) and getattr(buffer, "size", 0) and buffer.offset > 1:
        values = data[buffer.offset : buffer.offset + buffer.size]  # large files keep weights outside
    if values is not None:
        values = np.frombuffer(values, dtype=DTYPES[dtype]).reshape(shape) if dtype in DTYPES else None
    q = raw.quantization
    scales = np.asarray(q.scale, dtype=np.float32) if q is not None and q.scale is not None else np.zeros(0, np.float32)
    zeros = np.asarray(q.zeroPoint, dtype=np.int64) if q is not None and q.zeroPoint is not None else None
    zeros = np.zeros(len(scales), np.int64) if zeros is None or len(zeros) == 0 else zeros
    text = raw.name.decode("utf-8", "replace") if isinstance(raw.name, bytes) else str(raw.name or "")
    return Tensor(index, text, shape, dtype, scales, zeros, int(q.quantizedDimension) if q is not None else 0, values)


def _node(schema, tree, op, tensors) -> Node:
    code = tree.operatorCodes[op.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    kind = _names(schema.BuiltinOperator).get(number, f"OPERATION_{number}")
    if kind == "CUSTOM":
        custom = code.customCode
        kind = f"CUSTOM {custom.decode() if isinstance(custom, bytes) else custom}"
    options = dict(vars(op.builtinOptions)) if op.builtinOptions is not None else {}
    if "fusedActivationFunction" in options:
        options["activation"] = _names(schema.ActivationFunctionType)[options["fusedActivationFunction"]]
    if "padding" in options:
        options["padding"] = _names(schema.Padding)[options["padding"]]
    return Node(
        kind,
        tuple(tensors[i] if i >= 0 else None for i in (op.inputs if op.inputs is not None else ())),
        tuple(tensors[i] for i in (op.outputs if op.outputs is not None else ())),
        options,
    )
