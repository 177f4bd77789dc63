"""A board at the browser's computer: tk.connect("browser://") in JupyterLab, a fake Web Serial, the real firmware."""

import re

import pytest
from fake_serial import Socket
from lab_browser import (
    asked,
    browser,
    frames,
    open_lab,
    press,
    printed,
    problems,
    raised,
    run_code,
    save_gestures,
    show,
    text,
    wait,
    widget,
)
from made import Counting

pytestmark = pytest.mark.browser

LABELS = ("flex", "punch", "rest")
CELLS = [
    "import tinykit as tk\nboard = tk.connect('browser://')\nprint('the board', 'is here')",
    "scope = tk.lab.scope(board)\nscope",
]


@pytest.fixture(scope="module")
def socket():
    with Socket(source=Counting()) as socket:
        yield socket


@pytest.fixture(scope="module")
def lab(tmp_path_factory, socket):
    """JupyterLab, in which the first cell waits for the choice."""
    folder = tmp_path_factory.mktemp("lab")
    with browser() as page:
        socket.put_into(page)
        with open_lab(page, folder, CELLS, widgets=1) as opened:
            opened.folder = folder
            yield opened


def chosen(lab):
    """The widget, once its board is chosen and linked."""
    board = show(lab, "Your board")
    if "Choose the board" in text(board):
        press(board, "Choose the board")
    wait(lambda: "linked for" in text(board), 120, "the link", lambda: text(board))
    return board


def linked(lab):
    """Whether the kernel has its board; asked without a cell, so that it can be asked at any time."""
    return lambda: "linked for" in text(widget(lab, "Your board"))


def test_the_cell_waits_for_the_choice_and_then_goes_on(lab, socket):
    board = show(lab, "Your board")
    wait(lambda: "The cell goes on by itself then" in text(board), 90, "the waiting", lambda: text(board))
    assert socket.opened == 0
    lab.evaluate("window.dismissed = true")
    press(board, "Choose the board")
    wait(lambda: "No board was chosen" in text(board) and "Next:" in text(board), 60, "the refusal")
    assert "the board is here" not in text(lab.locator(".jp-Notebook .jp-OutputArea"))
    lab.evaluate("window.dismissed = false")
    press(board, "Choose the board")
    said = lambda: text(lab.locator(".jp-Notebook .jp-OutputArea"))  # noqa: E731
    wait(lambda: "the board is here" in said(), 120, "the cell's end", said)
    chosen(lab)
    assert "No board was chosen" not in text(board)


def test_every_sample_arrives_while_a_cell_runs(lab, socket):
    scope = show(lab, "Scope")
    wait(lambda: frames(scope) > 10, 120, "frames", lambda: text(scope))
    # The cell that reads is the one that runs: requests, replies and samples pass beside it.
    told = asked(
        lab,
        """(lambda stream: (lambda s: [len(s), int((s.counts[:, 0] != (s.counts[0, 0] + s.index - s.index[0]) % 32768)
        .sum()), board._link.decoder.bad_crc])(stream.__enter__().read(400)))(board.stream("imu"))""",
    )
    assert told == [400, 0, 0]
    wait(lambda: "0 bytes lost on the way" in text(widget(lab, "Your board")), 60, "the count")


def test_sound_passes_beside_it(lab, socket):
    before = socket.bytes
    printed(lab, "ear = board.stream('mic')\nheard = ear.read(48000, timeout=150)")
    assert asked(lab, "[len(heard), board._link.decoder.bad_crc]") == [48000, 0]
    assert socket.bytes - before > 96000
    # A gap, if this computer was too busy, is in the numbers; nothing is lost in silence.
    assert asked(lab, "int(heard.index[-1] - heard.index[0]) - 47999 <= ear.stats.lost")
    printed(lab, "ear.close()")


def test_a_pipeline_is_sent_and_answers(lab):
    path = save_gestures(lab.folder / "serial.tk", LABELS)
    printed(lab, f"sent = board.deploy(tk.Pipeline.load({path.as_posix()!r}), progress=False)")
    assert asked(lab, "board.pipeline.name") == "serial"
    printed(lab, "with board.live() as live:\n    answers = [answer for answer, _ in zip(live, range(3))]")
    assert asked(lab, "[sorted(answer.probabilities) for answer in answers]") == [sorted(LABELS)] * 3
    assert asked(lab, "[abs(sum(answer.probabilities.values()) - 1) < 0.02 for answer in answers]") == [True] * 3


def test_a_pulled_cable_is_said_and_mended_by_itself(lab, socket):
    chosen(lab)
    opened = socket.opened
    socket.unplug()
    board = widget(lab, "Your board")
    wait(lambda: "link lost" in text(board) and "The board was unplugged." in text(board), 60, "the loss",
         lambda: text(board))  # fmt: skip
    scope = widget(lab, "Scope")
    wait(lambda: "link lost" in text(scope), 60, "the scope's word", lambda: text(scope))
    socket.replug()
    wait(linked(lab), 120, "the link", lambda: text(board))
    assert socket.opened > opened
    wait(lambda: asked(lab, "board.connected"), 120, "the board")
    head = lambda: text(scope.locator(".tk-head"))  # noqa: E731
    # Samples that were lost meanwhile may be told there for a while.
    wait(lambda: "link lost" not in head() and re.search("linked( for|, samples were lost)", head()), 120,
         "the scope", lambda: text(scope))  # fmt: skip
    before = frames(show(lab, "Scope"))
    wait(lambda: frames(scope) > before + 20, 120, "frames")


def test_a_cell_that_is_run_again_keeps_the_board(lab, socket):
    opened = socket.opened
    cell = "window.jupyterapp.shell.currentWidget.content.widgets[0].model"
    runs = lambda: lab.evaluate(f"{cell}.executionState !== 'running' && {cell}.executionCount || 0")  # noqa: E731
    before = wait(runs, 60, "the end of the cell's first run")
    lab.evaluate(
        """() => {
          const commands = window.jupyterapp.commands, content = window.jupyterapp.shell.currentWidget.content;
          content.activeCellIndex = 0;
          void commands.execute('notebook:run-cell');
        }"""
    )
    wait(lambda: runs() > before, 120, "the end of the cell's second run")
    wait(linked(lab), 120, "the widget again")
    assert asked(lab, "tk.connect('browser://') is board and board.connected")
    assert socket.opened == opened


def test_a_page_that_is_loaded_again_is_an_unplugged_board(lab, socket):
    opened = socket.opened
    # A page shows again what was saved: without the widget the board would go on as well, but unseen.
    lab.evaluate(
        "() => { window.saved = false; void window.jupyterapp.commands.execute('docmanager:save')"
        ".then(() => { window.saved = true; }); }"
    )
    wait(lambda: lab.evaluate("window.saved"), 60, "the saved notebook")
    lab.reload(wait_until="commit")
    wait(lambda: socket.opened > opened, 180, "the port opened again, without a click")
    wait(linked(lab), 120, "the link", lambda: text(lab.locator("body")))
    wait(lambda: asked(lab, "board.connected"), 120, "the board")
    assert "page was closed or loaded again" in printed(lab, "print(board.log.of('gone')[-1].text)")
    assert asked(lab, "sorted(board.read('imu'))") == ["aX", "aY", "aZ", "gX", "gY", "gZ"]


def test_a_closed_board_leaves_the_port_to_others(lab, socket):
    printed(lab, "board.close()")
    wait(lambda: socket.line is None, 60, "the free port")
    board = widget(lab, "Your board")
    wait(lambda: "no board chosen yet" in text(board), 60, "the word", lambda: text(board))
    # It was chosen before: no click is needed to have it back.
    printed(lab, "board = tk.connect('browser://')")
    assert socket.line is not None and asked(lab, "board.connected")


def test_the_controls_have_names(lab):
    assert problems(lab) == []


def test_a_browser_without_web_serial_says_so(lab):
    lab.evaluate("Object.defineProperty(Navigator.prototype, 'serial', { configurable: true, value: undefined })")
    said = printed(lab, "try:\n    tk.connect('browser://other')\nexcept tk.TinykitError as error:\n    print(error)")
    assert "This browser has no Web Serial" in said and "Chrome" in said


def test_where_cells_shut_the_page_out_a_sentence_says_what_is_needed(lab):
    printed(lab, "import tinykit.lab.webserial\ntinykit.lab.webserial._PAGE_S = 3")
    lab.evaluate("window.jupyterapp.serviceManager.kernels.commsOverSubshells = 'disabled'")
    said = printed(lab, "try:\n    tk.connect('browser://old')\nexcept tk.TinykitError as error:\n    print(error)")
    assert "not heard while a cell runs" in said and "JupyterLab 4.4" in said and "virtual" in said


def test_nothing_of_the_line_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no widget raised in the browser or the kernel."""
    assert raised(lab) == []
    assert asked(lab, "sum((page.errors for page in tinykit.lab.webserial._PAGES.values()), [])") == []
    run_code(lab, "board.close()")
