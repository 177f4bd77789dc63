"""Energy and battery life: by hand from the data sheet's figures, with all that is assumed."""

import re
from dataclasses import replace

import numpy as np
import pytest
from builder import Net

import tinykit as tk
from tinykit.engine.energy import BATTERIES, lifetime
from tinykit.engine.front import FrontCost
from tinykit.errors import ModelError


@pytest.fixture(scope="module")
def price():
    return tk.cost(Net(np.random.default_rng(0), (1, 8, 8, 3)).conv(4, (3, 3)).dense(3).softmax().bytes())


def test_energy_is_time_at_the_data_sheets_current(price):
    # 3.3 mA at 3 V, one cycle in 1/64 us.
    assert price.microjoules == pytest.approx(price.cycles / 64 * 3.3e-3 * 3.0)


def test_days_by_hand():
    # A quarter of the time at 3.3 mA, the rest at 3.16 uA: 0.82737 mA; 235 mAh last 284 hours.
    life = lifetime(16_000_000, 1.0)
    assert life.duty == 0.25 and life.mean_ma == pytest.approx(0.25 * 3.3 + 0.75 * 0.00316)
    assert life.days == pytest.approx(235 / 0.82737 / 24, rel=1e-4)
    assert lifetime(16_000_000, 1.0, sensor="mic").mean_ma == pytest.approx(life.mean_ma + 0.65)


def test_every_assumption_is_said(price):
    said = " ".join(price.assumptions)
    for word in ("64 MHz", "zero wait states", "cache", "3.3 mA", "3.0 V", "DC/DC", "5.2.1", "ICPU0", "not counted",
                 "sensors", "within about 10 %"):  # fmt: skip
        assert word in said, word
    shown, text = price._repr_html_(), " ".join(repr(price).split())
    for point in price.assumptions:
        assert point in text and point.replace("'", "&#x27;") in shown
    assert list(price.assumptions) == price.as_dict()["assumptions"]
    life = price.lifetime(every_s=1.0)
    said = " ".join(life.assumptions)
    assert "3.16 µA" in said and "no sensor counted" in said and "235 mAh" in said and "not counted" in said
    assert "microphone 0.65 mA" in " ".join(price.lifetime(every_s=1.0, sensor="mic").assumptions)
    assert all(point in repr(life) for point in life.assumptions) and "estimated" in str(life)


def test_the_way_out_is_one():
    """What the refusal asks for must be enough."""
    with pytest.raises(ModelError) as refused:
        lifetime(8_000_001, 0.1)
    every = float(re.search(r"every ([\d.]+) s", refused.value.next)[1])
    life = lifetime(8_000_001, every)
    assert "99 % of the time" in str(life) and "every 86,400 s" in str(lifetime(1, 86400))


def test_a_pipelines_energy_is_that_of_an_answer(price):
    front = FrontCost("hop", 100_000, 200_000, 10, 0.25, 1, 1, 1, 1)
    both = replace(price, front=front)
    assert both.answer_microjoules == pytest.approx(both.answer_cycles / 64e6 * 9900)
    text, cards = " ".join(repr(both).split()), both._repr_html_()
    shown = f"{both.answer_microjoules:.1f} µJ an answer"
    assert shown in text and shown in cards and f"{price.microjoules:.1f} µJ of it the network" in text


def test_a_larger_battery_and_rarer_answers_last_longer(price):
    days = [price.lifetime(name, 1.0).days for name in ("cr2032", "2xaa")]
    assert days == sorted(days) and price.lifetime("cr2032", 10.0).days > days[0]
    assert all(battery.source for battery in BATTERIES.values())


@pytest.mark.parametrize(
    ("how", "words"),
    [({"battery": "potato", "every_s": 1}, "no battery"), ({"every_s": 1, "sensor": "nose"}, "no sensor"),
     ({"every_s": 1e-9}, "can't be"), ({"every_s": 0}, "can't be"), ({}, "bare network")],
)  # fmt: skip
def test_what_can_not_be_is_refused(price, how, words):
    with pytest.raises(ModelError, match=words):
        price.lifetime(**how)


def test_the_table_keeps_to_a_hundred_columns(price):
    rows = Net(np.random.default_rng(0), (1, 30, 30, 8))
    for _ in range(4):
        rows.conv(32, (3, 3))
    large = tk.cost(rows.dense(3).bytes())
    for told in (price, large):
        assert max(map(len, repr(told).splitlines())) <= 100
        for layer in told.layers:
            line = next(line for line in repr(told).splitlines() if line.split()[:1] == [str(layer.number + 1)])
            assert f"{layer.cycles:,}" in line and f"{layer.instructions:,}" in line and f"{layer.ram_bytes:,}" in line


def test_layers_have_shares_that_make_one(price):
    told = price.as_dict()["layers"]
    assert sum(layer["share_estimated"] for layer in told) == pytest.approx(1, abs=1e-3)
    for layer in told:
        if layer["macs"]:
            assert layer["cycles_per_mac_estimated"] == pytest.approx(
                layer["cycles_estimated"] / layer["macs"], abs=1e-3
            )
        else:
            assert layer["cycles_per_mac_estimated"] is None
    assert price.peak.ram_bytes == max(layer.ram_bytes for layer in price.layers)


def test_a_float_file_says_what_to_do_first():
    with pytest.raises(ModelError, match=r"float Keras model.*tk\.cost\(model\)"):
        tk.cost("mine.keras")


def test_a_keras_model_is_costed_on_random_ranges_and_says_so():
    from tinykit.models.backend import tensorflow

    tf = tensorflow()
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [tf.keras.Input((20, 6)), layers.Conv1D(8, 3, activation="relu"), layers.GlobalAveragePooling1D(),
         layers.Dense(3, activation="softmax")], name="mine",
    )  # fmt: skip
    price = tk.cost(model)
    # By hand: 18 * 8 * 18 + 8 * 3
    assert price.name == "mine" and price.macs == 2592 + 24
    assert "random values" in repr(price) and "random values" in price.note
    open_end = tf.keras.Sequential([tf.keras.Input((None, 6)), layers.Conv1D(8, 3)])
    with pytest.raises(ModelError, match="fixed size"):
        tk.cost(open_end)
