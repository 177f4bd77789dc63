"""TensorFlow Lite Micro on this computer: what its reference kernels have in every tensor.

The ``tflite-micro`` package exists for Linux on x86-64 only.
"""

from __future__ import annotations

from importlib import util

import numpy as np

from ..errors import ModelError

_FIRST_ARENA, _LARGEST_ARENA = 1 << 20, 1 << 26


def micro_layers(network: bytes, x: np.ndarray, indices) -> dict[int, np.ndarray]:
    """What TensorFlow Lite Micro has in the tensors of a .tflite.

    Parameters
    ----------
    network : bytes
    x : array
        One example, of the input's type and shape, the leading 1 included.
    indices : iterable of int
        The tensors asked for.

    Returns
    -------
    dict
        Index -> values.

    Raises
    ------
    ModelError
        The package is not there, or it can't run this network.
    """
    if not util.find_spec("tflite_micro"):
        raise ModelError("tflite-micro is not installed here.", "On Linux (x86-64): pip install tflite-micro.")
    from tflite_micro.python.tflite_micro import runtime

    from ..models.backend import quiet

    arena = _FIRST_ARENA
    while True:
        try:
            with quiet():
                interpreter = runtime.Interpreter.from_bytes(
                    network, arena_size=arena, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors
                )
                interpreter.set_input(np.ascontiguousarray(x), 0)
                interpreter.invoke()
                return {index: np.array(interpreter.GetTensor(index, 0)["tensor_data"]) for index in indices}
        except (RuntimeError, ValueError) as error:
            arena *= 4  # it does not say whether the arena was too small
            if arena > _LARGEST_ARENA:
                raise ModelError(
                    f"tflite-micro can't run this network ({error}).", "Compare the other columns."
                ) from None
