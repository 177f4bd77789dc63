"""The device's validator: whatever bytes it accepts can't lead the kernels out of plan and arena."""

import os
import struct
import subprocess
import sys
import zlib
from dataclasses import replace

import fuzz
import handmade
import numpy as np
import pytest
from builder import Net

from tinykit.engine import Runtime, compile_network
from tinykit.engine.step import KINDS
from tinykit.errors import DoesNotFit, ModelError
from tinykit.toolchain import hardware_dir

SOURCE = hardware_dir() / "TinyKit" / "src"


@pytest.fixture(scope="module")
def plans():
    return [compile_network(n) for n in handmade.networks()]


def sealed(data: bytearray) -> bytes:
    """With the checksum made good."""
    struct.pack_into("<I", data, 12, zlib.crc32(bytes(data[16:])))
    return bytes(data)


def refusal(plan, data) -> str | None:
    """What the validator says of these bytes; None if it takes them."""
    try:
        Runtime(replace(plan, bytes=data))
    except ModelError as error:
        return error.what
    return None


def test_good_plans_open(plans):
    for plan in plans:
        assert refusal(plan, plan.bytes) is None
        assert refusal(plan, plan.bytes + b"\xff" * 64) is None  # what lies behind it in flash


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda d: d.__setitem__(0, 0), "bad_magic"),
        (lambda d: struct.pack_into("<H", d, 4, 99), "bad_format"),
        (lambda d: d.__setitem__(100, d[100] ^ 1), "bad_crc"),
        (lambda d: d.__delitem__(slice(-16, None)), "bad_length"),
        (lambda d: d.__delitem__(slice(40, None)), "bad_length"),
    ],
)
def test_damage_is_named(plans, change, word):
    data = bytearray(plans[0].bytes)
    change(data)
    assert word in refusal(plans[0], bytes(data))


# Byte of an op record, struct format, value, the word for it.
@pytest.mark.parametrize(
    "kind, at, form, value, word",
    [
        ("conv", 0, "<H", 99, "unsupported_op"),
        ("conv", 2, "<H", 0x8000, "bad_parameter"),
        ("conv", 4, "<I", 1 << 20, "out_of_bounds"),
        ("conv", 12, "<I", 0xFFFFFFF0, "out_of_bounds"),
        ("conv", 16, "<I", 4, "bad_alignment"),
        ("conv", 20, "<I", 0, "bad_parameter"),
        ("conv", 24, "<H", 0, "bad_shape"),
        ("conv", 36, "<H", 0, "bad_parameter"),
        ("conv", 36, "<H", 60000, "out_of_bounds"),
        ("conv", 40, "<H", 0, "bad_parameter"),
        ("average_pool", 40, "<H", 9, "bad_shape"),
        ("conv", 44, "<H", 65535, "bad_parameter"),
        ("conv", 52, "<h", 300, "bad_parameter"),
        ("conv", 60, "<I", 0, "out_of_bounds"),
        ("conv", 60, "<I", 0xFFFFFFFC, "out_of_bounds"),
        ("conv", 64, "<I", 0x7FFFFFFC, "out_of_bounds"),
        ("conv", 64, "<I", 2, "bad_alignment"),
        ("depthwise", 68, "<i", 77, "bad_parameter"),
        ("depthwise", 72, "<i", -1, "bad_shape"),
        ("dense", 28, "<H", 65535, "out_of_bounds"),
        ("softmax", 68, "<i", 257, "bad_parameter"),
        ("average_pool", 48, "<H", 200, "bad_shape"),
        ("mean", 68, "<i", -5, "bad_parameter"),
        ("mean", 72, "<i", 31, "bad_parameter"),
        ("add", 92, "<i", 0, "bad_shape"),
        ("pad", 68, "<i", 70000, "out_of_bounds"),
        ("pad", 76, "<i", 1 << 24, "out_of_bounds"),
        ("copy", 68, "<i", 1 << 24, "out_of_bounds"),
        ("copy", 72, "<i", -1, "bad_parameter"),
        ("copy", 72, "<i", 1 << 24, "out_of_bounds"),
        ("copy", 60, "<I", 4, "out_of_bounds"),
        ("pick", 76, "<i", 1 << 20, "out_of_bounds"),
        ("pick", 80, "<i", 1 << 20, "out_of_bounds"),
        ("pick", 92, "<i", 0, "bad_parameter"),
        ("pick", 68, "<i", 1 << 28, "too_large"),
        ("argmax", 68, "<i", 2, "bad_parameter"),
        ("argmax", 72, "<i", 3, "bad_parameter"),
        ("argmax", 30, "<H", 2, "bad_shape"),
        ("argmax", 12, "<I", 1 << 20, "out_of_bounds"),
        ("rescale", 68, "<i", 5, "bad_parameter"),
        ("rescale", 80, "<i", 40, "bad_parameter"),
        ("quantize", 72, "<i", 4, "bad_parameter"),
        ("quantize", 4, "<I", 1 << 20, "out_of_bounds"),
        ("dequantize", 68, "<i", 4, "bad_parameter"),
        ("dequantize", 28, "<H", 2, "bad_shape"),
    ],
)
def test_lies_are_named(plans, kind, at, form, value, word):
    plan, number = next((p, i) for p in plans for i, s in enumerate(p.steps) if s.kind == kind)
    data = bytearray(plan.bytes)
    (ops,) = struct.unpack_from("<I", data, 24)
    struct.pack_into(form, data, ops + 96 * number + at, value)
    assert word in refusal(plan, sealed(data))


@pytest.mark.parametrize(
    "at, value",
    [(16, 7), (20, 9), (24, 0), (24, 1 << 30), (28, 0), (28, 1 << 28), (32, 8), (36, 1 << 31), (40, 0), (40, 24),
     (44, 1 << 30), (48, 0), (52, 1 << 30), (56, 1 << 30), (60, 1)],
)  # fmt: skip
def test_headers_that_lie_are_refused(plans, at, value):
    data = bytearray(plans[0].bytes)
    struct.pack_into("<I", data, at, value)
    assert refusal(plans[0], sealed(data))


def test_kinds_are_those_of_the_header():
    text = (SOURCE / "tk_plan.h").read_text(encoding="utf-8")
    for kind, number in KINDS.items():
        assert f"TK_{kind.upper()} = {number}," in text


def test_a_plan_that_does_not_fit_says_by_how_much():
    rng = np.random.default_rng(0)
    plan = compile_network(Net(rng, (1, 700)).dense(600).bytes(), "wide")
    with pytest.raises(DoesNotFit, match=r"323,584.*too many.*fully_connected"):
        plan.check_fit()
    with pytest.raises(DoesNotFit, match="RAM"):
        plan.check_fit(slot_bytes=10**6, arena_bytes=100)


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    try:
        return fuzz.build(tmp_path_factory.mktemp("fuzz"))
    except fuzz.NoCompiler as reason:
        pytest.skip(str(reason))


def test_fuzz(fuzzer, tmp_path):
    """Hostile plans under a good checksum: refused by name, or run without a step outside."""
    plans = fuzz.base_plans()
    assert {layer.kind for plan in plans for layer in plan.ops} == set(KINDS), "a kind of op is not tried"
    count = 1_000_000 if os.environ.get("TINYKIT_FULL") else 20_000
    counts = fuzz.fuzz(fuzzer, fuzz.write(plans, tmp_path), count)
    print(fuzz.table(counts, 0), file=sys.stderr)
    assert counts["run"] > count // 20 and sum(counts[name] for name in REFUSALS) > count // 4
    assert all(counts[name] for name in REFUSALS), f"never met: {[n for n in REFUSALS if not counts[n]]}"
    assert counts["left"] + counts["stopped"] < count // 100


# Every word that tk_plan.h says tk_plan_open() may answer.
REFUSALS = ("bad_alignment", "bad_length", "bad_magic", "bad_format", "bad_crc", "out_of_bounds", "bad_shape",
            "bad_parameter", "unsupported_op", "too_large")  # fmt: skip


def test_truncation(plans, fuzzer, tmp_path):
    """A plan cut anywhere is refused, and not a byte behind the cut is read."""
    (path,) = fuzz.write(plans[1:2], tmp_path)
    done = subprocess.run([fuzzer, "cut", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    words = dict(line.split() for line in done.stdout.splitlines())
    assert sum(int(words[name]) for name in words if name in REFUSALS) == len(plans[1].bytes)
