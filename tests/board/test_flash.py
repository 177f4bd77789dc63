"""Flashing, over pseudo-terminals: the driver, a stand-in for arduino-cli, and boards that change their ports."""

import json
import re
import threading
from pathlib import Path

import pytest
from fake_arduino_cli import NANO, OWN
from fake_port import wait_until
from usb import needs_pty, settled

import tinykit as tk
from tinykit.board import firmware, flashing
from tinykit.board.arduino_cli import ArduinoCli
from tinykit.errors import BoardError, PortBusy, ToolError

pytestmark = needs_pty


def flash(*arguments, **options):
    """Quiet, as a list of steps."""
    told = []
    done = tk.flash(*arguments, progress=lambda step, text: told.append((step, text)), **options)
    return done, list(dict.fromkeys(step for step, _ in told)), told


def yaml_dir(sketch):
    return re.search(r"- dir: '(.*)'", (sketch / "sketch.yaml").read_text(encoding="utf-8"))[1]


# -- from board to board -----------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "Hello from another sketch\r\n", None], ids=["old", "chatty", "silent"])
def test_a_board_with_another_sketch_becomes_a_tinykit_board(usb, fake, before):
    board = usb.plug()
    if before != "":
        board.other_firmware(before)
    else:
        settled(board)
    first = board.address
    done, steps, _ = flash()
    assert steps == ["look", "compile", "upload", "restart"]
    assert (done.firmware, done.before) == (firmware.shipped(), firmware.shipped() if before == "" else "")
    assert done.port == board.address != first and usb.touches == 1
    assert done.platform == f"{NANO} 4.6.0" and done.flash == 150_000
    assert json.loads(json.dumps(done.as_dict()))["port"] == done.port
    assert done.firmware in repr(done) and done.port in done._repr_html_()
    settled(board)
    with tk.connect() as connected:
        assert connected.port == done.port


def test_from_the_bootloader_and_from_micropython(usb, fake):
    for kind in ("bootloader", "micropython"):
        board = usb.plug("virtual")
        board._vanish()
        board._appear(kind)
        done, _, _ = flash(board.address)
        assert done.before == "" and done.port == board.address
        board.unplug()
    assert usb.touches == 1  # a bootloader needs none


def test_a_crashed_sketch_is_told_and_waited_for(usb, fake):
    board = usb.plug()
    board.crash()
    pressed = threading.Event()

    def press(step, text):
        if step == "reset" and not pressed.is_set():
            assert "reset button twice" in text
            pressed.set()
            board.double_tap()

    fake.set(touch_s=0.5)  # the real one looks for ten seconds
    done = tk.flash(progress=press)
    assert pressed.is_set() and done.port == board.address


def test_nobody_presses_the_button(usb, fake):
    usb.plug().crash()
    fake.set(touch_s=0.2)
    with pytest.raises(ToolError, match="did not go into its bootloader.*reset button twice") as caught:
        tk.flash(wait_s=0.0, progress=False)
    assert caught.value.name == "no_board" and "No device found" in caught.value.report


def test_pipelines_stay_on_the_board(usb, fake, new):
    board = settled(usb.plug())
    with tk.connect() as connected:
        connected.deploy(new, progress=False)
    done, _, _ = flash(board.address)
    assert done.pipelines == ("new",) and "new" in repr(done)


def test_a_board_that_is_connected_goes_on_afterwards(usb, fake):
    plugged = settled(usb.plug())
    with tk.connect() as board, board.stream("imu") as stream:
        stream.read(30)
        before = stream.written
        done, _, _ = flash()
        assert board.port == done.port == plugged.address
        wait_until(lambda: board.connected and stream.written > before + 50, 300)
        assert board.info.firmware == firmware.shipped()


@pytest.mark.parametrize("handed_in", [False, True])
def test_a_connected_board_that_crashed_is_flashed_from_its_bootloader(usb, fake, handed_in):
    """It has another port there than the notebook knows it by, and the upload ends long after it is back."""
    plugged = settled(usb.plug())
    fake.set(late_s=3.0)
    with tk.connect() as board:
        plugged.crash()
        plugged.double_tap()
        wait_until(lambda: not board.connected, 120)
        assert board.port != plugged.address
        done, _, _ = flash(*([board] if handed_in else []))
        assert (done.port, board.port) == (plugged.address, plugged.address) and done.before == firmware.shipped()
        assert board.connected and board.slots


@pytest.mark.parametrize("named", [False, True])
def test_a_board_connected_by_another_name_of_its_port_is_flashed(usb, fake, named):
    """Such as /dev/serial/by-id/..., which is a link to the port."""
    plugged = settled(usb.plug())
    name = usb.folder / "usb-Arduino_Nano_33_BLE-if00"
    name.symlink_to(plugged.address)
    with tk.connect(str(name)) as board:
        done, _, _ = flash(*([str(name)] if named else []))
        assert (done.port, board.port) == (plugged.address, plugged.address)
        assert board.connected and board.slots


def test_the_reported_port_may_be_wrong(usb, fake):
    """The serial number says where the board is; another Nano is not taken for it."""
    other = usb.plug("fake")
    board = usb.plug()
    fake.set(wrong_port=other.address)
    done, _, _ = flash(board.address)
    assert done.port == board.address
    board.unplug()
    board.replug()
    fake.set(wrong_port=None, upload="silent")
    assert flash(board.address)[0].port == board.address


def test_a_board_lends_its_port_to_another_program(usb):
    import serial

    plugged = settled(usb.plug())
    with tk.connect() as board:
        with board.lend():
            with serial.Serial(plugged.address, exclusive=True):
                assert not board.connected
        wait_until(lambda: board.connected, 120)
        assert board.slots  # and it answers again
    with tk.connect("virtual://nano33ble/lend?flash=memory") as board, pytest.raises(BoardError, match="tinykit serve"):
        with board.lend():
            pass


# -- what is refused before anything is done ---------------------------------------------------------------


def test_no_board(usb, fake):
    usb.plug("other")
    usb.plug("none")
    with pytest.raises(BoardError, match="No Nano 33 BLE is plugged in.*carries data"):
        flash()


def test_two_boards_ask_for_a_choice(usb, fake):
    one, two = usb.plug("bootloader"), usb.plug("micropython")
    with pytest.raises(BoardError, match=r"2 boards are plugged in.*Choose one: tk\.flash\(") as caught:
        flash()
    assert one.address in caught.value.what and two.address in caught.value.what


def test_a_port_that_is_no_nano_or_not_there_or_virtual(usb, fake, monkeypatch):
    other = usb.plug("other")
    with pytest.raises(BoardError, match="is no Nano 33 BLE: FT232R"):
        flash(other.address)
    with pytest.raises(BoardError, match="There is no port COM77.*here: "):
        flash("COM77")
    with pytest.raises(BoardError, match="virtual board is not flashed"):
        flash("virtual")
    monkeypatch.setenv("TINYKIT_PORT", "virtual://nano33ble")
    with pytest.raises(BoardError, match="virtual board is not flashed"):
        flash()
    assert not fake.called("compile")


def test_a_port_that_another_program_holds_is_told_before_compiling(usb, fake):
    import serial

    board = usb.plug()
    with serial.Serial(board.address, exclusive=True):
        with pytest.raises(PortBusy, match="Another program holds"):
            flash()
    assert not fake.called("compile") and not fake.called("upload")


def test_a_board_that_does_not_come_back(usb, fake, monkeypatch):
    board = usb.plug()
    monkeypatch.setattr(flashing, "BACK_S", 0.5)
    monkeypatch.setattr(board, "flash", board.unplug)
    with pytest.raises(BoardError, match="was written, and the board did not come back.*reset button once"):
        flash()


def test_a_firmware_that_would_run_into_the_slots_is_not_sent(usb, fake):
    usb.plug("bootloader")
    fake.set(size=firmware.SKETCH_BYTES + 1)
    with pytest.raises(ToolError, match="262,145 bytes; 262,144 are its place") as caught:
        flash()
    assert caught.value.name == "too_large" and not fake.called("upload")


# -- with which core and libraries -------------------------------------------------------------------------


def road(fake, fqbn=None, **scenario):
    fake.set(**scenario)
    return firmware.road_for(ArduinoCli.find(), firmware.sketch_dir(), firmware.board_package(fqbn))


def test_the_users_own_where_they_are_as_new_as_wanted(fake):
    assert road(fake) == firmware.Road(f"{NANO}:nano33ble", "", NANO, "4.6.0")
    newer = {**OWN, "Arduino_LSM9DS1": "1.10.0"}
    assert road(fake, cores={NANO: "4.7.1"}, libraries=newer).core_version == "4.7.1"
    assert not road(fake, cores={NANO: ""}).missing  # installed by hand


@pytest.mark.parametrize(
    "scenario",
    [
        {"cores": {}}, {"cores": None, "libraries": None}, {"cores": {NANO: "4.4.1"}}, {"cores": {NANO: "5.0.0"}},
        {"libraries": {}}, {"libraries": {**OWN, "Arduino_LSM9DS1": "1.1.0"}},
    ],
)  # fmt: skip
def test_else_what_sketch_yaml_pins_apart_from_them(fake, scenario):
    assert road(fake, **scenario) == firmware.Road(f"{NANO}:nano33ble", "nano33ble", NANO, "4.6.0")


def test_an_arduino_cli_without_profiles_installs_what_is_missing(usb, fake):
    """As the one that came with the Arduino IDE 2.3."""
    way = road(fake, version="1.2.0", cores={}, libraries={"Arduino_LSM9DS1": "1.1.1"})
    assert way.missing == (f"{NANO}@4.6.0", "Arduino_BMI270_BMM150@1.2.3") and not way.profile
    usb.plug()
    done, steps, _ = flash()
    assert steps == ["look", "download", "compile", "upload", "restart"] and done.platform == f"{NANO} 4.6.0"
    assert fake.called("core", "install") and fake.called("lib", "install")
    (call,) = fake.called("compile")
    assert not any(word.startswith("--profile") for word in call)
    assert any(word.startswith("--library=") and word.endswith("TinyKit") for word in call)


def test_another_board_package(fake, monkeypatch):
    monkeypatch.setenv("TINYKIT_FQBN", "arduino:zephyr:nano33ble")
    assert road(fake).missing == ("arduino:zephyr",)
    assert not road(fake, cores={"arduino:zephyr": "0.3.1"}).missing
    assert road(fake, f"{NANO}:nano33ble:opt=1", cores={}).profile  # given, so the variable doesn't count
    with pytest.raises(ToolError, match="'nano33ble' is no board package; expected"):
        firmware.board_package("nano33ble")


def test_the_pinned_road_from_end_to_end(usb, fake):
    usb.plug()
    fake.set(cores={}, libraries={})
    done, steps, told = flash()
    assert steps == ["look", "download", "compile", "upload", "restart"]
    assert ("download", f"Downloading platform {NANO}@4.6.0...") in told
    assert not fake.called("core", "install") and not fake.called("lib", "install")  # the user's own stay as they are
    (call,) = fake.called("upload")
    assert call[call.index("--profile") + 1] == "nano33ble"
    staged = Path(call[-2])  # the last is --json
    assert "library.properties" in {p.name for p in Path(yaml_dir(staged)).iterdir()}
    assert (staged / "Board.ino").read_bytes() == (firmware.sketch_dir() / "Board.ino").read_bytes()


def test_without_a_network_and_without_a_core(usb, fake):
    board = usb.plug()
    fake.set(cores={}, online=False)
    with pytest.raises(ToolError, match="needs the internet") as caught:
        flash()
    assert caught.value.name == "offline" and not fake.called("upload") and board.state == "sketch"


def test_the_second_board_is_not_compiled_again(usb, fake):
    board = usb.plug()
    flash()
    fake.set(compile="crash", online=False)
    assert flash()[1] == ["look", "upload", "restart"]
    assert board.state == "sketch" and len(fake.called("compile")) == 1


def test_what_the_sketch_includes_is_what_sketch_yaml_and_the_library_name():
    pins = firmware.Pins.read(firmware.sketch_dir())
    # Tools before 1.3, such as the Arduino IDE 2.3, could not open the sketch at all.
    text = (firmware.sketch_dir() / "sketch.yaml").read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if "dir:" in line and not line.startswith("#")]
    properties = (firmware.sketch_dir().parents[1] / "library.properties").read_text(encoding="utf-8")
    depends = next(line for line in properties.splitlines() if line.startswith("depends=")).split("=", 1)[1]
    wanted = dict(re.findall(r"(\w+) \(>=([\d.]+)\)", depends))
    assert wanted.keys() == pins.libraries.keys() and len(wanted) == depends.count(",") + 1
    assert all(firmware.numbers(pins.libraries[name]) >= firmware.numbers(least) for name, least in wanted.items())
    sketch = "".join(p.read_text(encoding="utf-8") for p in sorted(firmware.sketch_dir().iterdir()))
    assert all(f"#include <{name}.h>" in sketch for name in pins.libraries)
    assert pins.fqbn == firmware.board_package(pins.fqbn) == f"{NANO}:nano33ble"


# -- only looking ------------------------------------------------------------------------------------------


def test_checking_changes_nothing(usb, fake):
    board = settled(usb.plug())
    found = flashing.check()
    assert (found.port, found.before, found.firmware) == (board.address, firmware.shipped(), firmware.shipped())
    assert not found.built and "your own arduino:mbed_nano 4.6.0" in repr(found)
    json.dumps(found.as_dict())
    assert {call[0] for call in fake.calls} <= {"version", "core", "lib"} and usb.touches == 0
    flash()
    assert flashing.check().built
