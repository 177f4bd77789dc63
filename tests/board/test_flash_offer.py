"""A board without the firmware, or with an old one: what a notebook offers, a terminal says, and the command does."""

import json
import time

import pytest
from usb import needs_pty, settled

import tinykit as tk
from tinykit.board import firmware
from tinykit.board.board import Board
from tinykit.cli import main
from tinykit.errors import BoardError, FirmwareNeeded, ToolError

pytestmark = needs_pty


@pytest.fixture
def wire(monkeypatch):
    """What widgets send, in order."""
    pytest.importorskip("anywidget")
    from tinykit.lab import widget

    messages = []
    monkeypatch.setattr(widget.LabWidget, "send", lambda self, content, buffers=None: messages.append(content))
    return messages


@pytest.fixture
def opened(wire):
    """Makes a view and opens it as a browser does."""
    views = []

    def open_(view):
        views.append(view)
        view._receive(view, {"k": "ready", "view": "a"}, [])
        return view

    yield open_
    for view in views:
        view.close()


@pytest.fixture
def notebook(monkeypatch):
    """IPython as a kernel has it: what a cell shows, and what stands in place of a traceback."""
    pytest.importorskip("anywidget")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    from tinykit.lab import offer

    monkeypatch.setattr(offer, "in_notebook", lambda: True)
    shell = InteractiveShell.instance()
    shell.user_ns["tk"] = tk

    def run(cell):
        with capture_output() as shown:
            ended = shell.run_cell(cell)
            if hasattr(ended.error_in_exec, "_render_traceback_"):
                ended.error_in_exec._render_traceback_()  # a kernel asks twice
        return ended, shown

    yield run
    InteractiveShell.clear_instance()


def wait_for(wire, kind, where, seconds=300):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [m for m in list(wire) if m["k"] == kind and where(m)]
        if found:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f"no such {kind}; the last: {[m for m in wire if m['k'] == kind][-1:]}")


# -- connecting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["bootloader", "micropython", "other sketch", "silent"])
def test_connecting_names_the_way_out(usb, what):
    board = usb.plug(what if what in ("bootloader", "micropython") else "virtual")
    if board.kind == "virtual":
        board.other_firmware("Hello\r\n" if what == "other sketch" else None)
    with pytest.raises(FirmwareNeeded, match=r"tk\.flash\(\) once \(`tinykit flash`.*tk\.connect\('virtual'\)") as e:
        tk.connect()
    assert e.value.port == board.address and isinstance(e.value, BoardError)
    assert not hasattr(e.value, "_render_traceback_")  # no notebook: no button


def test_a_firmware_that_lacks_what_every_tinykit_asks_for(usb):
    board = usb.plug("fake")  # it knows no slots
    with pytest.raises(FirmwareNeeded, match=r"refused 'slots': unknown_request.*tk\.flash\(\) once") as e:
        tk.connect()
    assert e.value.port == board.address and e.value.answers


def test_a_notebook_asks_and_does_nothing_by_itself(usb, fake, notebook):
    board = usb.plug()
    board.other_firmware(None)
    ended, shown = notebook("tk.connect()")
    assert isinstance(ended.error_in_exec, FirmwareNeeded)
    assert "FirmwareNeeded: Nothing on" in shown.stdout and "Next: Run tk.flash()" in shown.stdout
    assert "Traceback" not in shown.stdout
    (card,) = shown.outputs
    assert "application/vnd.jupyter.widget-view+json" in card.data and "Nothing on" in card.data["text/html"]
    assert not fake.called("compile") and usb.touches == 0


def test_a_cell_that_catches_the_error_sees_no_button(usb, notebook):
    usb.plug("bootloader")
    ended, shown = notebook("try:\n    tk.connect()\nexcept tk.TinykitError as error:\n    print(error.next)")
    assert ended.success and not shown.outputs and "tk.flash()" in shown.stdout


def test_an_older_firmware_connects_and_is_told(usb, monkeypatch, capsys):
    settled(usb.plug())
    # The sketch here is the real one: to this tinykit it is old.
    monkeypatch.setattr(firmware, "shipped", lambda: "9.0.0")
    monkeypatch.setattr(Board, "is_virtual", False)
    with tk.connect() as board:
        said = capsys.readouterr().err
    assert f"firmware is {board.info.firmware}; 9.0.0 comes with this tinykit. Next: tk.flash()" in said
    assert board.log.of("firmware")


def test_an_older_firmware_in_a_notebook_comes_with_a_button(usb, notebook, monkeypatch):
    settled(usb.plug())
    monkeypatch.setattr(firmware, "shipped", lambda: "9.0.0")
    monkeypatch.setattr(Board, "is_virtual", False)
    ended, shown = notebook("board = tk.connect()\nboard.close()")
    assert ended.success and len(shown.outputs) == 1
    assert "9.0.0 comes with this tinykit" in shown.outputs[0].data["text/html"]


def test_a_command_says_that_the_firmware_is_old(usb, monkeypatch, capsys):
    board = settled(usb.plug())
    monkeypatch.setattr(firmware, "shipped", lambda: "9.0.0")
    monkeypatch.setattr(Board, "is_virtual", False)
    assert main(["info", "--board", board.address, "--json"]) == 0
    told = capsys.readouterr()
    assert "9.0.0 comes with this tinykit. Next: `tinykit flash` writes it." in told.err
    assert json.loads(told.out)["port"] == board.address


# -- the button --------------------------------------------------------------------------------------------


def test_the_button_flashes(usb, fake, wire, opened):
    board = usb.plug()
    board.other_firmware(None)
    view = opened(tk.lab.flash(board.address))
    wait_for(wire, "state", lambda m: not m["busy"] and m["step"] == -1)
    told, progress = [], view._progress
    view._progress = lambda step, text: (progress(step, text), told.append((step, view._step)))
    assert not fake.called("compile")
    view._receive(view, {"k": "flash"}, [])
    state = wait_for(wire, "state", lambda m: m["done"])
    assert state["result"]["kind"] == "ok" and board.address in state["result"]["what"]
    assert view.flashed.port == board.address and view.head["port"] == board.address
    assert list(dict.fromkeys(told)) == [("look", -1), ("compile", 1), ("upload", 2), ("restart", 3)]
    steps = [m["step"] for m in wire if m["k"] == "state" and m["busy"]]
    assert steps == sorted(steps)
    status = wait_for(wire, "status", lambda m: m["link"]["kind"] == "ok")
    assert status["link"]["text"] == "flashed"
    assert "runs on" in str(view.snapshot()) and not view.errors


def test_the_button_pressed_twice_flashes_once(usb, fake, wire, opened):
    usb.plug().bootloader()
    view = opened(tk.lab.flash())
    threads, work = [], view.work
    view.work = lambda *what: threads.append(work(*what))
    for _ in range(2):  # as a double click has it
        view._receive(view, {"k": "flash"}, [])
    for thread in threads:
        thread.join()
    assert view.flashed and len(fake.called("upload")) == 1
    view._receive(view, {"k": "flash"}, [])  # later it is a wish again
    threads[-1].join()
    assert len(fake.called("upload")) == 2


def test_without_a_board_no_step_has_failed(usb, fake, wire, opened):
    view = opened(tk.lab.flash())
    view._receive(view, {"k": "flash"}, [])
    state = wait_for(wire, "state", lambda m: m["failed"] and not m["busy"])
    assert state["step"] == -1 and "No Nano 33 BLE is plugged in" in state["result"]["what"]


def test_a_failure_is_shown_with_its_way_out_and_a_report(usb, fake, wire, opened):
    usb.plug().bootloader()
    fake.set(compile="error")
    view = opened(tk.lab.flash())
    view._receive(view, {"k": "flash"}, [])
    state = wait_for(wire, "state", lambda m: m["failed"] and not m["busy"])
    assert state["result"]["kind"] == "bad" and "line 41" in state["result"]["what"]
    assert state["result"]["text"] == "Nothing was written to the board." and "exit code 1" in state["report"]
    with pytest.raises(ToolError):  # from a cell it raises
        view.flash()
    fake.set(compile="ok")
    assert view.flash().firmware == firmware.shipped()


def test_a_crashed_board_is_told_to_be_pressed(usb, fake, wire, opened):
    board = usb.plug()
    board.crash()
    fake.set(touch_s=0.2)
    view = opened(tk.lab.flash(board.address))
    view._receive(view, {"k": "flash"}, [])
    state = wait_for(wire, "state", lambda m: (m["result"] or {}).get("kind") == "warn")
    assert "reset button twice" in state["result"]["next"] and state["busy"]
    board.double_tap()
    assert wait_for(wire, "state", lambda m: m["done"])["result"]["kind"] == "ok"


# -- the command -------------------------------------------------------------------------------------------


def test_the_command(usb, fake, capsys):
    board = usb.plug()
    assert main(["flash", "--check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["port"] == board.address and found["road"]["profile"] == "" and not found["built"]
    assert main(["flash", "--port", board.address, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["port"] == board.address
    assert [line.split(":")[0] for line in told.err.splitlines()] == [
        "looking for the tools", "compiling", "writing to the board", "waiting for the board"
    ]  # fmt: skip


def test_the_command_refuses_in_one_sentence(usb, fake, capsys):
    usb.plug("bootloader")
    fake.set(upload="cable")
    assert main(["flash", "--wait", "0", "--json"]) == 1
    told = capsys.readouterr()
    refused = json.loads(told.out)
    assert refused["error"] == "ToolError" and "broke off" in refused["what"] and "another cable" in refused["next"]
    assert "SAM-BA operation failed" not in told.err
    assert main(["flash", "--wait", "0", "--verbose"]) == 1
    assert "SAM-BA operation failed" in capsys.readouterr().err
