import re

import numpy as np
import pytest

from tinykit import compress, engine
from tinykit.errors import ModelError
from tinykit.models import fit, zoo_keyword
from tinykit.pipeline import Pipeline


@pytest.mark.parametrize("name", zoo_keyword.names())
@pytest.mark.parametrize("shape", [(49, 40, 7), (49, 10, 3), (33, 20, 4)])
def test_every_network_takes_rows_and_gives_probabilities(name, shape):
    rows, features, labels = shape
    network = zoo_keyword.build(name, rows, features, labels)
    p = network(np.random.default_rng(0).normal(size=(3, rows, features)).astype(np.float32)).numpy()
    assert p.shape == (3, labels)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)


def test_the_table_states_the_costs_that_are_computed():
    for name in zoo_keyword.names():
        weights, macs = re.search(rf"^{name} .*?([\d,]+) +([\d,]+)$", zoo_keyword.__doc__, re.M).groups()
        features = len(zoo_keyword.front_end(name).features)
        cost = zoo_keyword.cost(zoo_keyword.build(name, 49, features, 7))
        assert (cost.weights, cost.macs) == (int(weights.replace(",", "")), int(macs.replace(",", "")))


def test_costs_of_ds_cnn_by_hand():
    # 10 x 4 convolution of 64 to 25 x 5, four blocks of 3 x 3 depthwise and 1 x 1, then 7 labels.
    macs = 125 * (10 * 4 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 7
    weights = 10 * 4 * 64 + 64 + 4 * (9 * 64 + 64 + 64 * 64 + 64) + 64 * 7 + 7
    cost = zoo_keyword.cost(zoo_keyword.build("ds_cnn", 49, 10, 7))
    assert (cost.weights, cost.macs) == (weights, macs)


@pytest.mark.parametrize("name", zoo_keyword.names())
def test_every_network_runs_on_the_engine_and_its_cycles_are_guessed_roughly(name):
    """Calibrated on noise: only whether the engine has every operation, and what it costs."""
    front_end = zoo_keyword.front_end(name)
    features = len(front_end.features)
    network = zoo_keyword.build(name, 49, features, 7)
    seen = np.random.default_rng(0).normal(size=(20, 49, features)).astype(np.float32)
    labels = ("silence", "unknown", "a", "b", "c", "d", "e")
    pipeline = Pipeline(name, "keyword", 16000.0, 16000, 1600, front_end, labels, float_model=fit.to_bytes(network))
    cost = engine.cost(pipeline.with_(int8_model=compress.quantize.__globals__["_convert"](network, seen)))
    assert cost.plan_bytes <= 60_000 and cost.arena_bytes <= 32_768
    assert zoo_keyword.cycles(network) == pytest.approx(cost.cycles, rel=0.3)


def test_unknown_networks_and_short_windows_are_refused():
    with pytest.raises(ModelError, match="no network 'resnet'.*res_time"):
        zoo_keyword.build("resnet", 49, 40, 7)
    with pytest.raises(ModelError, match="at least 16 rows of 8"):
        zoo_keyword.build("res_time", 12, 40, 7)
