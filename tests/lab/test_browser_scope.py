"""The scopes in a real JupyterLab, on the virtual board: moving while a cell computes, zoom, keep, a lost link."""

import pytest
from lab_browser import (
    asked,
    colours,
    frames,
    held_still,
    open_cells,
    picture,
    press,
    printed,
    problems,
    raised,
    run_code,
    running,
    shot,
    show,
    sized,
    text,
    wait,
)

pytestmark = pytest.mark.browser
LONG = 240  # seconds: a limit that only a busy machine comes near

CELLS = [
    "import numpy as np\nimport tinykit as tk\nfrom tinykit.data import Dataset\n"
    "from tinykit.board.virtual import Generator\n"
    "board = tk.connect('virtual://nano33ble?flash=FLASH', source=Generator(('circle', 'wing')))\n"
    "data = Dataset(card={'name': 'mine'})\n"
    "scope = tk.lab.scope(board, dataset=data, labels=['circle', 'wing'], person='ana')\nscope",
    "heard = tk.lab.scope(board, 'mic')\nheard",
]


# What is wider than the widget.
OVER = "(e) => [...e.querySelectorAll('*')].filter((x) => x.scrollWidth > e.clientWidth).length"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab with both scopes."""
    folder = tmp_path_factory.mktemp("scopes")
    with open_cells(folder, CELLS, 2) as opened:
        yield opened


def span(scope):
    """The time that is shown, as it stands between the buttons."""
    return scope.get_by_role("group", name="Time shown").inner_text().strip("\u2212+\n ")


@pytest.mark.parametrize("title", ["Scope", "Audio scope"])
def test_the_picture_goes_on_moving_while_a_cell_computes(lab, title):
    scope = show(lab, title)
    wait(lambda: frames(scope) > 10, LONG, "frames", lambda: text(scope))
    with running(lab, "a = np.random.rand(400, 400)\nwhile True:\n    a = np.tanh(a @ a)"):
        before = frames(scope)
        wait(lambda: frames(scope) >= before + 90, LONG, "ninety frames in which it moved", lambda: text(scope))
    assert printed(lab, "print('free')", LONG).strip() == "free"


def test_time_zooms_and_a_pause_is_panned_by_keyboard(lab):
    scope = show(lab, "Scope")
    wait(lambda: asked(lab, "scope._tap.written", LONG) > 500, LONG, "four seconds")
    pressed = lambda *names: [lab.keyboard.press(name) for name in names]  # noqa: E731
    assert span(scope) == "8 s" and not scope.get_by_role("button", name="Earlier").is_visible()
    press(scope, "Pause")
    wait(lambda: "Resume" in text(scope), LONG, "Resume")
    pressed("+", "+")
    wait(lambda: span(scope) == "2 s", LONG, "two seconds", lambda: text(scope))
    pressed("End")
    now = held_still(scope)
    pressed("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    wait(lambda: picture(scope) != now, LONG, "what was a second earlier")
    assert colours(scope) > 20
    earlier = held_still(scope)
    scope.get_by_role("button", name="Earlier").click()
    wait(lambda: picture(scope) != earlier, LONG, "what was earlier still")
    shot(scope, "scope-panned")
    select = scope.get_by_label("Range of the acceleration plot")
    assert select.input_value() == "2"
    pressed("ArrowDown")
    wait(lambda: select.input_value() == "4", LONG, "the next range")
    pressed("ArrowUp", "-", "-")
    wait(lambda: select.input_value() == "2" and span(scope) == "8 s", LONG, "what was at first")
    pressed("p")
    before = frames(scope)
    wait(lambda: frames(scope) > before + 20, LONG, "motion")


def test_ctrl_and_the_wheel_zoom_and_the_wheel_alone_does_not(lab):
    scope = show(lab, "Audio scope")
    box = scope.locator("canvas").first.bounding_box()
    lab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert span(scope) == "4 s"
    lab.keyboard.down("Control")
    try:
        lab.mouse.wheel(0, -100)
    finally:
        lab.keyboard.up("Control")
    wait(lambda: span(scope) == "2 s", LONG, "two seconds", lambda: text(scope))
    lab.mouse.wheel(0, 1)  # scrolls the notebook
    scope.get_by_role("button", name="Show more time").click()
    wait(lambda: span(scope) == "4 s", LONG, "four seconds, as before the wheel alone", lambda: text(scope))


def test_the_last_seconds_become_a_take_of_the_dataset(lab):
    scope = show(lab, "Scope")
    wait(
        lambda: asked(lab, "scope._tap.written", LONG) > 1200, LONG, "ten seconds"
    )  # five, however late the picture is
    scope.get_by_label("Label of the take").fill("wing")
    press(scope, "Keep last 5 s")
    wait(lambda: "5.0 s kept as “wing”" in text(scope), LONG, "the take", lambda: text(scope))
    assert asked(lab, "[[r.label, r.person, len(r)] for r in data]", LONG) == [["wing", "ana", 595]]


def test_an_unplugged_board_stops_the_picture_and_says_so_and_its_return_draws_the_gap(lab):
    scope = show(lab, "Scope")
    run_code(lab, "board.machine.unplug()")
    wait(lambda: "link lost" in text(scope) and "cable" in text(scope), LONG, "the sentence", lambda: text(scope))
    held_still(scope)
    assert scope.locator("[role=alert]").count() == 1
    shot(scope, "scope-unplugged")
    run_code(lab, "board.machine.replug()")
    before = frames(scope)
    wait(lambda: "linked" in text(scope) and frames(scope) > before + 30, LONG, "the link", lambda: text(scope))
    wait(
        lambda: "%" in text(scope) and scope.locator("[role=alert]").count() == 0, LONG, "the loss", lambda: text(scope)
    )
    assert "estimated" in text(scope)
    shot(scope, "scope-gap")
    sound = show(lab, "Audio scope")
    wait(lambda: "estimated" in text(sound) and "jitter" in text(sound), LONG, "its loss", lambda: text(sound))


def test_both_scopes_fit_narrow_and_wide(lab):
    for title in ("Scope", "Audio scope"):
        scope = show(lab, title)
        for width in (300, 600, 900):
            sized(scope, width)
            wait(lambda: scope.evaluate(OVER) == 0, LONG, f"room for {title} at {width} px")  # noqa: B023
            shot(scope, f"{title.lower().replace(' ', '-')}-{width}")


def test_every_control_of_the_scopes_has_a_name_and_room_for_a_finger(lab):
    assert problems(lab) == []


def test_nothing_of_the_scopes_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no scope raised in the browser or the kernel."""
    assert raised(lab) == []
    assert asked(lab, "scope.errors + heard.errors", LONG) == []
