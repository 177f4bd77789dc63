"""The cable is pulled in the middle of a deployment and of live predictions, and put back; in a real JupyterLab."""

import re

import pytest
from lab_browser import (
    asked,
    click,
    open_cells,
    press,
    printed,
    problems,
    raised,
    save_gestures,
    shot,
    show,
    sized,
    stands_out,
    text,
    theme,
    wait,
)

pytestmark = pytest.mark.browser

LABELS = ("flex", "punch", "rest")
CELLS = [
    "import tinykit as tk\nfrom tinykit.board.virtual import Generator\n"
    "board = tk.connect('virtual://nano33ble/unplug?flash=memory', source=Generator(('flex', 'punch')))\n"
    "board.deploy(tk.Pipeline.load('FOLDER/old.tk'), progress=False)\n"
    "dataset = tk.data.Dataset(card={'name': 'mine'})",
    "deploy = tk.lab.deploy(board, tk.Pipeline.load('FOLDER/new.tk'))\ndeploy",
    "live = tk.lab.live(board, dataset)\nlive",
]
# Of a button that sends in a tenth of a second, the middle is found by counting bytes.
PULL_IN_THE_MIDDLE = """
_own = deploy._progress
def _pull(done, total):
    _own(done, total)
    if done > total / 2:
        deploy._progress = _own
        board.machine.unplug()
deploy._progress = _pull
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unplug")
    for seed, name in enumerate(("old", "new")):
        save_gestures(folder / f"{name}.tk", LABELS, seed)
    with open_cells(folder, CELLS, 2, FOLDER=folder) as opened:
        yield opened


def says(widget, *words, seconds=90):
    """Wait until all of these can be read in the widget."""
    all_there = lambda: all(w in text(widget) for w in words)  # noqa: E731
    wait(all_there, seconds, " and ".join(words), lambda: text(widget))


def answers(page):
    """How many answers there are; more of them is an answering board."""
    return asked(page, "live._history[-1].number if len(live._history) else -1")


def answering(page):
    before = answers(page)
    wait(lambda: answers(page) >= before + 5, 90, "five more answers")


def test_a_deployment_cut_off_is_said_and_sent_again(lab):
    live, deploy = show(lab, "Live predictions"), show(lab, "Deploy")
    says(deploy, "v1 old", "runs now")
    answering(lab)
    printed(lab, PULL_IN_THE_MIDDLE)
    press(deploy, "Send new to slot B")
    says(deploy, "The board went away when", "It keeps v1 old in slot A", "plug it in again", "sent in part")
    says(deploy, "link lost")
    wait(lambda: deploy.locator(".tk-note").count() == 1, 30, "one note about it, not two", lambda: text(deploy))
    assert not asked(lab, "board.connected")
    shot(deploy, "unplug-deploy-away")

    printed(lab, "board.machine.replug()")
    says(deploy, "The board is back, and runs v1 old from slot A as before.", "Send again")
    assert asked(lab, "[board.active.name, board.active.letter]") == ["old", "A"]
    show(lab, "Live predictions")
    answering(lab)  # with the old network
    says(live, "probability")
    shot(show(lab, "Deploy"), "unplug-deploy-back")

    press(deploy, "Send again")
    says(deploy, "v2 runs from slot B.")
    (slot,) = deploy.locator(".tk-slot.act").all()
    assert "v2 new" in text(slot) and "runs now" in text(slot)
    answering(lab)
    press(deploy, "Roll back to v1 old")
    says(deploy, "v1 old runs from slot A again.")


def test_live_goes_on_after_a_replug_and_nothing_is_lost(lab):
    live = show(lab, "Live predictions")
    says(live, "runs on the board")
    answering(lab)
    press(live, "That was wrong")
    says(live, "What was it really?")
    printed(lab, "board.machine.unplug()")
    says(live, "link lost", "The board stopped sending at", "check that the USB cable is in")
    shot(live, "unplug-live-asked")
    click(live, ".tk-ask button")  # the window is from before: it is here still
    says(live, "1 marked wrong", "Filed as")
    assert asked(lab, "len(dataset)") == 1
    says(live, "no answers", "last known")
    slider = live.locator("input[type=range]").first
    slider.press("ArrowRight")
    moved = slider.get_attribute("aria-valuetext")
    says(live, "is sent when it is back")
    before = answers(lab)
    shot(live, "unplug-live-away")

    printed(lab, "board.machine.replug()")
    wait(lambda: answers(lab) > before + 8, 90, "answers from the board that is back", lambda: text(live))
    says(live, "now, smoothed probability")
    wait(lambda: f"{asked(lab, 'board.decision().threshold'):.2f}" == moved, 60, "the threshold set meanwhile")
    numbers = asked(lab, "[(p.number, p.device_time_s) for p in live._history]")
    assert numbers == sorted(numbers) and len({n for n, _ in numbers}) == len(numbers)
    shot(live, "unplug-live-back")

    press(live, "That was wrong")
    says(live, "What was it really?")
    click(live, ".tk-ask button")
    says(live, "2 marked wrong")
    assert asked(lab, "[len(r) for r in dataset]") == [60, 60]
    click(live, 'button[aria-label="Undo the correction"]')
    says(live, "1 marked wrong", "Taken back")
    assert asked(lab, "len(dataset)") == 1


def test_the_mark_moves_by_keyboard_and_the_question_closes(lab):
    live = show(lab, "Live predictions")
    says(live, "runs on the board")
    answering(lab)
    press(live, "That was wrong")
    says(live, "held")
    buttons = live.locator(".tk-ask button")
    wait(lambda: buttons.first.evaluate("(e) => e === document.activeElement"), 30, "the focus on the first name")
    held = lambda: re.search(r"held(, ([0-9.]+) s before)?", live.locator(".u").inner_text())  # noqa: E731
    at = lambda: float(held()[2] or 0)  # noqa: E731
    was = at()
    for _ in range(3):
        lab.keyboard.press("ArrowLeft")
    wait(lambda: at() > was, 30, "an earlier answer", lambda: text(live))
    lab.keyboard.press("Escape")
    wait(lambda: not buttons.count(), 30, "no question")
    wait(lambda: "held" not in text(live), 30, "a running picture")


def test_each_class_may_have_its_threshold(lab):
    live = show(lab, "Live predictions")
    press(live, "One per class")
    sliders = live.locator("input[type=range]")
    names = lambda: [s.get_attribute("aria-label") for s in sliders.all()]  # noqa: E731
    wait(lambda: names() == ["Threshold “flex”", "Threshold “punch”", "Smoothing"], 30, "a slider a class", names)
    sliders.nth(1).press("End")
    wait(lambda: asked(lab, "board.decision().threshold_of(1)") > 0.99, 60, "the threshold of one class")
    assert asked(lab, "board.decision().threshold_of(0)") < 0.9
    press(live, "One threshold")
    wait(lambda: asked(lab, "list(board.decision().thresholds)") == [], 60, "one threshold for all")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_pictures_to_look_at(lab, colours):
    theme(lab, colours)
    for title in ("Deploy", "Live predictions"):
        for width in (300, 900, 600):
            element = show(lab, title)
            sized(element, width)
            show(lab, title)
            outside = lambda: stands_out(element, "svg *, .vh")  # noqa: B023, E731
            wait(lambda: outside() == [], 30, f"room for {title} at {width} px", outside)  # noqa: B023
            shot(element, f"{title.split()[0].lower()}-{colours}-{width}")
    theme(lab, "light")


def test_nothing_was_logged_as_an_error(lab):
    """Last: names and room for a finger on every control, and nothing was raised."""
    assert problems(lab) == []
    assert raised(lab) == []
    assert asked(lab, "live.errors + deploy.errors") == []
