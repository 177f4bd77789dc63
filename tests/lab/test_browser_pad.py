"""The signal pad in a real JupyterLab: strokes by pointer and keys, a device's sensors, the microphone, a replay."""

import math

import pytest
from lab_browser import (
    asked,
    draw,
    open_cells,
    press,
    printed,
    problems,
    raised,
    running,
    shot,
    show,
    sized,
    stands_out,
    text,
    theme,
    wait,
)

import tinykit as tk
from tinykit.data import synthetic

pytestmark = pytest.mark.browser

CELLS = [
    "import tinykit as tk\n"
    "board = tk.connect('virtual://nano33ble?flash=FLASH')\n"
    "board.deploy(tk.Pipeline.load('PIPELINE'), progress=False)\n"
    "board.decision(smoothing=2, threshold=0.5)\n"
    "answers = board.live(size=20_000)",
    "pad = tk.lab.pad(board)\npad",
]
FLAGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

SHAKE = """() => {
  const rotationRate = { alpha: 10, beta: 90, gamma: 20 }; // about x, y and z
  const felt = { accelerationIncludingGravity: { x: 0, y: 9.80665, z: 0 }, rotationRate };
  window.shaking = setInterval(() => dispatchEvent(new DeviceMotionEvent("devicemotion", felt)), 16);
}"""


def circle(pixels=80, seconds=1.0, steps=75):
    """Clockwise from the top: [ms, right, up] in pixels from the middle of the pad."""
    turns = [i / steps for i in range(steps + 1)]
    way = [[pixels * math.sin(2 * math.pi * s), pixels * math.cos(2 * math.pi * s)] for s in turns]
    return [[1000 * seconds * s, x, y] for s, (x, y) in zip(turns, way, strict=True)]


def leans_back(page):
    """Whether the board's nose points up by six degrees or more: a tenth of a g along X."""
    last = asked(page, "pad.motion.news(pad.motion.news(0)[1] - 1)[0].tolist()")
    return bool(last) and last[0][0] > 800


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """What the lessons' takes teach a network in a few epochs."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed, so no network was trained.")
    takes = synthetic.gestures(persons=synthetic.PERSONS[:6], sessions=("1",))
    trained = tk.train("gesture", takes, None, seed=0, epochs=40, progress=False)
    path = tmp_path_factory.mktemp("network") / "gestures.tk"
    tk.quantize(trained, takes).save(path)
    return path


@pytest.fixture(scope="module")
def page(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pad")
    with open_cells(folder, CELLS, 1, *FLAGS, PIPELINE=network) as page:
        yield page


@pytest.fixture
def pad(page):
    """The widget, its first tab open, and the board with its own signal."""
    pad = show(page, "Signal pad")
    press(pad, "Draw")
    asked(page, "pad.let_go()")
    wait(lambda: "own signal" in text(pad), 60, "the board's own signal", lambda: text(pad))
    yield pad
    assert problems(page) == []
    assert raised(page) == []


def test_a_circle_that_is_drawn_is_answered_circle(page, pad):
    assert asked(page, "pad.held") is False
    said = "[p.label for p in answers.read_new(0)[0] if p.detected]"
    before = len(asked(page, said))

    def draws():
        """One after the other, as a student does; the board may miss one."""
        until = asked(page, "board.machine.seconds") + 5  # of its own time, which is slow where the computer is busy
        draw(pad, circle())
        wait(lambda: asked(page, "board.machine.seconds") > until, 120, "five seconds of the board's time")
        return "circle" in asked(page, said)[before:]

    wait(draws, 240, "the answer circle", lambda: asked(page, said)[before:])
    assert asked(page, "pad.held") is True
    shot(pad, "pad-circle-light")


def test_the_pointer_moves_the_board_and_letting_go_gives_it_back(page, pad):
    box = pad.locator("canvas.tk-pad").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 20):
        page.mouse.move(x + 6 * i, y - 3 * i)
    wait(lambda: leans_back(page), 60, "the board's lean", lambda: text(pad))
    wait(lambda: "the board is moved" in text(pad), 60, "the movement", lambda: text(pad))
    page.mouse.up()
    wait(lambda: "the board lies still" in text(pad), 60, "the rest", lambda: text(pad))
    press(pad, "Let go")
    wait(lambda: "own signal" in text(pad), 60, "the board's own signal", lambda: text(pad))
    assert asked(page, "pad.held") is False


def test_the_arrow_keys_move_it_too_and_the_notebook_stays(page, pad):
    cell = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = page.evaluate(cell)
    pad.locator("canvas.tk-pad").focus()
    page.keyboard.down("ArrowUp")
    wait(lambda: leans_back(page), 60, "the board's lean", lambda: text(pad))
    wait(lambda: "the board is moved" in text(pad), 60, "the movement", lambda: text(pad))
    page.keyboard.up("ArrowUp")
    wait(lambda: "the board lies still" in text(pad), 60, "the rest", lambda: text(pad))
    assert page.evaluate(cell) == before


def test_it_is_felt_while_a_cell_runs(page, pad):
    """JupyterLab 4.4 and ipykernel 7 hear the page beside the running cell."""
    printed(page, "pad.take()")
    with running(page, "import time\nwhile True:\n    time.sleep(0.01)"):
        draw(pad, circle()[:30], lifted=False)
        wait(lambda: "the board is moved" in text(pad), 60, "the movement beside the cell", lambda: text(pad))
    press(pad, "Lie still")
    wait(lambda: "the board lies still" in text(pad), 60, "the rest", lambda: text(pad))


def test_the_devices_own_sensors_move_it(page, pad):
    press(pad, "Move this device")
    page.evaluate(SHAKE)  # before: a device that gives nothing for two seconds is given up
    try:
        press(pad, "Start the sensors")
        last = "pad.motion.news(pad.motion.news(0)[1] - 1)[0].tolist()"
        upright = lambda row: row and row[0][0] > 7500 and row[0][3:] == pytest.approx([1475, -164, 328], abs=60)  # noqa: E731
        wait(lambda: upright(asked(page, last)), 60, "1 g along the device, 90 deg/s about it")
        shot(pad, "pad-device-light")
    finally:
        page.evaluate("clearInterval(window.shaking)")
    press(pad, "Stop the sensors")
    wait(lambda: "the board lies still" in text(pad), 60, "the rest", lambda: text(pad))


def test_a_device_without_sensors_gets_a_sentence(page, pad):
    press(pad, "Move this device")
    press(pad, "Start the sensors")
    wait(lambda: "no motion sensors" in text(pad), 60, "the sentence", lambda: text(pad))
    press(pad, "Draw")
    assert "no motion sensors" not in text(pad)


def test_the_board_hears_the_pages_microphone(page, pad):
    press(pad, "Speak")
    press(pad, "Start the microphone")
    wait(lambda: asked(page, "pad.sound.received") > 4000, 60, "the sound", lambda: text(pad))
    assert asked(page, "pad.held and pad._ear.source is not None") is True
    shot(pad, "pad-speak-light")
    press(pad, "Stop the microphone")
    wait(lambda: asked(page, "pad._ear.source is None"), 60, "silence")


def test_a_take_is_replayed(page, pad):
    press(pad, "Replay")
    pad.get_by_label("Label").select_option("wing")
    # Taken first: the board was let go before this test, and a pad that takes it counts from nought.
    before = asked(page, "[pad.take(), pad.motion.news(0)[1]][1]")
    press(pad, "Play it to the board")
    turned = f"int(abs(pad.motion.news({before})[0][:, 3:]).max(initial=0))"  # since then
    wait(lambda: asked(page, turned) > 500, 60, "30 deg/s, as in a wing", lambda: text(pad))
    shot(pad, "pad-replay-light")


def test_it_is_legible_in_both_themes_and_widths(page, pad):
    """Pictures to look at; and nothing is cut off."""
    draw(pad, circle())
    for name in ("dark", "light"):
        theme(page, name)
        for width in (300, 600, 900):
            sized(pad, width)
            show(page, "Signal pad")
            wait(lambda: stands_out(pad) == [], 30, f"room for everything at {width} px")  # noqa: B023
            shot(pad, f"pad-{name}-{width}")
