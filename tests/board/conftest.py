"""Fixtures of the board's tests; what they are made of is in made.py."""

import pytest
from fake_arduino_cli import NANO, OWN, Fake
from fake_port import FakeBoard
from made import make_pipeline, moving_windows
from usb import Usb

from tinykit.board import firmware, flashing
from tinykit.board.link import Link


@pytest.fixture
def board():
    return FakeBoard()


@pytest.fixture
def link(board):
    link = Link("fake", opener=board.open)
    yield link
    link.close()


@pytest.fixture
def usb():
    with Usb() as usb:
        yield usb


@pytest.fixture
def fake(tmp_path, usb, monkeypatch):
    """An arduino-cli that sees the boards of ``usb``, with all that flashing needs."""
    fake = Fake(tmp_path / "tool", usb=usb.socket, cores={NANO: "4.6.0"}, libraries=OWN)
    monkeypatch.setenv("TINYKIT_ARDUINO_CLI", str(fake.path))
    monkeypatch.delenv("TINYKIT_FQBN", raising=False)
    monkeypatch.setattr(flashing, "BACK_S", 120.0)  # this computer may be busy
    monkeypatch.setattr(firmware, "cache_dir", lambda: tmp_path / "cache")  # the rest of the cache may stay
    return fake


@pytest.fixture(scope="session")
def old():
    return make_pipeline("old", seed=1)


@pytest.fixture(scope="session")
def new():
    return make_pipeline("new", seed=2, hop=12, filters=6, center=True, magnitude=("a",))


@pytest.fixture(scope="session")
def windows():
    """Forty of them."""
    return moving_windows(40)
