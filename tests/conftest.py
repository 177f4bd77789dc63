"""Where the tests find real recordings and reference networks; neither is in the repository."""

import os
from pathlib import Path

import pytest

# As tinykit.models sets them: whichever test imports TensorFlow first decides for all that come after it.
for _name, _value in (("TF_USE_LEGACY_KERAS", "1"), ("TF_ENABLE_ONEDNN_OPTS", "0"), ("CUDA_VISIBLE_DEVICES", "-1")):
    os.environ.setdefault(_name, _value)

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def _folder(variable, default, what):
    path = Path(os.environ.get(variable, default))
    if not path.is_dir():
        pytest.skip(f"{what} are not here: set {variable} to their folder (looked in {path}).")
    return path


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real recordings (``TINYKIT_DATA``), or a skip that says so."""
    return _folder("TINYKIT_DATA", SHARED / "data", "The real recordings")


@pytest.fixture(scope="session")
def shared_models():
    """Folder of reference networks (``TINYKIT_MODELS``), or a skip that says so."""
    return _folder("TINYKIT_MODELS", SHARED / "models", "The reference networks")
