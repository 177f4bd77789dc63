"""Random small networks over every operation and all its options, bit for bit against tflite-micro.

    TINYKIT_FULL=1 pytest tests/engine/test_property.py     # thousands

A failure names the chain; ``python tests/engine/shrink.py CHAIN`` runs it again and makes it shorter.
"""

import os
import sys
from collections import Counter

import chains
import fuzz
import links
import numpy as np
import pytest
from golden import tensorflow
from shrink import is_bad, shrink
from trial import trials

from tinykit.engine import Runtime, compile_network
from tinykit.engine.lower import OPERATIONS
from tinykit.engine.meter import run_on_core
from tinykit.engine.step import KINDS
from tinykit.errors import UnsupportedOp
from tinykit.toolchain import hardware_dir

FULL = bool(os.environ.get("TINYKIT_FULL"))
COUNT = 8000 if FULL else 400
ON_THE_CORE = 300 if FULL else 10
ON_THE_BOARD = 40 if FULL else 2


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
    drawn = {name for name in OPERATIONS if not links.TABLE[name].alone}
    never = drawn - {name for o in equal for name in o["built"]}
    assert not never, f"no network with {sorted(never)} was compared"
    never = set(KINDS) - {kind for o in equal for kind in o["kinds"]}
    # A few hundred networks may miss a kernel that few of them ask for.
    assert len(never) <= (0 if FULL else 2), f"no network with kernels {sorted(never)} was compared"
    assert sum(o["outcome"] == "died" for o in outcomes) < 0.01 * COUNT  # the reference, of nonsense


@pytest.mark.parametrize("seed", range(300 if FULL else 12))
@pytest.mark.parametrize("name", [name for name, link in links.TABLE.items() if link.alone])
def test_what_tflite_micro_has_not_answers_as_tensorflow(name, seed):
    network, built = chains.build(chains.Chain(seed, ((name, 0),)))
    if not built:
        pytest.skip(f"The tensor of seed {seed} leaves {name} no room.")
    engine = Runtime(network)
    x = inputs_of(engine.plan)
    assert np.array_equal(engine.run(x).ravel(), tensorflow(network, x).ravel())


def random_plans(count, seed=10**5):
    """Plans of further random networks, named by their chains."""
    while count:
        chain = chains.chain_of(seed)
        seed += 1
        network, built = chains.build(chain)
        try:
            plan = compile_network(network, str(chain)) if built else None
        except UnsupportedOp:
            continue
        if plan is not None and plan.arena_bytes < 100_000:
            count -= 1
            yield plan


def inputs_of(plan):
    return chains.examples(plan.input_shape, plan.input_dtype, np.random.default_rng(len(plan.bytes)))


@pytest.fixture(scope="module")
def plans():
    """Small plans with every kind of op."""
    plans = fuzz.base_plans()
    assert {layer.kind for plan in plans for layer in plan.ops} == set(KINDS), "a kind of op is not tried"
    return plans


@pytest.mark.slow
@pytest.mark.parametrize("level", ["", "-Os", "-O2"] if FULL else ["", "-Os"])
def test_the_emulated_core_answers_as_this_computer(plans, level, monkeypatch):
    """The kernels' assembly against their C twins, as Zig's Clang and as the Arduino tools' GCC build them."""
    image = None
    if level:
        monkeypatch.syspath_prepend(hardware_dir().parent / "benchmarks" / "engine")
        import arm_gcc

        if arm_gcc.version() is None:
            pytest.skip("There is no arm-none-eabi-gcc on this computer.")
        image = arm_gcc.image(level=level)
    for plan in [*plans, *random_plans(ON_THE_CORE)]:
        x = inputs_of(plan)[2:5:2]
        for example in x:
            answer, _, _ = run_on_core(plan, example, image)
            assert np.array_equal(answer, Runtime(plan).run(example[None])[0]), f"{plan.name}: {plan!r}"


@pytest.mark.slow
def test_the_virtual_board_answers_as_this_computer():
    """The whole firmware: sent over the link, checked by its validator, run on its arena."""
    from tinykit.board import Board

    with Board("virtual://nano33ble/property?clock=free&flash=memory", remember=False) as board:
        plans = [p for p in random_plans(2 * ON_THE_BOARD) if p.input_dtype == p.output_dtype == "int8"]
        assert len(plans) >= ON_THE_BOARD
        for plan in plans:
            board.deploy(plan, progress=False)
            x = inputs_of(plan)
            answers = board.run(x)
            assert np.array_equal(answers.reshape(len(x), -1), Runtime(plan).run(x).reshape(len(x), -1)), plan.name
