"""Fixtures of the data tests."""

import numpy as np
import pytest

from tinykit.data import synthetic


@pytest.fixture
def write(tmp_path):
    """Write text or bytes under a folder and return the path of the folder."""

    def put(name, content, folder="set"):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / folder

    return put


@pytest.fixture(scope="session")
def small():
    """Three persons, three labels, two sessions, 36 takes, one of them still."""
    return synthetic.gestures(persons=("ada", "ben", "dan"), labels=("flex", "negative", "punch"), takes=2)


@pytest.fixture(scope="session")
def close():
    """Compare with samples that went through three decimals and float32."""

    def compare(a, b, digits=3):
        return np.allclose(a, b, atol=0.51 * 10**-digits + 1e-5, rtol=2e-7)

    return compare
