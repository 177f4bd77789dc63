"""The device's validator: whatever bytes it accepts can't lead the kernels out of plan and arena."""

import os
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
from builder import Net, S

from tinykit.engine import Runtime, compile_network
from tinykit.engine.step import KINDS
from tinykit.errors import DoesNotFit, ModelError
from tinykit.toolchain import engine_sources, hardware_dir

SOURCE = hardware_dir() / "TinyKit" / "src"


def sample_networks():
    """Small networks that use every kernel between them."""
    rng = np.random.default_rng(0)
    net = Net(rng, (1, 9, 8, 6)).pad([(0, 0), (1, 1), (0, 1), (0, 0)]).pool("MAX_POOL_2D", (2, 2), (1, 1), "SAME")
    net.conv(6, (3, 3), activation="RELU", padding="SAME").conv(0, (3, 3), depthwise=1)
    start = net.last
    net.conv(6, (1, 1)).binary("ADD", start).binary("MUL", net.constant((6,))).unary("LOGISTIC", 1 / 256, -128)
    first = net.last
    net.pool("AVERAGE_POOL_2D", (3, 3), (1, 1), "SAME").concat([first], 3).conv(0, (2, 2), (2, 2), depthwise=2)
    net.reduce("MEAN", (1, 2)).dense(5).softmax()
    other = Net(rng, (1, 20, 3)).reshape((1, 1, 20, 3)).conv(5, (1, 3), dilation=(1, 2)).conv(0, (1, 3), depthwise=1)
    other.dense(4).softmax()
    plain = Net(rng, (1, 4, 4, 2)).conv(3, (1, 1), zero=5, coarse=127).reduce("MEAN", (1, 2))  # no short form
    plain.dense(6, per_channel=True, zero=5, coarse=127)
    return net.bytes(), other.bytes(), plain.bytes(), *moving_networks(rng)


def moving_networks(rng):
    """Floats in, values moved every way, places out; and integers of two sizes."""
    net = Net(rng, (1, 4, 6, 5))
    net.retype(net.input, "FLOAT32")
    net.op("QUANTIZE", [net.last], net.activation(net.shape), S.QuantizeOptionsT())
    net.op("TRANSPOSE", [net.last, net.ints([0, 2, 3, 1])], net.like((1, 6, 5, 4)), S.TransposeOptionsT())
    size = net.ints([9, 10])
    net.op("RESIZE_NEAREST_NEIGHBOR", [net.last, size], net.like((1, 9, 10, 4)), S.ResizeNearestNeighborOptionsT())
    fixed = net.like((1, 9, 10, 4))
    net.tensors[fixed].buffer = len(net.buffers)
    net.buffers.append(S.BufferT())
    net.buffers[-1].data = rng.integers(0, 256, 360).astype(np.uint8)
    net.concat([fixed], 3).op("ARG_MAX", [net.last, net.ints([1])], net.tensor((1, 10, 8), S.TensorType.INT32))
    small = Net(rng, (1, 7, 3))
    small.retype(small.input, "INT16")
    small.op("QUANTIZE", [small.last], small.activation(small.shape), S.QuantizeOptionsT())
    small.op("DEQUANTIZE", [small.last], small.tensor(small.shape, S.TensorType.FLOAT32), S.DequantizeOptionsT())
    return net.bytes(), small.bytes()


@pytest.fixture(scope="module")
def plans():
    plans = [compile_network(n) for n in sample_networks()]
    assert {s.kind for p in plans for s in p.steps} == set(KINDS), "a kernel is not covered"
    return plans


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


SANITIZE = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    """fuzz_plan.c with the engine, built by the system's compiler with its sanitizers."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("The sanitizers are tried with the system's gcc or clang, on Linux only.")
    target = tmp_path_factory.mktemp("fuzz") / "fuzz_plan"
    driver = os.path.join(os.path.dirname(__file__), "fuzz_plan.c")
    command = [
        compiler,
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        *SANITIZE,
        f"-I{SOURCE}",
        driver,
        *map(str, engine_sources()),
    ]
    done = subprocess.run([*command, "-o", str(target)], capture_output=True, text=True)
    if "cannot find" in done.stderr or "sanitizer" in done.stderr.lower() and done.returncode:
        pytest.skip("The system's compiler has no sanitizers.")
    assert done.returncode == 0, done.stderr
    return target


def test_fuzz(plans, fuzzer, tmp_path):
    """Random damage under a good checksum: refused, or run without a step outside (address, undefined)."""
    tries = 200_000 if os.environ.get("TINYKIT_FULL") else 20_000
    for number, plan in enumerate(plans):
        path = tmp_path / f"{number}.plan"
        path.write_bytes(plan.bytes)
        done = subprocess.run([fuzzer, path, str(tries), str(number + 1)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        opened, refused = map(int, done.stdout.split())
        assert opened > tries // 100 and refused > tries // 10  # both kinds were met


def test_truncation(plans, fuzzer, tmp_path):
    """A plan cut anywhere is refused, and not a byte behind the cut is read."""
    path = tmp_path / "whole.plan"
    path.write_bytes(plans[1].bytes)
    done = subprocess.run([fuzzer, path, "cut"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) == len(plans[1].bytes)
