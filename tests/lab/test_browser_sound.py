"""Sound in a real JupyterLab in headless Chromium: a page's microphone, the firmware on the virtual board."""

import math
import re
import time
import wave

import numpy as np
import pytest
from lab_browser import (
    asked,
    click,
    colours,
    frames,
    held_still,
    noted,
    open_cells,
    picture,
    press,
    problems,
    raised,
    random_int8,
    run_code,
    show,
    text,
    wait,
)

pytestmark = pytest.mark.browser

WORDS = ("silence", "unknown", "left", "go")
CELLS = [
    "import tinykit as tk\n"
    "board = tk.connect('virtual://nano33ble?flash=FLASH')\n"
    "board.deploy(tk.Pipeline.load('PIPELINE'), progress=False)\n"
    "board.decision(threshold=0.0, smoothing=1)\n"
    "data = tk.Dataset(card={'name': 'mine'})",
    "microphone = tk.lab.microphone(board)\nmicrophone",
    "tk.lab.scope(board, 'mic')",
    "live = tk.lab.live(board, data)\nlive",
    "recorder = tk.lab.microphone(label='left', person='ana')\nrecorder",
]


def network(path):
    from tinykit.pipeline import Decision, MelFrontEnd, Pipeline

    front = MelFrontEnd(mean=(-4.0,) * 40, scale=(0.3,) * 40)
    int8 = random_int8(5, (49, 40), (10, 8), (4, 4), len(WORDS))
    Pipeline("hears", "keyword", 16000.0, 16000, 3200, front, WORDS, Decision(1, 0.5, 0.5), None, int8).save(path)
    return path


def spoken(path):
    """Six seconds for the browser's fake microphone, at a rate that is not 16 kHz: two tones as words."""
    rate = 48000
    t = np.arange(6 * rate) / rate
    loud = np.where(t % 1.5 < 0.5, np.sin(np.pi * np.clip(t % 1.5 / 0.5, 0, 1)), 0.0)
    x = 0.4 * loud * np.sin(2 * np.pi * np.where(t % 3 < 1.5, 400, 1000) * t)
    x += np.random.default_rng(1).normal(0, 0.001, len(x))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(x * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab with a microphone, and the notebook's cells run."""
    folder = tmp_path_factory.mktemp("lab")
    flags = (
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken(folder / 'spoken.wav')}",
    )  # fmt: skip
    with open_cells(folder, CELLS, 4, *flags, PIPELINE=network(folder / "hears.tk")) as opened:
        yield opened


def test_a_refused_microphone_is_one_clear_sentence(lab):
    microphone = show(lab, "Microphone")
    for name, words in (("NotAllowedError", "was not allowed"), ("NotFoundError", "has no microphone"),
                        ("NotReadableError", "Another program")):  # fmt: skip
        lab.evaluate(
            "(name) => { window.ask ||= navigator.mediaDevices.getUserMedia;"
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }",
            name)  # fmt: skip
        press(microphone, "Start the microphone")
        wait(lambda: words in text(microphone), 20, words, lambda: text(microphone))  # noqa: B023
        alert = microphone.locator("[role=alert]")
        assert alert.count() == 1 and "Next:" in text(alert)
    lab.evaluate("() => { navigator.mediaDevices.getUserMedia = window.ask; }")


def test_what_is_said_to_the_page_reaches_the_kernel_whole(lab):
    microphone = show(lab, "Microphone")
    press(microphone, "Start the microphone")
    wait(lambda: "microphone on" in text(microphone) and "good level" in text(microphone), 60, "sound",
         lambda: text(microphone))  # fmt: skip
    assert "16,000 Hz here" in text(microphone) and not microphone.locator("[role=alert]").count()
    wait(lambda: asked(lab, "microphone.sound.received") > 6 * 16000, 60, "six seconds")
    rate = asked(lab, "microphone._stream.stats.rate_hz")
    assert abs(rate - 16000) < 1
    # Half a second of the first word's tone, at its pitch whatever the page's own rate is.
    counts = np.array(asked(lab, "microphone._stream.read_new()[0].counts[-64000:, 0].tolist()")) / 32768
    spectrum = np.abs(np.fft.rfft(counts * np.hanning(len(counts))))
    hz = np.argsort(spectrum)[-40:] * 16000 / len(counts)  # the strongest of 10 Hz: a gap of the sound is weaker
    assert all(min(abs(f - 400), abs(f - 1000)) < 20 for f in hz), hz
    assert colours(microphone) > 20


def test_news_after_a_silence_bring_the_microphones_state_back(lab):
    microphone = show(lab, "Microphone")
    run_code(lab, "from tinykit.lab.widget import FLUSHER\nFLUSHER.discard(microphone)")
    wait(lambda: "no news from the notebook's kernel" in text(microphone), 30, "the silence", lambda: text(microphone))
    run_code(lab, "FLUSHER.add(microphone)")
    wait(lambda: "microphone on" in text(microphone), 30, "the news", lambda: text(microphone))


def test_the_virtual_board_hears_it_and_the_scope_draws_it(lab):
    scope = show(lab, "Audio scope")
    wait(lambda: "linked for" in text(scope) and re.search(r"\b[\d,]+ lost of [\d,]+", text(scope)), 60, "the link",
         lambda: text(scope))  # fmt: skip
    wait(lambda: "good level" in text(scope), 60, "speech through the board", lambda: text(scope))
    before = frames(scope)
    wait(lambda: frames(scope) >= before + 30, 60, "thirty more frames")
    assert colours(scope) > 60, "the spectrogram is blank"
    canvas = scope.locator("canvas").first
    wait(lambda: "good level" in canvas.get_attribute("aria-label"), 30, "the picture in words")
    meter = scope.locator("[role=meter]").first
    assert "decibel" in meter.get_attribute("aria-valuetext")
    press(scope, "Keep last")
    wait(lambda: "5.0 s kept" in text(scope) or "s kept as scope.kept[0]" in text(scope), 30, "the take")


def test_pause_holds_the_spectrogram(lab):
    scope = show(lab, "Audio scope")
    press(scope, "Pause")
    wait(lambda: "Resume" in text(scope), 60, "Resume")
    held = held_still(scope)
    time.sleep(1.0)
    assert picture(scope) == held
    scope.locator("button", has_text="Resume").focus()
    lab.keyboard.press("p")
    wait(lambda: picture(scope) != held, 30, "motion")


def test_a_words_threshold_moves_on_the_running_board(lab):
    live = show(lab, "Live predictions")
    wait(lambda: "probability" in text(live) and "go" in text(live), 90, "answers", lambda: text(live))
    sliders = live.locator(".tk-rules input[type=range]")
    names = [s.get_attribute("aria-label") for s in sliders.all()]
    assert names == ["Threshold “left”", "Threshold “go”", "Smoothing", "Pause after a word"]
    sliders.first.fill("0.03")  # at once: the board's answer to a first key would set it back under the others
    rule = []

    def moved():
        rule[:] = asked(lab, "board.decision().thresholds")
        return rule and abs(rule[2] - 0.03) < 1e-4

    wait(moved, 60, "the word's own threshold", lambda: rule)
    assert rule[3] == pytest.approx(0, abs=1e-4)


def test_a_false_trigger_is_filed_by_one_click(lab):
    live = show(lab, "Live predictions")
    wait(live.locator("button", has_text="False trigger").count, 90, "an announcement", lambda: text(live))
    run_code(lab, "board.decision(threshold=1.0, thresholds=())")  # no further ones: this one stays in sight
    wait(lambda: asked(lab, "board.decision().threshold") > 0.99, 90, "the rule that announces nothing")

    def quiet():
        """What was announced under the rule before has come."""
        before = text(live).split(" announced")[0]
        time.sleep(2)
        return text(live).split(" announced")[0].split()[-1] == before.split()[-1]

    wait(quiet, 90, "an end of announcements", lambda: text(live))
    press(live, "False trigger")
    wait(lambda: "filed as “unknown”" in text(live), 90, "the filing", lambda: text(live))
    assert asked(lab, "[[r.label, len(r)] for r in data]") == [["unknown", 16000]]
    click(live, 'button[aria-label^="It was right"]')
    wait(lambda: asked(lab, "len(data)") == 0, 90, "the undoing")


def test_a_take_and_a_long_take_without_a_board(lab):
    press(show(lab, "Microphone"), "Stop the microphone")
    recorder = show(lab, "Recorder")
    press(recorder, "Start the microphone")
    wait(lambda: "microphone on" in text(recorder), 30, "the microphone")
    press(recorder, "Long take")
    click(recorder, ".tk-rb")
    wait(lambda: "Long take of “left”" in text(recorder), 120, "the long take", lambda: text(recorder))
    hand = recorder.locator("[role=slider]").first
    level = float(hand.get_attribute("aria-valuenow"))
    hand.focus()
    for _ in range(2):  # to the half decibel that is nearest to half a decibel more
        hand.press("ArrowUp")
        level = math.floor((level + 0.5) * 2 + 0.5) / 2
    wait(lambda: float(hand.get_attribute("aria-valuenow")) == level, 60, "the hand")
    wait(lambda: asked(lab, "recorder.cut.parts.threshold_db") == level, 60, "the hand in the kernel")
    found = asked(lab, "len(recorder.cut.parts)")

    def kept_but_one():
        """How many words are kept, in one turn of the page: the kernel's answers draw the words anew between two."""
        return recorder.evaluate(
            """(root, found) => {
            const words = () => [...root.querySelectorAll('.tk-words [aria-pressed]')];
            if (words().length !== found || words().some((w) => w.ariaPressed !== 'true')) return null;
            words()[0].click();
            const n = words().filter((w) => w.ariaPressed === 'true').length;
            const button = [...root.querySelectorAll('button')].find((b) => b.textContent.includes(`Keep ${n} words`));
            if (n !== found - 1 || !button || button.disabled) return null;
            button.click();
            return n; }""",
            found)  # fmt: skip

    n = wait(kept_but_one, 60, "a word left out", lambda: text(recorder))
    assert n >= 2
    wait(lambda: asked(lab, "len(recorder.dataset)") == n, 30, "the words")
    wait(lambda: recorder.locator(".tk-take").count() == n, 30, "their cards")


def test_a_take_is_played_in_the_page(lab):
    recorder = show(lab, "Recorder")
    playing = noted(recorder, "playing")
    click(recorder, 'button[aria-label^="Play take"]')
    wait(playing, 60, "the playing")
    wait(lambda: "playing" not in text(recorder), 60, "its end")


def test_every_control_of_sound_has_a_name_and_room_for_a_finger(lab):
    assert problems(lab) == []


def test_nothing_of_sound_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no widget raised in the browser or the kernel."""
    assert raised(lab) == []
    said = text(lab.locator(".jp-Notebook"))
    assert "Traceback" not in said and "fault of tinykit" not in said
    assert asked(lab, "microphone.errors + live.errors + recorder.errors") == []
