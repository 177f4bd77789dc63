"""Every lesson in JupyterLab in headless Chromium, as a student runs it on the virtual board: cells, buttons, takes.

The lessons lie in a folder of their own, as ``make lab`` shows them, and share its workspace, so that a later one goes
on with what an earlier one kept; alone, each makes what it lacks. Pictures of all of them are left in the artefacts.
"""

import re
import shutil
import time

import pytest
from browser_lesson import Lesson, circle
from lab_browser import browser, click, frames, noted, press, serve, text, wait
from lessons import FOLDER, LESSONS

from tinykit.lab.tour import board_url

pytestmark = pytest.mark.browser

# Chromium's own device beeps once a second in place of a microphone.
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
# What only takes time here; the network that lesson 04 deploys is trained in full, for its answers are looked at.
LESS = {
    "02": [
        ('train("gesture", train, validation, seed=seed,', 'train("gesture", train, validation, epochs=2, seed=seed,')
    ],
    "06": [("epochs=40", "epochs=12")],
}
GESTURES = ("circle", "flex", "punch", "wing")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A page, and JupyterLab on a copy of the lessons."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(FOLDER, folder / "notebooks", ignore=shutil.ignore_patterns("workspace", ".ipynb_checkpoints"))
    for number, changes in LESS.items():
        (path,) = (folder / "notebooks").glob(f"{number}_*.ipynb")
        source = path.read_text(encoding="utf-8")
        for old, new in changes:
            old, new = old.replace('"', r"\""), new.replace('"', r"\"")
            assert source.count(old) == 1, f"lesson {number} trains in other words now"
            source = source.replace(old, new)
        path.write_text(source, encoding="utf-8")
    own = {"TINYKIT_PORT": board_url(folder), "TINYKIT_WORKSPACE": "", "TINYKIT_ARDUINO_CLI": str(folder / "none")}
    with browser(*MICROPHONE) as page, serve(folder, folder / "notebooks", **own) as server:
        yield page, server


@pytest.fixture
def lesson(lab):
    """Opens a lesson by its number; its kernel ends with the test."""
    opened = []

    def open_(number) -> Lesson:
        (name,) = (path.name for path in LESSONS if path.name.startswith(number))
        opened.append(Lesson(*lab, name))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def until(act, came, what, tell):
    """Do something again until it had its effect: a movement may fall between two windows, a take may lose samples."""
    for _ in range(3):
        act()
        try:
            return wait(came, 20, what, tell, least=0)
        except AssertionError:
            continue
    act()
    return wait(came, 60, what, tell)


def counted(scope):
    """Whether it says what was lost; how many is the computer's affair."""
    return re.search(r"\b[\d,]+ lost of [\d,]+", text(scope))


def takes(recorder):
    return recorder.locator(".tk-take").count()


def record(recorder, meanwhile=lambda: None):
    """Press the large button, and wait for the take."""
    before = takes(recorder)
    countdown = noted(recorder, "Get ready")
    click(recorder, ".tk-rb")
    wait(countdown, 60, "the countdown", lambda: text(recorder))

    last = -9.0

    def came():
        nonlocal last
        if time.monotonic() > last + 3:  # it takes the hand as long to do it
            last = time.monotonic()
            meanwhile()
        return takes(recorder) > before

    wait(came, 120, "the take", lambda: text(recorder))


def test_00_the_scope_shows_what_is_drawn_on_the_pad(lesson):
    start = lesson("00")
    start.run()
    scope = start.show("Scope")
    wait(lambda: frames(scope) > 20 and counted(scope), 60, "a picture", lambda: text(scope))
    pad = start.show("Signal pad")
    wait(lambda: "feels its own signal" in text(pad), 30, "the pad's state", lambda: text(pad))
    moved = noted(pad, "the board is moved")
    until(lambda: circle(pad), moved, "the movement", lambda: text(pad))
    wait(lambda: "lies still" in text(pad), 60, "the end of the movement", lambda: text(pad))
    press(pad, "Let go")
    wait(lambda: "feels its own signal" in text(pad), 30, "the synthetic hand", lambda: text(pad))
    start.shots("Scope", "Signal pad")
    start.finish("Scope", "Signal pad")


def test_01_takes_appear_are_discarded_and_come_back(lesson):
    collect = lesson("01")
    collect.run()
    recorder = collect.show("Recorder")
    recorder.get_by_role("radio", name=re.compile("^flex,")).click()
    wait(lambda: "Record “flex”" in text(recorder), 30, "the label", lambda: text(recorder))
    kept = lambda: re.search("[1-9]/20", text(recorder.get_by_role("radio", name=re.compile("^flex,"))))  # noqa: E731
    until(lambda: record(recorder), kept, "a good take", lambda: text(recorder))  # a synthetic hand moves
    wait(lambda: takes(recorder), 30, "its card")
    assert int(collect.printed('print(sum(r.label == "flex" for r in ws.recordings))')) >= 1, "it is on the disk"
    shown = takes(recorder)
    click(recorder, 'button[aria-label^="Discard take"]')
    wait(lambda: takes(recorder) < shown and "Undo" in text(recorder), 30, "the discarding", lambda: text(recorder))
    press(recorder, "Undo")
    wait(lambda: takes(recorder) == shown, 30, "the take back")

    recorder.get_by_role("radio", name=re.compile("^circle,")).click()
    wait(lambda: "of “circle”" in text(recorder), 30, "its takes", lambda: text(recorder))
    pad = collect.show("Signal pad")
    drawn = recorder.locator(".tk-take").first
    by_hand = lambda: record(recorder, lambda: circle(pad))  # noqa: E731
    until(by_hand, lambda: "too still" not in text(drawn), "a movement in the take", lambda: text(drawn))
    collect.shots("Recorder", "Signal pad")
    collect.finish("Recorder")


def test_02_trains_and_shows_where_it_goes_wrong(lesson):
    train = lesson("02")
    train.run()
    assert train.shows("Baselines", "Learning curves", "Who is taken for whom", "The same network")
    train.shots()
    train.finish()
    assert train.printed("print(ws)").count("not yet") == 1, "float is kept, int8 comes in the next lesson"


def test_03_quantises_and_compares(lesson):
    quantise = lesson("03")
    quantise.run()
    assert quantise.shows("Float32 and int8", "Will it fit?", "How long a coin cell lasts")
    quantise.shots()
    quantise.finish()
    assert "not yet" not in quantise.printed("print(ws)")


def test_04_the_prediction_follows_the_signal(lesson):
    deploy = lesson("04")
    deploy.run(before="04-check-decide")
    live = deploy.show("Live predictions")
    word = live.locator(".w").first
    tell = lambda: text(live)  # noqa: E731
    seen = [noted(word, gesture) for gesture in GESTURES]
    wait(lambda: sum(bool(times()) for times in seen) >= 2, 120, "two gestures of the synthetic hand", tell)

    pad = deploy.show("Signal pad")
    press(pad, "Lie still")
    live = deploy.show("Live predictions")
    calm = re.compile(r"negative\s+for ([3-9]|\d\d)\.\d s")
    wait(lambda: calm.search(text(live)), 60, "three seconds of nothing", tell)

    deploy.show("Signal pad")
    until(lambda: circle(pad), noted(word, "circle"), "a drawn circle", tell)
    pad.get_by_role("radio", name="Replay").click()
    pad.get_by_label("Label").select_option("flex")
    until(lambda: press(pad, "Play it to the board"), noted(word, "flex"), "a replayed flex", tell)

    live = deploy.show("Live predictions")
    before = int(deploy.printed("print(len(ws.recordings))"))
    press(live, "That was wrong")
    wait(lambda: "What was it really?" in text(live), 60, "the question", tell)
    click(live, ".tk-ask button")
    wait(lambda: "1 marked wrong" in text(live), 60, "the correction", tell)
    assert int(deploy.printed("print(len(ws.recordings))")) == before + 1
    deploy.shots("Live predictions", "Signal pad")
    deploy.finish("Live predictions")


def test_05_hears_words_and_records_one(lesson):
    sound = lesson("05")
    sound.run()
    scope = sound.show("Audio scope")
    wait(lambda: frames(scope) > 20 and counted(scope), 60, "a picture", lambda: text(scope))
    recorder = sound.show("Recorder")
    kept = lambda: re.search("[1-9]/20", text(recorder.get_by_role("radio", name=re.compile("^left,"))))  # noqa: E731
    until(lambda: record(recorder), kept, "a good take", lambda: text(recorder))  # a made-up voice says the word
    microphone = sound.show("Microphone")
    press(microphone, "Start the microphone")
    wait(lambda: "microphone on" in text(microphone), 60, "the page's microphone", lambda: text(microphone))
    sound.shots("Audio scope", "Microphone", "Recorder")
    sound.finish("Audio scope", "Recorder")


def test_06_trains_keywords(lesson):
    keywords = lesson("06")
    keywords.run()
    assert keywords.shows("The zoo", "Learning curves", "Float32 and int8", "Who is taken for whom")
    keywords.shots()
    keywords.finish()
    assert "not yet" not in keywords.printed("print(ws)")


def test_07_announces_words_and_the_curve_moves_the_boards_rule(lesson):
    stream = lesson("07")
    stream.run()
    live = stream.show("Live predictions")
    wait(
        lambda: live.get_by_role("button", name=re.compile("^False trigger")).count(), 180, "a word", lambda: text(live)
    )
    live.get_by_role("button", name=re.compile("^False trigger")).first.click()
    wait(lambda: "1 marked wrong" in text(live), 60, "the negative", lambda: text(live))
    curve = stream.show("Detection curve")
    slider = curve.get_by_label("all words")
    slider.focus()
    stream.page.keyboard.press("End")
    rule = "print(min(board.decision().thresholds[2:]))"  # without silence and unknown
    wait(lambda: float(stream.printed(rule)) > 0.96, 60, "the highest threshold", lambda: stream.printed(rule))
    stream.shots("Live predictions", "Detection curve")
    stream.finish("Live predictions")


def test_08_records_in_the_browser_and_wakes_at_the_word(lesson):
    wake = lesson("08")
    wake.run()
    recorder = wake.show("Recorder")
    press(recorder, "Start the microphone")
    wait(lambda: "microphone on" in text(recorder), 60, "the microphone", lambda: text(recorder))
    record(recorder)  # beeps, but it is heard
    live = wake.show("Live predictions")
    tell = lambda: text(live)  # noqa: E731
    said = live.get_by_role("button", name=re.compile("^False trigger"))
    wait(said.count, 180, "the word in the long recording", tell)
    pad = wake.show("Signal pad")
    press(pad, "Lie still")
    pad.get_by_role("radio", name="Replay").click()
    word = wake.printed("print(word)")
    until(lambda: press(pad, "Play it to the board"), noted(live.locator(".w").first, word), "the replayed word", tell)
    wake.shots("Recorder", "Live predictions", "Signal pad")
    wake.finish("Live predictions")


def test_09_says_what_is_missing_and_compares_two_boards(lesson):
    real = lesson("09")
    real.run()
    flash = real.show("Flash")
    press(flash, "Flash firmware")
    wait(lambda: "Try again" in text(flash) and "Next:" in text(flash), 60, "what is missing", lambda: text(flash))
    real.shots("Flash")
    real.finish()
    assert real.printed("print(same.equal == same.windows > 100)") == "True"


def test_every_lesson_is_here():
    here = {name[5:7] for name in globals() if re.match(r"test_\d\d_", name)}
    assert here == {path.name[:2] for path in LESSONS}
