"""Pipelines to export; where their parts are from."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tinykit.pipeline import Decision, ImuFrontEnd, MelFrontEnd, Pipeline

TESTS = Path(__file__).resolve().parents[1]
# real_arduino.py, made.py, builder.py
sys.path[:0] = [str(TESTS), str(TESTS / "board"), str(TESTS / "engine")]


@pytest.fixture(scope="session")
def wand():
    """One that feels, with all that its front end can do; its dense layer has a scale for each output."""
    from builder import Net

    net = Net(np.random.default_rng(2), (1, 60, 8, 1), 0.05, 3)
    net.conv(8, (5, 8), (2, 1), padding="VALID", activation="RELU").conv(8, (5, 1), (2, 1), padding="VALID")
    net.reshape((1, 96)).dense(3, per_channel=True, bias=False, scale=0.05, zero=0).softmax()
    front = ImuFrontEnd(center=True, magnitude=("a", "g"), scale=(1 / 4000,) * 8)
    labels, rule = ("flex", "punch", "rest"), Decision(2, 0.5, 0.3)
    return Pipeline("wand", "gesture", 119.0, 60, 15, front, labels, rule, None, net.bytes())


@pytest.fixture(scope="session")
def words():
    """One that hears."""
    from builder import Net

    net = Net(np.random.default_rng(3), (1, 49, 40, 1), 0.03, -10)
    net.conv(6, (5, 40), (2, 1), padding="VALID", activation="RELU").conv(6, (5, 1), (2, 1), padding="VALID")
    net.reshape((1, 60)).dense(4, per_channel=True, scale=0.05, zero=0).softmax()
    front = MelFrontEnd(mean=(-6.0,) * 40, scale=(0.3,) * 40)
    labels, rule = ("silence", "unknown", "left", "right"), Decision(2, 0.5, 0.5)
    return Pipeline("words", "keyword", 16000.0, 16000, 1600, front, labels, rule, None, net.bytes())


@pytest.fixture(scope="session", params=["wand", "words"])
def either(request):
    return request.getfixturevalue(request.param)
