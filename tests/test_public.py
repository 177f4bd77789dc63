"""The public surface is what it says, and importing it is quick work."""

import subprocess
import sys

import tinykit as tk


def test_every_public_name_exists():
    for name in tk.__all__:
        assert getattr(tk, name) is not None


def test_unknown_names_are_attribute_errors():
    try:
        tk.tain  # noqa: B018
    except AttributeError as error:
        assert "tain" in str(error)
    else:
        raise AssertionError("a misspelt name was accepted")


def test_import_loads_neither_tensorflow_nor_numpy():
    # In a process of its own: other tests load both.
    code = "import sys, tinykit; print([m for m in ('tensorflow', 'tf_keras', 'numpy', 'unicorn') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_board_side_works_without_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['tf_keras'] = None\n"
        "import tinykit as tk; import tinykit.board, tinykit.data, tinykit.features; print(len(tk.ports()) > 0)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "True", out.stderr
