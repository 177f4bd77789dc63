"""A program made for one network: only the kernels that it uses, and the same answers."""

import numpy as np
import pytest
from builder import Net

from tinykit import toolchain
from tinykit.engine import Runtime, compile_network, cost, standalone
from tinykit.engine.cortex import RAM_BASE, Cortex
from tinykit.engine.elf import read_elf
from tinykit.engine.step import KINDS
from tinykit.errors import ModelError


def dense_only():
    net = Net(np.random.default_rng(0), (1, 40)).dense(16, activation="RELU").dense(4)
    return compile_network(net.bytes(), "dense only")


def with_convolution():
    return compile_network(Net(np.random.default_rng(0), (1, 8, 8, 3)).conv(4, (3, 3)).dense(3).bytes(), "conv")


def names(firmware):
    return {name for name, _ in firmware.parts}


def test_kernels_that_a_plan_does_not_use_cost_nothing():
    firmware = standalone.stand_alone(dense_only())
    assert not [n for n in names(firmware) if "conv" in n or "depthwise" in n or "pool" in n or "softmax" in n]
    assert any(n.startswith("tk_op_dense") for n in names(firmware)) and "tk_plan_open" in names(firmware)


def test_a_convolution_brings_its_kernel_along():
    firmware = standalone.stand_alone(with_convolution())
    assert any(n.startswith("tk_op_conv") for n in names(firmware))
    assert firmware.flash_bytes > standalone.stand_alone(dense_only()).flash_bytes


def test_all_kernels_are_the_engine_of_the_flashed_once_firmware():
    whole = standalone.whole_engine()
    assert whole.kinds == tuple(KINDS)
    assert whole.flash_bytes > standalone.stand_alone(with_convolution()).flash_bytes
    entries = ("check", "op")
    kernels = {n for n in names(whole) if n.split("_")[:2] in [["tk", e] for e in entries]}
    assert len(kernels) > len(KINDS) / 2


def test_parts_are_all_of_the_flash():
    firmware = standalone.stand_alone(with_convolution())
    told = sum(size for _, size in firmware.parts)
    # What has no name: padding, strings, literals between functions.
    assert 0.8 * firmware.flash_bytes < told <= firmware.flash_bytes
    assert [size for _, size in firmware.parts] == sorted((size for _, size in firmware.parts), reverse=True)


def test_cost_tells_both():
    plan = dense_only()
    price = cost(plan)
    assert price.code_flash_bytes == standalone.stand_alone(plan).flash_bytes
    assert price.engine_flash_bytes == standalone.whole_engine().flash_bytes > price.code_flash_bytes


def test_the_table_of_kinds_is_the_engines_own():
    """Every kind has a row, and a row of its own text: nothing is spelled twice."""
    source = standalone.kinds_source(KINDS)
    for kind in KINDS:
        assert f"[TK_{kind.upper()}] = {{" in source
    with pytest.raises(ModelError, match="no kernel transposed_dream"):
        standalone.kinds_source(["dense", "transposed_dream"])


def test_the_build_answers_as_this_computer_does(tmp_path):
    plan = with_convolution()
    kinds = {layer.kind for layer in plan.ops}
    sources = standalone.sources(kinds, tmp_path)
    image = toolchain.arm_image(sources, standalone.include_dirs(), name="alone", keep=standalone.ENTRIES)
    core, at = Cortex(), 0x51000
    core.load(read_elf(image))
    core.write(at, plan.bytes)
    state, engine, size, arena = (RAM_BASE + n for n in (0x400, 0x440, 0x480, 0x1000))
    assert core.call("tk_plan_open", state, at, len(plan.bytes)) == 0
    assert core.call("tk_engine_init", engine, state, arena, plan.arena_bytes) == 0
    x = np.random.default_rng(1).integers(-128, 128, (1, 8, 8, 3)).astype(np.int8)
    core.write(core.call("tk_engine_input", engine, size), x.tobytes())
    assert core.call("tk_engine_run", engine) == 0
    answer = core.read(core.call("tk_engine_output", engine, size), 3)
    assert answer == Runtime(plan).run(x).tobytes()


def test_a_build_without_a_kernel_refuses_plans_that_need_it(tmp_path):
    plan = with_convolution()
    sources = standalone.sources({"dense"}, tmp_path)
    image = toolchain.arm_image(sources, standalone.include_dirs(), name="alone", keep=standalone.ENTRIES)
    core, at = Cortex(), 0x51000
    core.load(read_elf(image))
    core.write(at, plan.bytes)
    status = core.call("tk_plan_open", RAM_BASE + 0x400, at, len(plan.bytes)) - 2**32
    assert status == -25  # unsupported_op
