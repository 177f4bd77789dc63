"""The device core, compiled for this computer and called through ctypes."""

from __future__ import annotations

import ctypes
from functools import lru_cache

from .. import toolchain
from ..errors import BuildError, ModelError

_U32, _SIZE, _POINTER = ctypes.c_uint32, ctypes.c_size_t, ctypes.c_void_p

# Function: (result, arguments). Pointers are void: callers hand over numpy's own.
_PROTOTYPES = {
    "tk_status_name": (ctypes.c_char_p, [ctypes.c_int]),
    "tk_status_meaning": (ctypes.c_char_p, [ctypes.c_int]),
    "tk_batch_features": (ctypes.c_int, [_POINTER, _SIZE, _POINTER, _SIZE, _POINTER]),
    "tk_batch_quantized": (ctypes.c_int, [_POINTER, _SIZE, _POINTER, _SIZE, _POINTER]),
    "tk_batch_mel": (ctypes.c_int, [_POINTER, _SIZE, _POINTER, _SIZE, _SIZE, _POINTER, _POINTER]),
    "tk_batch_mel_quantized": (ctypes.c_int, [_POINTER, _SIZE, _POINTER, _SIZE, _POINTER]),
    "tk_batch_resample": (
        ctypes.c_int,
        [_U32, _U32, _POINTER, _SIZE, _POINTER, _SIZE, ctypes.POINTER(_SIZE)],
    ),
}


@lru_cache(maxsize=1)
def load_core() -> ctypes.CDLL:
    """The device core as a shared library, built on first use.

    Every ``.c`` file of ``hardware/TinyKit/src`` is in it: the sources that also run on the board.

    Returns
    -------
    ctypes.CDLL
        One object for the whole process. Prototypes of the front end are set; other rooms set
        those of what they call.

    Raises
    ------
    BuildError
        It could not be compiled, or the result could not be loaded.
    """
    sources = toolchain.core_sources()
    path = toolchain.host_library(sources, [toolchain.hardware_dir() / "TinyKit" / "src"], "core")
    try:
        core = ctypes.CDLL(str(path))
    except OSError as error:
        raise BuildError(
            f"The C core was compiled to {path} but can't be loaded ({error}).",
            "Delete that file and try again.",
        ) from None
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(core, name)
        function.restype, function.argtypes = result, arguments
    return core


def check(status: int, doing: str) -> None:
    """Raise what the core's answer says.

    Parameters
    ----------
    status : int
        What a function of the core returned.
    doing : str
        What it was asked to do, as in "resample 119 Hz to 0 Hz".

    Raises
    ------
    ModelError
        The status is not 0.
    """
    if status:
        core = load_core()
        name = core.tk_status_name(status).decode()
        raise ModelError(
            f"The device core can't {doing}: {core.tk_status_meaning(status).decode()} ({name}).",
            "Check the pipeline's rate, window, channels and labels.",
        )
