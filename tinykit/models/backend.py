"""TensorFlow, imported once, quietly, and in the one way that the whole kit agrees on."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import warnings

from ..errors import ModelError


def keras():
    """Import TensorFlow with Keras 2 and return the ``tf_keras`` module.

    ``TF_USE_LEGACY_KERAS=1`` is set first: tensorflow-model-optimization refuses Keras 3.
    TensorFlow's start-up messages are turned off unless ``TF_CPP_MIN_LOG_LEVEL`` is set.

    Raises
    ------
    ModelError
        TensorFlow is not installed, or was imported with Keras 3 before.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS", "1") != "1" and "tensorflow" in sys.modules:
        raise ModelError(
            "TensorFlow was imported with Keras 3; tinykit needs Keras 2 (TF_USE_LEGACY_KERAS=1).",
            "Restart the kernel and import tinykit before tensorflow.",
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # networks this small are slower on a GPU
    # Other instructions give other last digits: without oneDNN more machines agree on a seed's network.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    try:
        with quiet() if "tensorflow" not in sys.modules else contextlib.nullcontext():
            import tensorflow as tf
            import tf_keras
    except ImportError as error:
        raise ModelError(
            f"TensorFlow cannot be imported ({error}).",
            "Install the course's packages: make env, or pip install 'tinykit[lab]'.",
        ) from None
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tf_keras


def tensorflow():
    """The ``tensorflow`` module, after ``keras()`` has prepared it."""
    keras()
    import tensorflow as tf

    return tf


def versions() -> dict[str, str]:
    """Versions that a network's numbers depend on."""
    import numpy as np

    from .. import __version__

    return {"tinykit": __version__, "tensorflow": tensorflow().__version__, "numpy": np.__version__}


@contextlib.contextmanager
def quiet():
    """Keep warnings and what TensorFlow's C++ side writes to file descriptor 2 off the screen."""
    with warnings.catch_warnings(), tempfile.TemporaryFile() as sink:
        warnings.simplefilter("ignore")
        try:
            saved = os.dup(2)
        except OSError:  # no such descriptor, as under pythonw
            yield
            return
        try:
            os.dup2(sink.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
