"""export c: the program is built and run, for this computer and on the emulated core."""

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from made import babble
from programs import ZIG, ZIG_CORTEX, build, built, feature_answers, heard, lines_of, run

import tinykit as tk
from tinykit.data.units import to_counts, to_units
from tinykit.engine import stream_answers
from tinykit.engine.cortex import Cortex
from tinykit.pipeline import IMU_CHANNELS

GCC = shutil.which("arm-none-eabi-gcc")
CHECKED = "# check: 4 windows came out as on the computer that made this program"


@pytest.fixture(scope="module")
def wand_folder(wand, tmp_path_factory):
    return tk.export(wand, "c", tmp_path_factory.mktemp("c") / "wand").folder


@pytest.fixture(scope="module")
def words_folder(words, tmp_path_factory):
    return tk.export(words, "c", tmp_path_factory.mktemp("c") / "words").folder


@pytest.fixture(scope="module")
def wand_program(wand_folder):
    return built(wand_folder)


@pytest.fixture(scope="module")
def words_program(words_folder):
    return built(words_folder)


@pytest.fixture
def motion(tmp_path):
    """Eight seconds of a hand at 119 Hz as a file, and its counts."""
    rng = np.random.default_rng(5)
    walk = rng.normal(0, 700, (952, 6)).cumsum(0)
    counts = np.clip(walk + [0, 0, 8192, 0, 0, 0], -32768, 32767).round().astype(np.int16)
    rows = to_units(counts, IMU_CHANNELS).astype(np.float64)
    text = [",".join(["timestamp", *IMU_CHANNELS])]
    text += [",".join(f"{value:.6f}" for value in (i * 1000 / 119, *row)) for i, row in enumerate(rows)]
    path = tmp_path / "motion.csv"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    assert np.array_equal(to_counts(np.round(rows, 6), IMU_CHANNELS), counts)
    return path, counts


def test_without_a_recording_it_checks_itself(wand_program, words_program):
    status, lines = run(wand_program)
    assert status == 0 and lines == ["# gesture wand: flex, punch, rest", CHECKED]
    status, lines = run(words_program)
    assert status == 0 and lines == ["# keyword words: silence, unknown, left, right", CHECKED]


def test_it_answers_a_motion_as_tinykit_does(wand, wand_program, motion):
    path, counts = motion
    status, lines = run(wand_program, path)
    answers, ends = feature_answers(wand, counts)
    times_s = np.array(ends) / 119
    said, times = heard(lines)
    assert status == 0 and said == lines_of(wand, answers, times_s)
    assert len(answers) > 50 and len({tuple(answer) for answer in answers}) > 10
    assert times and all(min(abs(times_s - time)) < 0.011 for time in times)


def test_a_motion_at_another_rate_is_resampled(wand, wand_program, motion, tmp_path):
    path, counts = motion
    rows = path.read_text(encoding="utf-8").splitlines()
    slow = [rows[0]] + [f"{i * 20:.6f},{row.split(',', 1)[1]}" for i, row in enumerate(rows[1:])]  # 50 Hz
    other = tmp_path / "slow.csv"
    other.write_text("\n".join(slow) + "\n", encoding="utf-8")
    answers, ends = feature_answers(wand, counts, 50.0)
    status, lines = run(wand_program, other)
    assert status == 0 and heard(lines)[0] == lines_of(wand, answers, np.array(ends) / 50) and len(answers) > 100


def test_it_answers_a_sound_as_tinykit_does(words, words_program, tmp_path):
    sound = babble(4, seed=3)
    soundfile.write(tmp_path / "sound.wav", sound, 16000, subtype="PCM_16")
    found = stream_answers(words, sound)
    status, lines = run(words_program, tmp_path / "sound.wav")
    said, times = heard(lines)
    assert status == 0 and said == lines_of(words, found.answers, found.times_s)
    assert len(found) > 25 and len({tuple(answer) for answer in found.answers}) > 5
    assert times and all(min(abs(found.times_s - time)) < 0.011 for time in times)


@pytest.mark.parametrize("name, content", [("no.csv", None), ("words.csv", "a,b\n1,2\n"), ("empty.csv", "")])
def test_what_it_cannot_play_it_refuses(wand_program, tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    done = subprocess.run([str(wand_program), str(path)], capture_output=True, text=True)
    assert done.returncode == 1 and "file" in done.stderr and not done.stdout


def test_it_says_when_the_network_or_the_front_end_differs(wand_folder, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(wand_folder, folder)
    text = (folder / "pipeline.c").read_text(encoding="utf-8")
    changed, n = re.subn(r"answer_2\[\] = \{(-?\d+)", lambda m: f"answer_2[] = {{{int(m[1]) ^ 3}", text)
    changed, m = re.subn(r"\{3u, (\d+)u, 0x(\w)", lambda m: f"{{3u, {m[1]}u, 0x{int(m[2], 16) ^ 1:x}", changed)
    assert n == m == 1
    (folder / "pipeline.c").write_text(changed, encoding="utf-8")
    status, lines = run(built(folder))
    assert status == 1 and re.search(r"front end got 1 and the network 1 otherwise .* by up to [123] of 255", lines[1])


def test_a_damaged_plan_is_refused(wand_folder, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(wand_folder, folder)
    text = (folder / "pipeline.c").read_text(encoding="utf-8")
    at = text.rindex("0x")
    digit = "1" if text[at + 3] == "0" else "0"
    (folder / "pipeline.c").write_text(text[: at + 3] + digit + text[at + 4 :], encoding="utf-8")
    status, lines = run(built(folder))
    assert status == 1 and lines[0].startswith("# stopped: bad_crc")


def test_there_is_no_more_in_it_than_it_uses(wand_folder, words_folder):
    files = {path.name for path in (wand_folder / "src").iterdir()}
    assert {"tk_op_conv.c", "tk_op_dense.c", "tk_op_softmax.c", "tk_imu.c"} <= files
    assert not files & {"tk_op_depthwise.c", "tk_op_lstm.c", "tk_device.c", "tk_link.c", "tk_mic.c", "tk_live_sound.c"}
    files = {path.name for path in (words_folder / "src").iterdir()}
    assert {"tk_mic.c", "tk_live_sound.c", "tk_fft.c"} <= files
    assert not files & {"tk_imu.c", "tk_history.c", "tk_resample.c"}


# ---- for a microcontroller ----

# A board for the test: Python puts readings where it takes them from.
PORT = """
#include "port.h"
#define ROOM 16384
int16_t feed[ROOM]; uint32_t feed_count, feed_at, feed_rate = 119000, feed_per = 1;
char heard[ROOM]; uint32_t heard_length;
bool port_begin(int argc, char **argv) { (void)argc, (void)argv; return true; }
uint32_t port_micros(void) { return (uint32_t)((uint64_t)feed_at * 1000000000u / feed_per / feed_rate); }
void port_say(const char *text, size_t n) { while (n-- > 0 && heard_length < ROOM) heard[heard_length++] = *text++; }
static bool fresh;
bool port_wait(void) { fresh = feed_at < feed_count; return fresh; }
uint32_t port_imu_mhz(void) { return feed_rate; }
bool port_imu_read(tk_sample *sample)
{
    if (!fresh) return false;
    for (uint32_t i = 0; i < 6; i++) sample->value[i] = feed[feed_at + i];
    sample->index = feed_at / 6;
    sample->time_us = port_micros();
    feed_at += 6;
    fresh = false;
    return true;
}
void port_mic_start(void) {}
uint32_t port_mic_settle_ms(void) { return 0; }
size_t port_mic_read(int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    uint32_t n = feed_count - feed_at < 320u ? feed_count - feed_at : 320u;
    if (!fresh) return 0;
    if (n > capacity) n = (uint32_t)capacity;
    *index = feed_at;
    *time_us = port_micros();
    for (uint32_t i = 0; i < n; i++) samples[i] = feed[feed_at + i];
    feed_at += n;
    fresh = false;
    return n;
}
"""


def with_port(folder, tmp_path):
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    (copy / "cortex" / "port.c").write_text(PORT, encoding="utf-8")
    return copy


class Chip:
    """The program on the emulated core."""

    def __init__(self, path):
        self.core = Cortex()
        self.core.load(path, physical=True)

    def put(self, name, value):
        data = value.tobytes() if isinstance(value, np.ndarray) else int(value).to_bytes(4, "little")
        self.core.write(self.core.symbol(name), data)

    def lines(self):
        size = int.from_bytes(self.core.read(self.core.symbol("heard_length"), 4), "little")
        return self.core.read(self.core.symbol("heard"), size).decode().split("\r\n")[:-1]

    def play(self, samples, rate_mhz, per):
        """From reset's end on: variables are put in before main is called."""
        for name in ("data_start", "bss_start"):
            assert self.core.symbol(name) >= 0x2000_0000
        start, end, load = (self.core.symbol(name) for name in ("data_start", "data_end", "data_load"))
        self.core.write(start, bytes(self.core.read(load, end - start)))
        start, end = self.core.symbol("bss_start"), self.core.symbol("bss_end")
        self.core.write(start, bytes(end - start))
        self.put("feed", samples)
        self.put("feed_count", samples.size)
        self.put("feed_rate", rate_mhz)
        self.put("feed_per", per)
        return self.core.call("main", 0, 0), self.lines()


def compilers():
    found = [pytest.param(ZIG_CORTEX, id="zig")]
    if GCC:
        found.append(pytest.param([GCC, "-mcpu=cortex-m4", "-mthumb", "-nostartfiles"], id="gcc"))
        floats = ["-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
        found.append(pytest.param([GCC, "-mcpu=cortex-m4", "-mthumb", *floats, "-nostartfiles"], id="gcc-fpu"))
        found.append(pytest.param([GCC, "-mcpu=cortex-m0plus", "-mthumb", "-nostartfiles"], id="gcc-m0plus"))
    return found


@pytest.mark.parametrize("compiler", compilers())
def test_the_core_answers_a_motion_with_the_same_bits(wand, wand_folder, tmp_path, motion, compiler):
    counts = motion[1][:600]
    chip = Chip(build(with_port(wand_folder, tmp_path), compiler, "@cortex.args", tmp_path / "wand.elf"))
    status, lines = chip.play(counts.reshape(-1), 119000, 6)
    answers, ends = feature_answers(wand, counts)
    assert status == 0 and lines[1] == CHECKED
    assert heard(lines)[0] == lines_of(wand, answers, np.array(ends) / 119) and len(answers) > 30


@pytest.mark.parametrize("compiler", compilers())
def test_the_core_answers_a_sound_with_the_same_bits(words, words_folder, tmp_path, compiler):
    sound = babble(1.024, seed=4)[:16384]
    words_folder = with_port(words_folder, tmp_path)
    chip = Chip(build(words_folder, compiler, "@cortex.args", tmp_path / "words.elf"))
    status, lines = chip.play(sound, 16000000, 1)
    found = stream_answers(words, sound)
    assert status == 0 and lines[1] == CHECKED
    assert heard(lines)[0] == lines_of(words, found.answers, found.times_s) and len(found) > 0


def test_it_starts_from_reset_as_it_was_exported(wand_folder, tmp_path):
    chip = Chip(build(wand_folder, ZIG_CORTEX, "@cortex.args", tmp_path / "wand.elf"))
    stack, reset = np.frombuffer(chip.core.read(0, 8), np.uint32)
    assert stack == 0x2004_0000 and int(reset) & ~1 == chip.core.symbol("reset") & ~1
    chip.core.limit(50_000_000)
    chip.core.reset(0)
    chip.core.run()
    said = bytes(chip.core.read(chip.core.symbol("said"), 512)).split(b"\0")[0].decode()
    assert said.split("\r\n")[:2] == ["# gesture wand: flex, punch, rest", CHECKED]


@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m3", "cortex-m7", "cortex-m33", "cortex-m55"])
def test_any_cortex_m_takes_it(words_folder, tmp_path, cpu):
    if GCC is None:
        pytest.skip("arm-none-eabi-gcc is not installed: Zig's compiler is tested alone.")
    compiler = [GCC, f"-mcpu={cpu}", "-mthumb", "-nostartfiles"]
    assert build(words_folder, compiler, "@cortex.args", tmp_path / "words.elf").stat().st_size > 10_000


def test_the_makefile_builds_it(wand_folder, tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not installed.")
    folder = tmp_path / "made"
    shutil.copytree(wand_folder, folder)
    done = subprocess.run(["make", f"CC={' '.join(ZIG)}"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and run(folder / "wand")[0] == 0, done.stderr
