"""Will it fit: verdicts, times, and advice that must hold when it is followed."""

import dataclasses

import numpy as np
import pytest
from builder import Net

import tinykit as tk
from tinykit.engine import compile_network, cost
from tinykit.engine.changes import Change, NotPossible, apply, candidates
from tinykit.engine.fit import fits
from tinykit.engine.plan import ARENA_BYTES, SLOT_BYTES, planned
from tinykit.engine.targets import TARGETS, target
from tinykit.engine.tflite import read_network
from tinykit.errors import DoesNotFit, ModelError
from tinykit.pipeline import MelFrontEnd, Pipeline


def wide(side=40, filters=16):
    """A picture with a convolution that keeps its size: much RAM, little flash."""
    net = Net(np.random.default_rng(0), (1, side, side, 3)).conv(filters, (3, 3)).conv(8, (3, 3))
    return net.pool("AVERAGE_POOL_2D", (side, side), (1, 1)).dense(4).bytes()


def heavy(units=600):
    return Net(np.random.default_rng(0), (1, 64)).dense(units).dense(units).dense(3).bytes()


def residual():
    net = Net(np.random.default_rng(0), (1, 12, 12, 4)).conv(8, (3, 3))
    start = net.last
    net.conv(8, (3, 3)).binary("ADD", start)
    return net.reduce("MEAN", (1, 2)).dense(4).softmax().bytes()


def test_a_small_network_fits_every_board_and_says_how_much_stays_free():
    price = cost(residual())
    for name in TARGETS:
        fit = fits(price, name)
        assert fit and fit.ok and not fit.advice and "stay free" in str(fit) and fit.check() is fit
    nano = fits(price)
    assert (nano.flash.limit, nano.ram.limit) == (SLOT_BYTES, ARENA_BYTES)
    assert (nano.flash.used, nano.ram.used) == (price.plan_bytes, price.arena_bytes)
    alone = fits(price, "microbit-v2")
    assert alone.flash.used == price.plan_bytes + price.code_flash_bytes
    assert alone.ram.used == price.arena_bytes + target("microbit-v2").reserved_ram


def test_figures_of_boards_have_a_source():
    for board in TARGETS.values():
        assert board.sources and all(len(source) > 20 for source in board.sources)
    with pytest.raises(ModelError, match="no board 'uno'.*nano33ble"):
        fits(residual(), "uno")


def test_an_operation_that_is_not_known_stands_in_the_way_only_of_what_reaches_it():
    network = read_network(wide())
    nodes = list(network.nodes)
    nodes[2] = dataclasses.replace(nodes[2], kind="MYSTERY")
    strange = dataclasses.replace(network, nodes=tuple(nodes))
    for change in (Change("stride", 1), Change("filters", 1), Change("input")):
        with pytest.raises(NotPossible, match="MYSTERY"):
            apply(strange, change)
    nodes = [dataclasses.replace(network.nodes[0], kind="MYSTERY"), *network.nodes[1:]]
    after = apply(dataclasses.replace(network, nodes=tuple(nodes)), Change("stride", 1))
    assert after.nodes[1].outputs[0].shape == (1, 20, 20, 8)


@pytest.mark.parametrize("data", [wide(), heavy(60), residual()], ids=["wide", "heavy", "residual"])
def test_every_change_gives_a_network_that_compiles_or_is_refused(data):
    network = read_network(data)
    before = planned(network)
    made = 0
    for change in candidates(network):
        try:
            after = planned(apply(network, change))
        except NotPossible:
            continue
        made += 1
        assert after.macs < before.macs, change.said(network)
        assert after.output_shape == before.output_shape
        assert "half" in change.said(network) or "instead of" in change.said(network)
    assert made >= 2


def test_a_stride_quarters_what_lies_behind_it():
    network = read_network(wide())
    after = planned(apply(network, Change("stride", 0)))
    assert [layer.out_shape for layer in after.ops][:2] == [(20, 20, 16), (20, 20, 8)]
    # By hand: 20*20*16*27 + 20*20*8*144 + 8*4
    assert after.macs == 172_800 + 460_800 + 32


def test_half_the_filters_halve_the_next_layers_inputs_too():
    after = planned(apply(read_network(heavy(60)), Change("filters", 0)))
    assert after.macs == 64 * 30 + 30 * 60 + 60 * 3


def test_one_branch_of_a_sum_can_not_change_alone():
    network = read_network(residual())
    with pytest.raises(NotPossible):
        apply(network, Change("stride", 1))
    assert planned(apply(network, Change("filters"))).macs < planned(network).macs


def test_too_much_ram_is_told_with_layer_bytes_and_a_way_out_that_holds():
    price = cost(wide(60))
    fit = fits(price, "m4f-32k")
    assert not fit and not fit.ram.ok and fit.flash.ok
    text = " ".join(repr(fit).split())
    assert f"{fit.ram.used - 32768:,} too many" in text and price.peak.name in text
    assert f"{price.peak.ram_bytes:,} bytes of RAM while it runs" in text
    assert fit.advice and all(advice.fits for advice in fit.advice)
    network = read_network(wide(60))
    made = {change.said(network): planned(apply(network, change)) for change in candidates(network)}
    for advice in fit.advice:
        if len(advice.changes) == 1:
            plan = made[advice.changes[0]]
            assert plan.arena_bytes == advice.arena_bytes <= 32768 - 4096
            assert f"{plan.arena_bytes + 4096:,} bytes of RAM instead of {fit.ram.used:,}" in str(advice)
    assert [a.macs for a in fit.advice] == sorted((a.macs for a in fit.advice), reverse=True)
    with pytest.raises(DoesNotFit, match="too many"):
        fit.check()


def test_too_much_flash_is_told_with_the_layer_that_has_it():
    fit = fits(heavy(), "nano33ble")
    assert not fit.flash.ok and fit.ram.ok and fit.flash.used == len(compile_network(heavy()).bytes)
    assert "bytes of weights" in repr(fit) and fit.advice and all("flash" in advice.effect for advice in fit.advice)


def test_changes_are_put_together_when_one_is_not_enough():
    fit = fits(wide(120, 24), "m4f-32k")
    assert fit.advice and fit.advice[0].fits and len(fit.advice[0].changes) > 1


def test_a_network_larger_than_the_chip_has_a_cost_all_the_same():
    data = wide(160, 16)
    price = cost(data)
    assert price.arena_bytes > 256 * 1024 and not price.fits and price.cycles > price.macs
    assert "does not fit" in repr(price)


def test_time_is_held_against_what_is_due():
    price = cost(residual())
    slow = fits(price, every_s=price.milliseconds / 1000 / 2)
    assert slow.flash.ok and slow.ram.ok and not slow.in_time and not slow
    assert "one is due every" in str(slow) and "estimated" in repr(slow)
    assert slow.advice and "ms instead of" in slow.advice[0].effect
    assert fits(price, every_s=price.milliseconds / 1000 * 2).in_time
    for never in (0, -1.0, float("nan")):
        with pytest.raises(ModelError, match="s can't be"):
            fits(price, every_s=never)
    faster = fits(price, "nucleo-l432kc")
    assert faster.seconds == pytest.approx(price.cycles / 80e6)


def test_a_pipeline_brings_its_hop_and_its_front_end():
    front = MelFrontEnd()
    net = Net(np.random.default_rng(0), (1, front.rows(16000), len(front.features), 1)).conv(4, (8, 4), (4, 2))
    data = net.dense(3).softmax().bytes()
    pipeline = Pipeline("words", "keyword", 16000.0, 16000, 1600, front, ("a", "b", "c"), int8_model=data)
    fit = tk.fits(pipeline)
    assert fit.every_s == 0.1 and fit.seconds == pytest.approx(fit.cost.answer_cycles / 64e6)
    alone = tk.fits(fit.cost, "microbit-v2")
    assert alone.flash.used > fit.cost.plan_bytes + fit.cost.code_flash_bytes
    assert alone.ram.used > fit.cost.arena_bytes + 32768
    assert "10 a second" not in str(fit) and fit.as_dict()["due_every_ms"] == 100


def test_fit_as_json_and_as_a_card():
    fit = fits(wide(60), "m4f-32k")
    told = fit.as_dict()
    assert told["fits"] is False and told["RAM"]["used"] > told["RAM"]["limit"] == 32768
    assert told["advice"][0]["fits"] and told["sources"]
    html = fit._repr_html_()
    assert "It does not fit." in html and "What to change" in html and "instead of" in html
