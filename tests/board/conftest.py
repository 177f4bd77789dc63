"""Fixtures of the board's tests; what they are made of is in made.py."""

import pytest
from fake_port import FakeBoard
from made import make_pipeline, moving_windows

from tinykit.board.link import Link


@pytest.fixture
def board():
    return FakeBoard()


@pytest.fixture
def link(board):
    link = Link("fake", opener=board.open)
    yield link
    link.close()


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
