"""The driver of arduino-cli against a stand-in that speaks as the real one's sources do."""

import sys
import threading
from pathlib import Path

import pytest
from fake_arduino_cli import NANO, Fake
from fake_port import wait_until

from tinykit.board import arduino_cli, arduino_run, arduino_words
from tinykit.board.arduino_cli import ArduinoCli, parse
from tinykit.errors import ToolError


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = Fake(tmp_path / "tool", cores={NANO: "4.6.0"}, libraries={"Arduino_LSM9DS1": "1.1.1"})
    monkeypatch.setenv("TINYKIT_ARDUINO_CLI", str(fake.path))
    return fake


@pytest.fixture
def sketch(tmp_path):
    folder = tmp_path / "Blink it"  # a folder of the user's may have a space in its name
    folder.mkdir()
    (folder / "Blink it.ino").write_text("void setup() {}\nvoid loop() {}\n")
    (folder / "sketch.yaml").write_text(
        f"profiles:\n  nano33ble:\n    fqbn: {NANO}:nano33ble\n    platforms:\n      - platform: {NANO} (4.6.0)\n"
    )
    return folder


# -- finding it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0.0", "1.5.1", "1.5.2-rc.1", "2.0.0", "0.0.0-git", "git-snapshot"])
def test_a_tool_that_is_new_enough(fake, version):
    fake.set(version="1.5.1")
    cli = ArduinoCli.find()
    cli.version = version
    assert not cli._older_than((1, 0))


def test_an_old_one_is_refused_with_its_version(fake):
    fake.set(version="0.35.3")
    with pytest.raises(ToolError, match=r"arduino-cli 0\.35\.3; tinykit needs 1\.0") as caught:
        ArduinoCli.find()
    assert caught.value.name == "old" and "arduino.github.io" in caught.value.next


def test_profiles_came_with_1_3(fake):
    fake.set(version="1.2.2")
    assert not ArduinoCli.find().has_profiles
    fake.set(version="1.3.0")
    assert ArduinoCli.find().has_profiles


def test_none_is_there(monkeypatch, tmp_path):
    monkeypatch.delenv("TINYKIT_ARDUINO_CLI", raising=False)
    monkeypatch.setattr(arduino_cli, "_places", lambda: iter(()))
    with pytest.raises(ToolError, match="was not found.*TINYKIT_ARDUINO_CLI") as caught:
        ArduinoCli.find()
    assert caught.value.name == "absent"
    monkeypatch.setenv("TINYKIT_ARDUINO_CLI", str(tmp_path / "nothing"))
    with pytest.raises(ToolError, match="nothing can't be run") as caught:
        ArduinoCli.find()
    assert caught.value.name == "absent"


def test_the_first_that_is_new_enough_is_taken(monkeypatch, tmp_path):
    old, new = Fake(tmp_path / "old", version="0.34.0"), Fake(tmp_path / "new", version="1.4.1")
    monkeypatch.delenv("TINYKIT_ARDUINO_CLI", raising=False)
    monkeypatch.setattr(arduino_cli, "_places", lambda: iter([str(old.path), str(new.path)]))
    assert ArduinoCli.find().path == str(new.path)


@pytest.mark.parametrize(
    ("platform", "variable", "place"),
    [
        ("win32", "LOCALAPPDATA", "Programs/Arduino IDE/resources/app/lib/backend/resources/arduino-cli.exe"),
        ("win32", "ProgramFiles", "Arduino IDE/resources/app/lib/backend/resources/arduino-cli.exe"),
        ("darwin", None, "Applications/Arduino IDE.app/Contents/Resources/app/lib/backend/resources/arduino-cli"),
        ("linux", None, "Downloads/arduino-ide_2.3.6_Linux_64bit/resources/app/lib/backend/resources/arduino-cli"),
    ],
)
def test_the_copy_that_the_arduino_ide_brings(monkeypatch, tmp_path, platform, variable, place):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(arduino_cli.shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("LOCALAPPDATA", "ProgramFiles", "ProgramW6432"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    copy = tmp_path / place
    copy.parent.mkdir(parents=True)
    copy.write_text("")
    assert str(copy) in list(arduino_cli._places())


# -- what it lists -----------------------------------------------------------------------------------------


def test_cores_and_libraries(fake):
    cli = ArduinoCli.find()
    assert cli.cores() == {NANO: "4.6.0"}
    assert cli.libraries() == {"Arduino_LSM9DS1": "1.1.1"}
    assert all("--json" in call for call in fake.called("core", "list") + fake.called("lib", "list"))


def test_lists_that_are_null_are_empty(fake):
    fake.set(cores=None, libraries=None, warnings=["something harmless"])
    cli = ArduinoCli.find()
    assert (cli.cores(), cli.libraries()) == ({}, {})


def test_json_is_found_among_other_words():
    assert parse('a warning {of sorts}\n{\n  "a": {"b": 1}\n}\n') == {"a": {"b": 1}}
    assert parse('{"a": 1}') == {"a": 1}
    assert parse("") == parse("Platform installed") == {}
    assert parse('{\n  "a": {\n    "b": 1') == {}  # cut off: nothing, rather than what is inside


# -- installing --------------------------------------------------------------------------------------------


def test_installing_says_how_far_it_is(fake):
    fake.set(cores={}, libraries={})
    cli, told = ArduinoCli.find(), []
    cli.install_core(NANO, "4.6.0", lambda step, text: told.append((step, text)))
    cli.install_libraries(["Arduino_LSM9DS1@1.1.1", "Arduino_BMI270_BMM150"])
    assert cli.cores() == {NANO: "4.6.0"}
    assert set(cli.libraries()) == {"Arduino_LSM9DS1", "Arduino_BMI270_BMM150"}
    assert ("download", f"{NANO}@4.6.0 12.34 MiB / 80.00 MiB 48.20%") in told  # a part of a bar is a line


@pytest.mark.parametrize("what", ["core", "libraries"])
def test_without_a_network(fake, what):
    fake.set(online=False)
    cli = ArduinoCli.find()
    with pytest.raises(ToolError, match="needs the internet") as caught:
        cli.install_core(NANO) if what == "core" else cli.install_libraries(["X"])
    assert caught.value.name == "offline" and "then flashing works offline" in caught.value.next


def test_its_exit_code_for_the_network_is_enough():
    error = arduino_words.explain("install", 5, {}, "Something new went wrong", "arduino-cli")
    assert error.name == "offline"


def test_a_core_that_does_not_exist(fake):
    with pytest.raises(ToolError, match="The Arduino core arduino:nonsense is not installed") as caught:
        ArduinoCli.find().install_core("arduino:nonsense")
    assert caught.value.name == "no_core"


# -- compiling ---------------------------------------------------------------------------------------------


def compile(sketch, tmp_path, **options):
    return ArduinoCli.find().compile(sketch, tmp_path / "a build", **options)


def test_a_compilation(fake, sketch, tmp_path):
    told = []
    build = compile(sketch, tmp_path, libraries=[tmp_path / "lib"], progress=lambda *words: told.append(words))
    assert (build.flash, build.ram, build.platform) == (150_000, 190_000, f"{NANO} 4.6.0")
    assert build.libraries == ("Arduino_LSM9DS1 1.1.1",) and build.warnings == ()
    assert (build.folder / "Blink it.ino.bin").stat().st_size == 150_000
    (call,) = fake.called("compile")
    assert f"--library={tmp_path / 'lib'}" in call and "--json" in call
    assert {step for step, _ in told} <= {"compile"} and told


def test_lists_may_be_missing_from_a_build(fake, sketch, tmp_path):
    fake.set(libraries=None, minified=True, warnings=["w"])
    assert compile(sketch, tmp_path).libraries == ()


def test_the_compilers_warnings_are_kept(fake, sketch, tmp_path):
    fake.set(compile="warning")
    assert compile(sketch, tmp_path).warnings == ("Board.ino, line 3: unused variable 'a'",)


def test_an_error_in_the_sketch_is_told_with_its_line(fake, sketch, tmp_path):
    fake.set(compile="error")
    with pytest.raises(ToolError, match="Blink it.ino, line 41: 'Wier' was not declared") as caught:
        compile(sketch, tmp_path)
    assert caught.value.name == "compile" and "exit code 1" in caught.value.report


@pytest.mark.parametrize(
    ("scenario", "options", "name", "text"),
    [
        ({"compile": "too_large"}, {}, "too_large", "too large for the board"),
        ({"compile": "crash"}, {}, "failed", "panic: runtime error"),
        ({"cores": {}}, {}, "no_core", f"core {NANO} is not installed.*core install {NANO}"),
        ({"cores": None}, {"fqbn": "arduino:zephyr:nano33ble"}, "no_core", "core arduino:zephyr is not installed"),
        ({"online": False}, {"profile": "nano33ble"}, "offline", "needs the internet"),
        ({}, {"profile": "nano33ble", "libraries": ["x"]}, None, None),
    ],
)
def test_what_can_go_wrong_in_a_compilation(fake, sketch, tmp_path, scenario, options, name, text):
    fake.set(**scenario)
    if name is None:  # with a profile no library may be named, so none is
        compile(sketch, tmp_path, **options)
        return
    with pytest.raises(ToolError, match=text) as caught:
        compile(sketch, tmp_path, **options)
    assert caught.value.name == name and caught.value.next


def test_what_a_profile_names_is_fetched_once(fake, sketch, tmp_path):
    cli, told = ArduinoCli.find(), []
    cli.fetch(sketch, "nano33ble", lambda *words: told.append(words))
    assert ("download", f"Downloading platform {NANO}@4.6.0...") in told
    fake.set(online=False, cores={})
    assert cli.compile(sketch, tmp_path / "b", profile="nano33ble").flash == 150_000


def test_fetching_without_a_network(fake, sketch):
    fake.set(online=False)
    with pytest.raises(ToolError, match="needs the internet") as caught:
        ArduinoCli.find().fetch(sketch, "nano33ble")
    assert caught.value.name == "offline"


# -- uploading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "name", "text"),
    [
        ("no_device", "no_board", "did not go into its bootloader.*reset button twice"),
        ("busy", "busy", "Another program holds /dev/ttyACM7"),
        ("denied", "no_rights", "You may not open /dev/ttyACM7: permission denied"),
        ("cable", "cable", "broke off.*another cable"),
    ],
)
def test_what_can_go_wrong_in_an_upload(fake, sketch, tmp_path, how, name, text):
    build = compile(sketch, tmp_path)
    fake.set(upload=how)
    with pytest.raises(ToolError, match=text) as caught:
        ArduinoCli.find().upload(sketch, build, "/dev/ttyACM7")
    assert caught.value.name == name
    assert "Performing 1200-bps touch" in caught.value.report  # all that it said


def test_the_port_afterwards(fake, sketch, tmp_path):
    build = compile(sketch, tmp_path)
    fake.set(wrong_port="/dev/ttyACM8")
    assert ArduinoCli.find().upload(sketch, build, "/dev/ttyACM7") == "/dev/ttyACM8"
    fake.set(upload="silent")
    assert ArduinoCli.find().upload(sketch, build, "/dev/ttyACM7") == "/dev/ttyACM7"


def test_a_tool_that_does_not_end_is_stopped(fake, sketch, tmp_path, monkeypatch):
    monkeypatch.setattr(arduino_cli, "_COMPILE_S", 2.0)
    fake.set(compile="hang")
    with pytest.raises(ToolError, match="was stopped after 2 s") as caught:
        compile(sketch, tmp_path)
    assert caught.value.name == "timeout" and "downloaded is kept" in caught.value.next
    assert "Unplug" not in caught.value.next, "no board is at fault"
    fake.set(compile="ok", upload="hang")
    monkeypatch.setattr(arduino_cli, "_COMPILE_S", 1800)
    build = compile(sketch, tmp_path)
    monkeypatch.setattr(arduino_cli, "_UPLOAD_S", 2.0)
    with pytest.raises(ToolError, match="was stopped after 2 s.*Unplug the board") as caught:
        ArduinoCli.find().upload(sketch, build, "/dev/ttyACM7")
    assert caught.value.name == "timeout"


def test_stopping_stops_the_tool(fake, sketch, tmp_path):
    """Ctrl-C in a cell reaches the driver as an exception; the tool must not go on alone."""
    fake.set(compile="hang")
    started, before = [], set(threading.enumerate())
    popen = arduino_run.subprocess.Popen

    def note(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    def interrupt(*_):
        if started and (fake.folder / "child").exists():
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        cli = ArduinoCli.find()
        patch.setattr(arduino_run.subprocess, "Popen", note)
        with pytest.raises(KeyboardInterrupt):
            cli.compile(sketch, tmp_path / "b", progress=interrupt)
    assert started[0].poll() is not None

    def reading():  # its pipe, which the compiler that it had started has open too
        return [t for t in threading.enumerate() if t.name == "tinykit tool" and t not in before]

    wait_until(lambda: not reading(), 120)
