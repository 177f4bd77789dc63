"""The widgets in a real JupyterLab in headless Chromium, on the real firmware on the virtual board."""

import re
import time

import pytest
from lab_browser import (
    LENIENT,
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
    running,
    save_gestures,
    show,
    text,
    theme,
    wait,
)

pytestmark = pytest.mark.browser

LABELS = ("flex", "punch", "rest")
CELLS = [
    f"{LENIENT}\nimport tinykit as tk\nfrom tinykit.board.virtual import Generator\n"
    "board = tk.connect('virtual://nano33ble?flash=FLASH', source=Generator(('flex', 'punch')))\n"
    "pipeline = tk.Pipeline.load('PIPELINE')",
    "tk.lab.scope(board)",
    "show = tk.lab.deploy(board, pipeline)\nshow",
    "show.deploy()",
    "tk.lab.live(board)",
    "recorder = tk.lab.recorder(board, labels=['circle', 'rest'], person='ada')\nrecorder",
    "import time\nfor _ in range(60):\n    time.sleep(0.1)\nprint('done waiting')",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab with the notebook open and all its cells run."""
    folder = tmp_path_factory.mktemp("lab")
    with open_cells(folder, CELLS, 4, PIPELINE=save_gestures(folder / "browser.tk", LABELS)) as opened:
        yield opened


def test_the_scope_draws_and_goes_on_drawing_while_a_cell_runs(lab):
    scope = show(lab, "Scope")
    wait(lambda: frames(scope) > 10, 60, "frames")
    before = frames(scope)
    wait(lambda: frames(scope) >= before + 30, 60, "thirty more frames")
    assert colours(scope) > 20, "the picture is blank"
    wait(lambda: "linked for" in text(scope), 30, "the link's state", lambda: text(scope))
    facts = re.compile(r"119\.\d+ Hz.*\b[\d,]+ lost of [\d,]+", re.DOTALL)  # how many is the computer's affair
    wait(lambda: facts.search(text(scope)), 30, "the true rate and the losses", lambda: text(scope))
    canvas = scope.locator("canvas").first
    wait(lambda: "aZ" in canvas.get_attribute("aria-label"), 30, "the picture in words")


def test_a_cell_that_never_pauses_stops_neither_the_picture_nor_the_buttons(lab):
    scope = show(lab, "Scope")
    with running(lab, "while True:\n    pass"):
        before, held = frames(scope), picture(scope)
        wait(lambda: frames(scope) >= before + 60, 120, "sixty more frames")
        assert picture(scope) != held
        press(scope, "Keep last")
        wait(lambda: "kept as" in text(scope), 60, "the answer of a busy kernel", lambda: text(scope))


def test_pause_holds_the_picture_in_the_browser(lab):
    scope = show(lab, "Scope")
    wait(lambda: frames(scope) > 10, 60, "frames")
    press(scope, "Pause")
    wait(lambda: "Resume" in text(scope), 60, "Resume")
    held = held_still(scope)
    time.sleep(1.0)
    assert picture(scope) == held
    scope.locator("button", has_text="Resume").focus()
    lab.keyboard.press("p")  # the key does the same, and JupyterLab does not see it
    wait(lambda: "Pause" in text(scope), 60, "Pause")
    wait(lambda: picture(scope) != held, 30, "motion")


def test_deploy_shows_the_new_slot_running(lab):
    deploy = show(lab, "Deploy")
    wait(lambda: "runs from slot" in text(deploy), 120, "the deployment", lambda: text(deploy))
    slot = deploy.locator(".tk-slot.act")
    assert slot.count() == 1 and "runs now" in text(slot) and "v1 browser" in text(slot)


def test_live_shows_the_labels_and_the_slider_moves_the_boards_rule(lab):
    live = show(lab, "Live predictions")
    wait(
        lambda: "probability" in text(live) and all(label in text(live) for label in LABELS),
        60,
        "predictions",
        lambda: text(live),
    )
    word = wait(lambda: text(live.locator(".w").first), 60, "the word")
    assert word in (*LABELS, "unsure")
    before = frames(live)
    wait(lambda: frames(live) > before, 30, "frames")
    assert colours(live) > 20
    slider = live.locator("input[type=range]").first
    slider.fill("0.7")  # at once: the board's answer to a first key would set it back under the others
    wait(lambda: "threshold 0.70" in text(live), 30, "the new threshold", lambda: text(live))
    # What is in force on the board comes back as the widget's own state.
    wait(lambda: slider.get_attribute("aria-valuetext") == "0.70", 30, "0.70")


def test_that_was_wrong_files_the_window(lab):
    live = show(lab, "Live predictions")
    wait(lambda: "probability" in text(live), 60, "predictions")
    press(live, "That was wrong")
    wait(lambda: "What was it really?" in text(live) and "held" in text(live), 60, "the question")
    click(live, ".tk-ask button")
    wait(
        lambda: "1 marked wrong" in text(live) and "Kept as .corrected[0]" in text(live),
        60,
        "the correction",
        lambda: text(live),
    )


def test_the_recorder_counts_down_and_keeps_a_take(lab):
    recorder = show(lab, "Recorder")
    wait(lambda: "Record “circle”" in text(recorder), 60, "the button", lambda: text(recorder))
    countdown = noted(recorder, "Get ready")
    click(recorder, ".tk-rb")
    wait(countdown, 60, "the countdown")
    wait(lambda: "1/20" in text(recorder), 90, "the take", lambda: text(recorder))
    assert recorder.locator(".tk-take").count() == 1
    click(recorder, 'button[aria-label="Discard take 1"]')
    wait(lambda: "0/20" in text(recorder) and "Undo" in text(recorder), 30, "the discarding")
    press(recorder, "Undo")
    wait(lambda: "1/20" in text(recorder), 30, "the take back")


def test_dark_and_light_follow_the_theme(lab):
    scope = show(lab, "Scope")
    ground = lambda: scope.evaluate("(e) => getComputedStyle(e).backgroundColor")  # noqa: E731
    light = ground()
    theme(lab, "dark")
    wait(lambda: ground() != light, 30, "the dark theme")
    wait(lambda: colours(scope) > 20, 30, "the dark picture")
    theme(lab, "light")
    wait(lambda: ground() == light, 30, "the light theme")


def test_every_control_has_a_name_and_room_for_a_finger(lab):
    assert problems(lab) == []


def test_nothing_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no widget raised in the browser or the kernel."""
    assert raised(lab) == []
    said = text(lab.locator(".jp-Notebook"))
    assert "Traceback" not in said and "fault of tinykit" not in said
