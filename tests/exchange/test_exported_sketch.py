"""export arduino: model and arena in tflite-micro, the sources by both compilers, the sketch on the virtual board."""

import re
import struct

import numpy as np
import pytest
import serial
from made import babble
from programs import feature_answers, heard, lines_of

import tinykit as tk
from tinykit import toolchain
from tinykit.board.virtual import Faults, SoundReplay, VirtualBoard
from tinykit.engine import compile_plan, stream_answers
from tinykit.engine.standalone import ENTRIES
from tinykit.exchange.allocation import reported
from tinykit.exchange.core_files import needed
from tinykit.exchange.text import array

HERE = toolchain.hardware_dir().parent / "tests" / "exchange"
VIRTUAL = toolchain.hardware_dir() / "virtual"
CORE = toolchain.hardware_dir() / "TinyKit" / "src"


def folder_of(pipeline, tmp_path_factory):
    return tk.export(pipeline, "arduino", tmp_path_factory.mktemp("arduino") / pipeline.name)


@pytest.fixture(scope="module")
def wand_sketch(wand, tmp_path_factory):
    return folder_of(wand, tmp_path_factory)


@pytest.fixture(scope="module")
def words_sketch(words, tmp_path_factory):
    return folder_of(words, tmp_path_factory)


@pytest.fixture(scope="module", params=["wand", "words"])
def pair(request):
    """A pipeline and its sketch."""
    return request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_sketch")


def arrays(exported):
    """The bytes of model.cpp's arrays, by name."""
    text = (exported.folder / "model.cpp").read_text(encoding="utf-8")
    found = re.findall(r"const uint8_t (\w+)\[\w+\] = \{(.*?)\};", text, re.S)
    return {name: bytes(int(value, 16) for value in re.findall(r"0x(..),", body)) for name, body in found}


def interpreter(model, arena_bytes):
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed.")
    return runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)


def test_the_array_in_its_arena_answers_as_the_network_did(pair):
    pipeline, exported = pair
    source = (exported.folder / "network.cpp").read_text(encoding="utf-8")
    arena = int(re.search(r"uint8_t arena\[(\d+)\]", source).group(1))
    assert arena == exported.facts["arena_bytes"]
    there, before = interpreter(arrays(exported)["model_network"], arena), interpreter(pipeline.int8_model, 2_000_000)
    x = np.random.default_rng(1).integers(-128, 128, (40, 1, *pipeline.input_shape, 1)).astype(np.int8)
    answers = set()
    for example in x:
        for one in (there, before):
            one.set_input(example, 0)
            one.invoke()
        assert np.array_equal(there.get_output(0), before.get_output(0))
        answers.add(there.get_output(0).tobytes())
    assert len(answers) > 5


def test_the_arena_is_what_tflite_micro_reports_and_some_more(pair):
    interpreter(pair[0].int8_model, 2_000_000)
    model, arena = arrays(pair[1])["model_network"], pair[1].facts["arena_bytes"]
    total = reported(model)
    assert total + 1024 <= arena <= total + 1024 + 8192
    assert reported(model, arena) == total
    assert reported(model, total // 2) is None, "a check that could not fail"
    assert "tflite-micro's report" in pair[1].facts["arena_source"]


def test_the_resolver_has_just_the_operations_of_the_array(pair):
    from tinykit.engine.tflite import read_network

    text = (pair[1].folder / "network.cpp").read_text(encoding="utf-8")
    added = re.findall(r"resolver\.Add(\w+)\(\);", text)
    kinds = {node.kind for node in read_network(arrays(pair[1])["model_network"]).nodes}
    assert {name.lower() for name in added} == {kind.replace("_", "").lower() for kind in kinds}
    assert re.search(rf"MicroMutableOpResolver<{len(added)}>", text) and len(added) == len(set(added)) == 3


def test_the_section_is_the_one_that_a_board_gets(pair):
    plan = compile_plan(pair[0])
    offset, size = struct.unpack_from("<II", plan.bytes, 16)
    assert arrays(pair[1])["model_section"] == plan.bytes[offset : offset + size]


def test_the_folder_is_a_sketch(pair):
    folder, files = pair[1].folder, set(pair[1].files)
    assert f"{folder.name}.ino" in files and {"README.md", "sketch.yaml", "LICENSE"} <= files
    text = "".join((folder / name).read_text(encoding="utf-8") for name in files)
    assert not re.search(r"@[A-Z_]+@", text), "a word of a template was left"
    profile = (folder / "sketch.yaml").read_text(encoding="utf-8")
    assert "fqbn: arduino:mbed_nano:nano33ble" in profile
    for library in pair[1].facts["libraries"]:
        name, version = library.split()
        assert f"- {name} ({version})" in profile


def test_it_is_built_with_what_the_firmware_is_built_with(wand_sketch):
    board = toolchain.hardware_dir() / "TinyKit" / "examples" / "Board" / "sketch.yaml"
    pinned = set(re.findall(r"- ((?:platform: )?\S+ \([\d.]+\))", board.read_text(encoding="utf-8")))
    mine = set(re.findall(r"- (.+)", (wand_sketch.folder / "sketch.yaml").read_text(encoding="utf-8")))
    assert len(pinned) == 3 and pinned <= mine


def sources_of(folder):
    return [*folder.glob("*.ino"), *sorted(folder.glob("*.cpp")), *sorted((folder / "src").glob("*.c"))]


def test_the_real_boards_headers_have_nothing_to_say(pair, tmp_path):
    import real_arduino

    imu = ["arduino-libraries+Arduino_LSM9DS1", "arduino-libraries+Arduino_BMI270_BMM150"]
    wanted = [*(imu if pair[0].sensor == "imu" else []), "spaziochirale+Chirale_TensorFlowLite"]
    core = real_arduino.MbedCore(wanted, tmp_path)
    folder, told = pair[1].folder, []
    sources = sources_of(folder)
    for source in sources:
        made, warnings = core.compile(source, [folder, folder / "src"])
        told += warnings
        assert made.stat().st_size > 0
    assert told == [] and len(sources) > 15


def test_the_library_has_every_method_that_may_be_asked_for():
    import real_arduino

    from tinykit.exchange.operators import _BY_NAME, LIBRARY

    library = real_arduino.folder_of("spaziochirale+Chirale_TensorFlowLite")
    header = library / "src" / "tensorflow" / "lite" / "micro" / "micro_mutable_op_resolver.h"
    there = set(re.findall(r"TfLiteStatus (Add\w+)\(", header.read_text(encoding="utf-8")))
    assert set(_BY_NAME.values()) <= there and len(_BY_NAME) > 80
    assert f"version={LIBRARY[1]}" in (library / "library.properties").read_text(encoding="utf-8")


# ---- on the virtual board, with the engine in TensorFlow Lite Micro's place ----


def image(pipeline, exported, folder):
    """The sketch as the virtual board runs it."""
    plan = compile_plan(pipeline)
    stands_in = folder / "stands_in.cpp"
    text = '#include <Chirale_TensorFlowLite.h>\nextern "C" { uint32_t test_model_bytes_seen, test_methods; }\n'
    text += f"extern const uint32_t test_plan_bytes = {len(plan.bytes)};\n"
    text += f"alignas(16) extern const uint8_t test_plan[] = {{\n{array(plan.bytes)}\n}};\n"
    stands_in.write_text(text, encoding="utf-8")
    mine = {path.name for path in (exported.folder / "src").glob("*.c")}
    engine = [p for p in needed([*ENTRIES, "tk_engine_reset"]) if p.suffix == ".c" and p.name not in mine]
    # The Arduino tools put this line before a sketch.
    ino = folder / "sketch.cpp"
    sketch = exported.folder / f"{exported.folder.name}.ino"
    ino.write_text("#include <Arduino.h>\n" + sketch.read_text(encoding="utf-8"), encoding="utf-8")
    others = [path for path in sources_of(exported.folder) if path.suffix != ".ino"]
    return toolchain.arm_image(
        [VIRTUAL / "start.c", VIRTUAL / "core.cpp", ino, stands_in, *others, *engine],
        [exported.folder, HERE / "tflm", VIRTUAL, VIRTUAL / "arduino", VIRTUAL / "libc", CORE],
        linker_script=VIRTUAL / "virtual.ld",
        name="exported",
        flags=["-Werror", "-Wno-unused-function"],
    )


def listen(board, wanted, port_name):
    """Lines that the sketch says, until there are so many answers."""
    lines = []
    with serial.serial_for_url(f"virtual://nano33ble/{port_name}", timeout=120) as port:
        while sum(":" in line and line[0] not in "#>" for line in lines if line) < wanted:
            data = port.readline()
            assert data.endswith(b"\r\n"), (lines[-5:], data, board.log)
            lines.append(data.decode().rstrip("\r\n"))
    return lines


def word(board, name):
    """A variable of the sketch."""
    return int.from_bytes(board.core.read(board.core.symbol(name), 4), "little")


class Table:
    """A hand that feels one row after the other, by the number of the sensor's reading."""

    duration = None

    def __init__(self, counts, rate_hz):
        self._counts, self._rate_hz = counts, rate_hz

    def read(self, times_s):
        numbers = np.rint(np.asarray(times_s) * self._rate_hz).astype(int)
        return self._counts[np.clip(numbers, 0, len(self._counts) - 1)]

    def label_at(self, time_s):
        """Nothing is done."""


CHECKED = "# check: 4 windows came out as on the computer that made this program"


def answers_in(lines):
    return [line for line in heard(lines)[0] if not line.startswith(">")]


@pytest.mark.parametrize("sensor, rate", [("LSM9DS1", 119.0), ("BMI270", 99.8)])
def test_it_feels_on_the_virtual_board(wand, wand_sketch, tmp_path, sensor, rate):
    counts = np.random.default_rng(8).normal(0, 700, (1500, 6)).cumsum(0) % 16000 - 8000
    counts = counts.round().astype(np.int16)
    name = f"feels-{sensor}"
    with VirtualBoard(name, clock="free", source=Table(counts, rate), sensor=sensor,
                      image=image(wand, wand_sketch, tmp_path)) as board:  # fmt: skip
        lines = listen(board, 30, name)
        assert word(board, "test_methods") == 3
        first = int.from_bytes(arrays(wand_sketch)["model_network"][:4], "little")
        assert word(board, "test_model_bytes_seen") == first
    assert lines[:2] == ["# gesture wand: flex, punch, rest", CHECKED]
    assert sensor in lines[2] and "bytes of its arena" in lines[2]
    said = answers_in(lines)
    assert len(set(said)) > 10

    def expected(start):
        """If the sketch's first reading was this one."""
        answers, ends = feature_answers(wand, counts[start : start + 700], rate)
        return answers_in(lines_of(wand, answers, np.array(ends) / rate))[: len(said)]

    # The sketch does not number its readings, and what it takes until it is ready is its own affair.
    assert any(said == expected(start) for start in range(60))


def test_it_hears_on_the_virtual_board(words, words_sketch, tmp_path):
    sound = babble(12, seed=6)
    with VirtualBoard("hears", clock="free", source=SoundReplay(sound),
                      image=image(words, words_sketch, tmp_path)) as board:  # fmt: skip
        lines = listen(board, 25, "hears")
        begin = np.array(board.mic.begin, np.uint32).view(np.int32)
        assert (board.mic.lost, board.mic.overruns) == (0, 0)
    assert lines[:2] == ["# keyword words: silence, unknown, left, right", CHECKED]
    found = stream_answers(words, sound[56000 - int(begin) :])  # after 3.5 s to settle
    said = answers_in(lines)
    assert len(said) >= 25 and len(set(said)) > 5
    assert said == answers_in(lines_of(words, found.answers, found.times_s))[: len(said)]


def test_without_an_imu_it_says_so_again_and_again(wand, wand_sketch, tmp_path):
    faults = Faults(dead_sensor=True)
    with VirtualBoard("numb", clock="free", faults=faults, image=image(wand, wand_sketch, tmp_path)):
        with serial.serial_for_url("virtual://nano33ble/numb", timeout=120) as port:
            lines = [port.readline() for _ in range(3)]
    assert all(line.startswith(b"# stopped: no IMU answers") for line in lines)
