"""Random small networks over every operation and all its options, bit for bit against tflite-micro.

    TINYKIT_FULL=1 pytest tests/engine/test_property.py     # thousands

A failure names the chain; ``python tests/engine/shrink.py CHAIN`` runs it again and makes it shorter.
"""

import os
import sys
from collections import Counter

import chains
import links
import numpy as np
import pytest
from shrink import is_bad, shrink
from trial import trials

from tinykit.engine import Runtime, compile_network
from tinykit.engine.costs import run_on_core
from tinykit.engine.lower import OPERATIONS
from tinykit.errors import DoesNotFit, ModelError, UnsupportedOp

FULL = bool(os.environ.get("TINYKIT_FULL"))
COUNT = 8000 if FULL else 400
ON_THE_CORE = 300 if FULL else 16
ON_THE_BOARD = 60 if FULL else 4


@pytest.fixture(scope="module", autouse=True)
def a_core():
    """The C core is compiled once, before several processes want it."""
    Runtime(chains.build(chains.Chain.parse("0 RESHAPE:0"))[0])


def test_every_operation_of_the_engine_is_drawn():
    assert set(OPERATIONS) <= set(links.TABLE), "add a builder to tests/engine/links.py for each new operation"


def test_chains_are_what_their_line_says():
    for seed in range(50):
        chain = chains.chain_of(seed)
        assert chains.Chain.parse(str(chain)) == chain
        assert chains.build(chain) == chains.build(chain)


@pytest.mark.slow
def test_random_networks_answer_as_tflite_micro():
    pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime",
        reason="The golden reference, tflite-micro, exists for Linux on x86-64 only.",
    )
    outcomes = list(trials(str(chains.chain_of(seed)) for seed in range(COUNT)))
    bad = [o for o in outcomes if is_bad(o)]
    if bad:
        short = [shrink(o["chain"]) for o in bad[:3]]
        told = "\n".join(f"{o['chain']}: {o['outcome']}, {o['why']}" for o in [*short, *bad[:20]])
        pytest.fail(f"{len(bad)} of {COUNT} chains; the first three made shorter:\n{told}")
    kinds = Counter(o["outcome"] for o in outcomes)
    print(dict(kinds), file=sys.stderr)
    equal = [o for o in outcomes if o["outcome"] == "equal"]
    # Refused: forms the engine says no to. The rest: what the reference itself can't run.
    assert len(equal) > 0.9 * COUNT, [o["why"] for o in outcomes if "why" in o][:10]
    # Wild scales make outputs of one value only; too many of those would test nothing.
    assert sum(o["distinct"] > 1 for o in equal) > 0.7 * len(equal)
    # tflite-micro has no TILE: test_keras.py holds that one to TensorFlow.
    assert {name for o in equal for name in o["built"]} >= set(OPERATIONS) - {"PLACEHOLDER", "TILE"}


def int8_networks(count):
    """(chain, plan, one example) of networks with int8 at both ends."""
    seed = 10**5
    while count:
        chain = chains.chain_of(seed)
        seed += 1
        network, built = chains.build(chain)
        if not built:
            continue
        try:
            plan = compile_network(network)
        except UnsupportedOp:
            continue
        if plan.input_dtype == plan.output_dtype == "int8":
            count -= 1
            yield chain, plan, chains.examples(plan.input_shape, np.int8, np.random.default_rng(chain.seed))


@pytest.mark.slow
def test_the_emulated_core_answers_as_this_computer():
    """The kernels' assembly against their C twins: all of them, by the same chains."""
    for chain, plan, x in int8_networks(ON_THE_CORE):
        try:
            for example in x[2:5:2]:
                answer, _, _ = run_on_core(plan, example)
                assert np.array_equal(answer, Runtime(plan).run(example[None])[0]), f"{chain}: {plan!r}"
        except (DoesNotFit, ModelError):
            continue


@pytest.mark.slow
def test_the_virtual_board_answers_as_this_computer():
    """The whole firmware: sent over the link, checked by its validator, run on its arena."""
    from tinykit.board import Board

    with Board("virtual://nano33ble/property?clock=free&flash=memory", remember=False) as board:
        for chain, plan, x in int8_networks(ON_THE_BOARD):
            board.deploy(plan, progress=False)
            answers = board.run(x)
            assert np.array_equal(answers.reshape(len(x), -1), Runtime(plan).run(x).reshape(len(x), -1)), str(chain)
