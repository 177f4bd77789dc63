"""Sound in a real JupyterLab in headless Chromium: a page's microphone, the firmware on the virtual board."""

import json
import math
import time
import wave

import numpy as np
import pytest
from lab_browser import (
    browser,
    click,
    colours,
    frames,
    held_still,
    noted,
    open_lab,
    picture,
    press,
    problems,
    raised,
    random_int8,
    run_code,
    show,
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
    names = {"PIPELINE": network(folder / "hears.tk").as_posix(), "FLASH": (folder / "flash.bin").as_posix()}
    cells = [cell.replace("PIPELINE", names["PIPELINE"]).replace("FLASH", names["FLASH"]) for cell in CELLS]
    flags = (
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken(folder / 'spoken.wav')}",
    )  # fmt: skip
    with browser(*flags) as driver, open_lab(driver, folder, cells, widgets=4) as opened:
        opened.folder = folder
        yield opened


def asked(lab, code):
    """What an expression is in the kernel."""
    place = lab.folder / f"asked-{time.monotonic_ns()}.json"
    name, part = place.as_posix(), f"{place.as_posix()}.part"  # whole, or not there yet
    run_code(
        lab,
        f"import json, os\nwith open({part!r}, 'w') as file:\n    file.write(json.dumps({code}))\n"
        f"os.replace({part!r}, {name!r})",
    )
    return json.loads(wait(lambda: place.exists() and place.read_text(), 30, code))


def test_a_refused_microphone_is_one_clear_sentence(lab):
    microphone = show(lab, "Microphone")
    for name, words in (("NotAllowedError", "was not allowed"), ("NotFoundError", "has no microphone"),
                        ("NotReadableError", "Another program")):  # fmt: skip
        lab.execute_script(
            "const name = arguments[0]; window.ask = window.ask || navigator.mediaDevices.getUserMedia;"
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name));",
            name)  # fmt: skip
        press(microphone, "Start the microphone")
        wait(lambda: words in microphone.text, 20, words, lambda: microphone.text)  # noqa: B023
        (alert,) = microphone.find_elements("css selector", "[role=alert]")
        assert "Next:" in alert.text
    lab.execute_script("navigator.mediaDevices.getUserMedia = window.ask")


def test_what_is_said_to_the_page_reaches_the_kernel_whole(lab):
    microphone = show(lab, "Microphone")
    press(microphone, "Start the microphone")
    wait(lambda: "microphone on" in microphone.text and "good level" in microphone.text, 60, "sound",
         lambda: microphone.text)  # fmt: skip
    assert "16,000 Hz here" in microphone.text and not microphone.find_elements("css selector", "[role=alert]")
    wait(lambda: asked(lab, "microphone.sound.received") > 6 * 16000, 60, "six seconds")
    rate = asked(lab, "microphone._stream.stats.rate_hz")
    assert abs(rate - 16000) < 1
    # Half a second of the first word's tone, at its pitch whatever the page's own rate is.
    counts = np.array(asked(lab, "microphone._stream.read_new()[0].counts[-64000:, 0].tolist()")) / 32768
    spectrum = np.abs(np.fft.rfft(counts * np.hanning(len(counts))))
    hz = np.argsort(spectrum)[-400:] * 16000 / len(counts)
    assert {round(f, -2) for f in hz} <= {300, 400, 500, 900, 1000, 1100}
    assert colours(lab, microphone) > 20


def test_news_after_a_silence_bring_the_microphones_state_back(lab):
    microphone = show(lab, "Microphone")
    run_code(lab, "from tinykit.lab.widget import FLUSHER\nFLUSHER.discard(microphone)")
    wait(lambda: "no news from the notebook's kernel" in microphone.text, 30, "the silence", lambda: microphone.text)
    run_code(lab, "FLUSHER.add(microphone)")
    wait(lambda: "microphone on" in microphone.text, 30, "the news", lambda: microphone.text)


def test_the_virtual_board_hears_it_and_the_scope_draws_it(lab):
    scope = show(lab, "Audio scope")
    wait(lambda: "linked" in scope.text and "0 lost" in scope.text, 60, "the link", lambda: scope.text)
    wait(lambda: "good level" in scope.text, 60, "speech through the board", lambda: scope.text)
    before = frames(scope)
    wait(lambda: frames(scope) >= before + 30, 60, "thirty more frames")
    assert colours(lab, scope) > 60, "the spectrogram is blank"
    canvas = scope.find_element("css selector", "canvas")
    wait(lambda: "good level" in canvas.get_attribute("aria-label"), 30, "the picture in words")
    meter = scope.find_element("css selector", "[role=meter]")
    assert "decibel" in meter.get_attribute("aria-valuetext")
    press(scope, "Keep last")
    wait(lambda: "5.0 s kept" in scope.text or "s kept as scope.kept[0]" in scope.text, 30, "the take")


def test_pause_holds_the_spectrogram(lab):
    scope = show(lab, "Audio scope")
    press(scope, "Pause")
    wait(lambda: "Resume" in scope.text, 60, "Resume")
    held = held_still(lab, scope)
    time.sleep(1.0)
    assert picture(lab, scope) == held
    lab.execute_script("arguments[0].focus()", scope.find_element("xpath", ".//button[contains(., 'Resume')]"))
    lab.switch_to.active_element.send_keys("p")
    wait(lambda: picture(lab, scope) != held, 30, "motion")


def test_a_words_threshold_moves_on_the_running_board(lab):
    live = show(lab, "Live predictions")
    wait(lambda: "probability" in live.text and "go" in live.text, 90, "answers", lambda: live.text)
    sliders = live.find_elements("css selector", ".tk-rules input[type=range]")
    names = [s.get_attribute("aria-label") for s in sliders]
    assert names == ["Threshold “left”", "Threshold “go”", "Smoothing", "Pause after a word"]
    sliders[0].send_keys("\ue014" * 3)  # arrow right: by 0.01 each
    rule = []

    def moved():  # by one key after the other
        rule[:] = asked(lab, "board.decision().thresholds")
        return rule and abs(rule[2] - 0.03) < 1e-4

    wait(moved, 60, "the word's own threshold", lambda: rule)
    assert rule[3] == pytest.approx(0, abs=1e-4)


def test_a_false_trigger_is_filed_by_one_click(lab):
    live = show(lab, "Live predictions")
    false = lambda: live.find_elements("xpath", ".//button[contains(., 'False trigger')]")  # noqa: E731
    wait(false, 90, "an announcement", lambda: live.text)
    run_code(lab, "board.decision(threshold=1.0, thresholds=())")  # no further ones: this one stays in sight
    wait(lambda: asked(lab, "board.decision().threshold") > 0.99, 90, "the rule that announces nothing")

    def quiet():
        """What was announced under the rule before has come."""
        before = live.text.split(" announced")[0]
        time.sleep(2)
        return live.text.split(" announced")[0].split()[-1] == before.split()[-1]

    wait(quiet, 90, "an end of announcements", lambda: live.text)
    press(live, "False trigger")
    wait(lambda: "filed as “unknown”" in live.text, 90, "the filing", lambda: live.text)
    assert asked(lab, "[[r.label, len(r)] for r in data]") == [["unknown", 16000]]
    click(live, "xpath", ".//button[starts-with(@aria-label, 'It was right')]")
    wait(lambda: asked(lab, "len(data)") == 0, 90, "the undoing")


def test_a_take_and_a_long_take_without_a_board(lab):
    press(show(lab, "Microphone"), "Stop the microphone")
    recorder = show(lab, "Recorder")
    press(recorder, "Start the microphone")
    wait(lambda: "microphone on" in recorder.text, 30, "the microphone")
    press(recorder, "Long take")
    click(recorder, "css selector", ".tk-rb")
    wait(lambda: "Long take of “left”" in recorder.text, 120, "the long take", lambda: recorder.text)
    hand = recorder.find_element("css selector", "[role=slider]")
    level = float(hand.get_attribute("aria-valuenow"))
    lab.execute_script("arguments[0].focus()", hand)
    hand.send_keys("\ue013" * 2)  # arrow up: to the half decibel that is nearest to half a decibel more
    for _ in range(2):
        level = math.floor((level + 0.5) * 2 + 0.5) / 2
    wait(lambda: float(hand.get_attribute("aria-valuenow")) == level, 60, "the hand")
    wait(lambda: asked(lab, "recorder.cut.words.threshold_db") == level, 60, "the hand in the kernel")
    found = asked(lab, "len(recorder.cut.words)")

    def kept_but_one():
        """How many words are kept, in one turn of the page: the kernel's answers draw the words anew between two."""
        return lab.execute_script(
            """const [root, found] = arguments, words = () => [...root.querySelectorAll('.tk-words [aria-pressed]')];
            if (words().length !== found || words().some((w) => w.ariaPressed !== 'true')) return null;
            words()[0].click();
            const n = words().filter((w) => w.ariaPressed === 'true').length;
            const button = [...root.querySelectorAll('button')].find((b) => b.textContent.includes(`Keep ${n} words`));
            if (n !== found - 1 || !button || button.disabled) return null;
            button.click();
            return n;""",
            recorder, found)  # fmt: skip

    n = wait(kept_but_one, 60, "a word left out", lambda: recorder.text)
    assert n >= 2
    wait(lambda: asked(lab, "len(recorder.dataset)") == n, 30, "the words")
    wait(lambda: len(recorder.find_elements("css selector", ".tk-take")) == n, 30, "their cards")


def test_a_take_is_played_in_the_page(lab):
    recorder = show(lab, "Recorder")
    playing = noted(lab, recorder, "playing")
    click(recorder, "css selector", 'button[aria-label^="Play take"]')
    wait(playing, 60, "the playing")
    wait(lambda: "playing" not in recorder.text, 60, "its end")


def test_every_control_of_sound_has_a_name_and_room_for_a_finger(lab):
    assert problems(lab) == []


def test_nothing_of_sound_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no widget raised in the browser or the kernel."""
    assert raised(lab) == []
    said = lab.execute_script("return document.querySelector('.jp-Notebook').innerText")
    assert "Traceback" not in said and "fault of tinykit" not in said
    assert asked(lab, "microphone.errors + live.errors + recorder.errors") == []
