import re

import numpy as np
import pytest

from tinykit.errors import ModelError
from tinykit.models import zoo


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("shape", [(80, 3, 4), (119, 6, 2), (8, 4, 5)])
def test_every_network_takes_a_window_and_gives_probabilities(name, shape):
    window, features, labels = shape
    model = zoo.build(name, window, features, labels)
    p = model(np.random.default_rng(0).normal(size=(3, window, features)).astype(np.float32)).numpy()
    assert p.shape == (3, labels)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)


def test_the_table_states_the_costs_that_are_computed():
    for name in zoo.names():
        weights, macs = re.search(rf"^{name} .*?([\d,]+) +([\d,]+)$", zoo.__doc__, re.M).groups()
        cost = zoo.cost(zoo.build(name, 80, 3, 4))
        assert (cost.weights, cost.macs) == (int(weights.replace(",", "")), int(macs.replace(",", "")))


def test_costs_against_a_sum_by_hand():
    # cnn on 80 x 3, 4 labels: 5-tap convolutions at 80, 40 and 20 steps, 10 steps averaged to 5 cells of 32.
    macs = 80 * 5 * 3 * 16 + 40 * 5 * 16 * 24 + 20 * 5 * 24 * 32 + 5 * 32 * 4
    weights = (5 * 3 * 16 + 16) + (5 * 16 * 24 + 24) + (5 * 24 * 32 + 32) + (5 * 32 * 4 + 4)
    cost = zoo.cost(zoo.build("cnn", 80, 3, 4))
    assert (cost.weights, cost.macs) == (weights, macs)


def test_unknown_networks_and_short_windows_are_refused():
    with pytest.raises(ModelError, match="no network 'resnet'.*cnn"):
        zoo.build("resnet", 80, 3, 4)
    with pytest.raises(ModelError, match="at least 8"):
        zoo.build("cnn", 4, 3, 2)
