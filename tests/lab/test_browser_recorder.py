"""The recorder in a real JupyterLab: by keyboard, long takes of motion, replays, and a cable that is pulled."""

import re

import pytest
from lab_browser import (
    LENIENT,
    asked,
    click,
    noted,
    open_cells,
    picture,
    press,
    printed,
    problems,
    raised,
    shot,
    show,
    sized,
    text,
    theme,
    wait,
)

pytestmark = pytest.mark.browser

CELLS = [
    f"{LENIENT}\nimport tinykit as tk\nfrom tinykit.board.virtual import Generator, Still\n"
    "board = tk.connect('virtual://nano33ble?flash=FLASH', source=Still())",
    "recorder = tk.lab.recorder(board, labels=['circle', 'punch', 'rest'], person='Ana', seconds=8)\nrecorder",
]
BUTTON = ".tk-rb"
# The middle of a take of a second is found in the kernel: from the page it would have passed.
PULLED_IN_A_TAKE = """
import time
from tinykit.board import stream
for _ in range(12_000):
    taking = recorder._taking
    if taking and 5 < taking.stream.written < 60:
        break
    time.sleep(0.01)
else:
    raise RuntimeError("there was no take")
usual = stream._SILENCE_S, stream._AWAY_S
stream._SILENCE_S = stream._AWAY_S = 0.5
board.machine.unplug()
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab with one recorder on a virtual board, whose hand makes the movement of the label."""
    folder = tmp_path_factory.mktemp("recorder")
    with open_cells(folder, CELLS, 1) as opened:
        yield opened


@pytest.fixture
def recorder(lab):
    """The widget, ready for a take, with the first label and nothing in it."""
    if asked(lab, "not board.connected"):
        printed(lab, "board.machine.replug()")
    code = "for n in [t.number for t in recorder.takes if not t.gone]: recorder.ledger.discard(n)\n"
    printed(lab, code + "recorder.ledger.choose('circle'); recorder.cut = None; recorder.ledger.changed = True")
    element = show(lab, "Recorder")
    wait(
        lambda: "Record “circle”" in text(element) and "linked," in text(element),
        90,
        "the button",
        lambda: text(element),
    )
    wait(lambda: element.locator(".tk-take").count() == 0, 30, "an empty grid", lambda: text(element))
    press(element, "One take")
    element.locator("select").select_option("1")
    return element


def focused(page):
    """The name, or the take's number, of what has the keyboard's focus."""
    return page.evaluate(
        "(document.activeElement.closest('.tk-take')?.dataset.n ?? '') + ' ' + "
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText)"
    )


def record(element, n):
    """Takes into the dataset, as the button does, without the countdown; what is refused is recorded again."""
    code = (
        f"for _ in range(20):\n    if len(recorder.dataset) >= {n}: break\n"
        "    card = recorder.take('circle', 0.5, 'Ana')\n"
        "    if card.state == 'refused': recorder.ledger.discard(card.number)"
    )
    printed(element.page, code)
    wait(lambda: element.locator(".tk-take").count() == n, 60, "the cards", lambda: text(element))
    return [int(card.get_attribute("data-n")) for card in element.locator(".tk-take").all()]


def test_a_take_by_keyboard_alone(lab, recorder):
    element = recorder
    element.locator("select").select_option("8")  # time enough to think better of it
    element.locator(BUTTON).focus()
    counting = noted(element, "Get ready")
    lab.keyboard.press("Space")
    wait(counting, 60, "the countdown")
    lab.keyboard.press("Escape")
    wait(lambda: "Record “circle”" in text(element), 60, "the end of it")
    assert element.locator(".tk-take").count() == 0
    element.locator("select").select_option("1")
    element.locator(BUTTON).focus()
    lab.keyboard.press("2")
    wait(lambda: "Record “punch”" in text(element), 60, "the second label")
    lab.keyboard.press("Space")
    wait(lambda: element.locator(".tk-take").count() == 1, 90, "the take", lambda: text(element))
    assert asked(lab, "[r.label for r in recorder.dataset]") == ["punch"]


def test_cards_by_keyboard_the_focus_is_never_lost(lab, recorder):
    element = recorder
    numbers = record(element, 3)  # the latest first
    element.locator(f'.tk-take[data-n="{numbers[0]}"]').focus()
    lab.keyboard.press("ArrowRight")
    assert focused(lab).startswith(f"{numbers[1]} ")
    lab.keyboard.press("Delete")
    wait(lambda: "discarded" in text(element) and element.locator(".tk-take").count() == 2, 60, "the discarding")
    wait(lambda: focused(lab).startswith(f"{numbers[2]} "), 30, "the focus on the next one", lambda: focused(lab))
    lab.keyboard.press("u")
    wait(lambda: element.locator(".tk-take").count() == 3, 60, "the take back")
    wait(lambda: focused(lab).startswith(f"{numbers[2]} "), 30, "the focus where it was", lambda: focused(lab))
    lab.keyboard.press("l")
    wait(lambda: focused(lab) == f"{numbers[2]} punch", 60, "the labels", lambda: focused(lab))
    lab.keyboard.press("Enter")
    wait(lambda: f"Take {numbers[2]} is “punch” now" in text(element), 60, "the other label", lambda: text(element))
    assert asked(lab, "sorted(r.label for r in recorder.dataset)") == ["circle", "circle", "punch"]
    lab.keyboard.press("u")
    wait(lambda: asked(lab, "sorted(r.label for r in recorder.dataset)") == ["circle"] * 3, 60, "the label back")
    wait(lambda: element.locator(".tk-take").count() == 3, 60, "its card")
    # JupyterLab saw none of these keys: the cells are still there, and in none of them something was typed.
    assert lab.locator(".jp-Notebook .jp-CodeCell").count() >= len(CELLS)


def test_a_take_is_replayed_with_the_board_as_it_was_held(lab, recorder):
    element = recorder
    record(element, 1)
    wait(lambda: "Generator" not in asked(lab, "type(board.source).__name__"), 60, "the hand at rest")
    before, playing = picture(element), noted(element, "playing, ")
    # A long replay, so that a slow machine sees it.
    code = (
        "import numpy as np\ntake = recorder.ledger.takes[-1]\n"
        "rows = np.tile(take.recording.samples, (40, 1))\n"
        "take.recording = take.recording.with_(samples=rows, timestamps_ms=None)\n"
        "recorder.ledger.changed = True"
    )
    printed(lab, code)
    wait(
        lambda: re.search(r"\b2\d\.\d s", text(element.locator(".tk-take"))), 60, "the long take", lambda: text(element)
    )
    click(element, 'button[aria-label^="Play take"]')
    wait(playing, 60, "the playing", lambda: text(element))
    wait(lambda: asked(lab, "type(board.source).__name__") == "Replay", 60, "the board that feels it")
    label = lambda: element.locator(".tk-pv canvas").get_attribute("aria-label")  # noqa: E731
    wait(lambda: "how the board was held" in label(), 30, "the movement's picture", label)
    wait(lambda: picture(element) != before, 30, "another picture")
    shot(element, "recorder-replay")
    click(element, 'button[aria-label^="Stop take"]')
    wait(lambda: "playing" not in text(element), 60, "its end")
    wait(lambda: asked(lab, "type(board.source).__name__") == "Still", 60, "the hand at rest again")


def test_a_long_take_of_motion_is_cut_and_kept(lab, recorder):
    element = recorder
    press(element, "Long take")
    click(element, BUTTON)
    wait(lambda: "Long take running" in text(element), 90, "the long take", lambda: text(element))
    wait(lambda: asked(lab, "bool(recorder._taking and recorder._taking.stream.written > 1000)"), 120, "enough of it")
    click(element, BUTTON)
    wait(lambda: "Long take of “circle”" in text(element), 90, "the cut", lambda: text(element))
    shot(element, "recorder-cut")
    found = asked(lab, "len(recorder.cut.parts)")
    assert found >= 3 and asked(lab, "recorder.cut.parts.doubt") == ""
    hand = element.locator("[role=slider]").first
    level = float(hand.get_attribute("aria-valuenow"))
    hand.focus()
    lab.keyboard.press("ArrowUp")
    wait(lambda: abs(asked(lab, "recorder.cut.parts.threshold_db") - level) >= 0.25, 60, "the hand in the kernel")
    assert lab.evaluate("document.activeElement.getAttribute('role')") == "slider", "the hand keeps the focus"
    found = asked(lab, "len(recorder.cut.parts)")
    press(element, "Windows")
    wait(lambda: "side by side" in text(element), 60, "the windows", lambda: text(element))
    press(element, "Movements")
    wait(lambda: f"Keep {found} movements" in text(element), 60, "the movements again", lambda: text(element))
    press(element, f"Keep {found} movements")
    wait(lambda: asked(lab, "len(recorder.dataset)") == found, 60, "the takes")
    wait(lambda: element.locator(".tk-take").count() == found, 60, "their cards")


def test_what_never_rests_is_said_and_cut_into_windows(lab, recorder):
    element = recorder
    printed(lab, "board.source = Generator('wander', pause_s=0.0)")
    try:
        printed(lab, "recorder.seconds = 1.5; recorder.long_take('circle', 6, 'Ana') and None", 120)
        wait(lambda: "can't be split by itself" in text(element), 60, "the doubt", lambda: text(element))
        shot(element, "recorder-doubt")
        press(element, "Cut into windows of 1.5 s")
        wait(lambda: "Keep 4 windows" in text(element), 60, "the windows", lambda: text(element))
        press(element, "Keep 4 windows")
        wait(lambda: asked(lab, "len(recorder.dataset)") == 4, 60, "the takes")
    finally:
        printed(lab, "board.source = Still()")


def test_a_cable_pulled_in_a_take_is_said_and_nothing_is_lost(lab, recorder):
    element = recorder
    element.locator("select").select_option("8")
    click(element, BUTTON)
    wait(lambda: "Recording now" in text(element), 90, "the take")
    # It waits for its board for as long as this needs on a slow machine.
    printed(lab, "from tinykit.board import stream\nusual_s, stream._AWAY_S = stream._AWAY_S, 300.0\n"
            "board.machine.unplug()")  # fmt: skip
    wait(lambda: "link lost" in text(element), 60, "the lost link", lambda: text(element))
    wait(lambda: "plug it in, the take waits for it" in text(element), 60, "the sentence", lambda: text(element))
    shot(element, "recorder-unplugged")
    printed(lab, "board.machine.replug()")
    wait(lambda: "was refused: the board was away during it" in text(element), 90, "the end", lambda: text(element))
    printed(lab, "stream._AWAY_S = usual_s")
    wait(lambda: element.locator(".tk-take.refused").count() == 1, 60, "its card", lambda: text(element))
    shot(element, "recorder-replugged")
    click(element, 'button[aria-label^="Keep anyway take"]')
    wait(lambda: element.locator(".tk-take.flag").count() == 1, 60, "kept all the same", lambda: text(element))
    wait(lambda: "linked," in text(element), 60, "the link")
    element.locator("select").select_option("1")
    click(element, BUTTON)
    wait(lambda: asked(lab, "len(recorder.dataset)") == 2, 90, "the next take", lambda: text(element))


def test_a_cable_pulled_in_a_series_of_ten_lets_it_go_on(lab, recorder):
    element = recorder
    press(element, "Ten takes")
    click(element, BUTTON)
    # In the middle of a later take the board goes, and stays away for longer than the take waits for it.
    wait(lambda: asked(lab, "len(recorder.dataset)"), 120, "a take", lambda: text(element))
    printed(lab, PULLED_IN_A_TAKE)
    try:
        wait(lambda: "goes on:" in text(element), 120, "the end of the series", lambda: text(element))
        kept = asked(lab, "len(recorder.dataset)")
        assert kept >= 1 and f"{10 - kept} of ten are left" in text(element), text(element)
        click(element, BUTTON)
        wait(lambda: "There is no board to record from" in text(element), 60, "the refusal", lambda: text(element))
    finally:
        printed(lab, "stream._SILENCE_S, stream._AWAY_S = usual\nboard.machine.replug()")
    wait(lambda: "linked," in text(element), 60, "the link", lambda: text(element))
    following = noted(element, f"Take {kept + 1} of 10")
    click(element, BUTTON)
    wait(following, 90, "the next of the ten", lambda: text(element))
    wait(lambda: asked(lab, "len(recorder.dataset)") > kept, 90, "one more", lambda: text(element))
    element.locator(BUTTON).focus()
    lab.keyboard.press("Escape")
    wait(lambda: "Record “circle”" in text(element), 60, "the end of it")


def test_a_cable_pulled_in_a_long_take_leaves_what_came_before(lab, recorder):
    element = recorder
    press(element, "Long take")
    click(element, BUTTON)
    wait(lambda: asked(lab, "bool(recorder._taking and recorder._taking.stream.written > 500)"), 120, "some of it")
    printed(lab, "from tinykit.board import stream\nusual = stream._SILENCE_S, stream._AWAY_S\n"
            "stream._SILENCE_S = stream._AWAY_S = 0.5\nboard.machine.unplug()")  # fmt: skip
    try:
        wait(lambda: "this is what came before" in text(element), 120, "the cut", lambda: text(element))
        shot(element, "recorder-long-unplugged")
        wait(lambda: "link lost" in text(element), 60, "the lost link", lambda: text(element))
    finally:
        printed(lab, "stream._SILENCE_S, stream._AWAY_S = usual\nboard.machine.replug()")
    found = asked(lab, "len(recorder.cut.parts)")
    assert found >= 1 and asked(lab, "recorder.cut.recording.seconds") > 4
    wait(lambda: "linked," in text(element), 60, "the link", lambda: text(element))


def test_a_take_of_a_cell_appears(lab, recorder):
    printed(lab, "board.record('rest', 0.5, 'Ben', dataset=recorder.dataset, progress=False) and None")
    chip = recorder.locator(".tk-chip", has_text="rest")
    wait(lambda: "1/20" in text(chip) and "Ben" in text(chip), 60, "the chip", lambda: text(recorder))


@pytest.mark.parametrize("width", [300, 900, 600])
def test_light_and_dark_wide_and_narrow(lab, recorder, width):
    element = recorder
    record(element, 4)
    sized(element, width)
    for ground in ("light", "dark"):
        theme(lab, ground)
        shot(element, f"recorder-{ground}-{width}")
        press(element, "All labels")
        wait(lambda: element.locator(".tk-lrow").count() == 3, 60, "the rows", lambda: text(element))
        shot(element, f"recorder-labels-{ground}-{width}")
        assert problems(lab) == []
        wait(lambda: element.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 1, 30, "room for everything")
        element.locator(".tk-seg button").filter(has_text="All ").first.click()
    theme(lab, "light")


def test_a_label_is_renamed_removed_and_had_back(lab, recorder):
    element = recorder
    record(element, 1)
    press(element, "All labels")
    click(element, 'button[aria-label="Rename punch"]')
    element.locator('input[aria-label="New name of punch"]').fill("hit")
    lab.keyboard.press("Enter")
    wait(lambda: "“punch” is called “hit” now" in text(element), 60, "the name", lambda: text(element))
    click(element, 'button[aria-label="Remove circle and its takes"]')
    wait(lambda: "“circle” and its 1 take removed" in text(element), 60, "the removal", lambda: text(element))
    assert asked(lab, "[recorder.ledger.labels, len(recorder.dataset)]") == [["hit", "rest"], 0]
    press(element, "Undo")
    wait(lambda: asked(lab, "len(recorder.dataset)") == 1, 60, "the takes back")
    press(element, "Undo")
    wait(lambda: asked(lab, "recorder.ledger.labels") == ["circle", "punch", "rest"], 60, "the name back")


def test_nothing_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no widget raised in the browser or the kernel."""
    assert raised(lab) == []
    assert asked(lab, "[e for e in recorder.errors if 'BoardGone' not in e]") == []
