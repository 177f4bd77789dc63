"""What the doctor says about arduino-cli, with a stand-in for the executable."""

import pytest
from fake_arduino_cli import NANO, OWN, Fake

from tinykit.board import arduino_cli, firmware
from tinykit.board.arduino_checkup import arduino


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Makes the arduino-cli of a scenario."""
    monkeypatch.delenv("TINYKIT_FQBN", raising=False)
    monkeypatch.setattr(firmware, "cache_dir", lambda: tmp_path / "cache")  # the rest of the cache may stay

    def make(**scenario):
        fake = Fake(tmp_path / "tool", **{"cores": {NANO: "4.6.0"}, "libraries": OWN, **scenario})
        monkeypatch.setenv("TINYKIT_ARDUINO_CLI", str(fake.path))
        return fake

    return make


def names(findings):
    assert all(f.next for f in findings if f.state != "ok")
    assert not any(f.state == "bad" for f in findings), "without a board nothing of it is needed"
    return [f.name for f in findings]


def test_all_is_there(tool):
    fake = tool()
    findings = arduino()
    assert names(findings) == ["cli", "arduino_core"] and "1.5.1" in findings[0].found
    assert f"{NANO} 4.6.0" in findings[1].found
    assert not fake.called("core", "install") and not fake.called("core", "update-index")


def test_there_is_none(monkeypatch, tmp_path):
    monkeypatch.delenv("TINYKIT_ARDUINO_CLI", raising=False)
    monkeypatch.setattr(arduino_cli, "_places", lambda: iter(()))
    (finding,) = arduino()
    assert names([finding]) == ["cli_absent"] and "Install arduino-cli" in finding.next
    monkeypatch.setenv("TINYKIT_ARDUINO_CLI", str(tmp_path / "none"))
    assert names(arduino()) == ["cli_absent"]


def test_it_is_too_old(tool):
    tool(version="0.35.3")
    (finding,) = arduino()
    assert names([finding]) == ["cli_old"] and "0.35.3" in finding.found and "Update it" in finding.next


@pytest.mark.parametrize("cores", [{}, None, {NANO: "3.0.0"}])
def test_the_core_is_missing_or_another_and_can_be_brought(tool, cores):
    fake = tool(cores=cores)
    missing = arduino()[1]
    assert missing.name == "no_core" and "internet" in missing.next and "Download" in missing.remedy.offer
    told = []
    done = missing.remedy.act(told.append)
    assert (done.name, done.state) == ("core_ready", "ok") and len(told) == len(set(told)) > 0
    assert names(arduino()) == ["cli", "arduino_core"] and fake.called("compile")


def test_a_tool_before_profiles_installs_for_the_user(tool):
    fake = tool(version="1.2.0", cores={}, libraries={})
    missing = arduino()[1]
    assert missing.name == "no_core"
    assert missing.remedy.act(lambda text: None).state == "ok"
    assert fake.called("core", "install") and fake.called("lib", "install")


def test_a_board_package_that_is_none(tool, monkeypatch):
    tool()
    monkeypatch.setenv("TINYKIT_FQBN", "nano33ble")
    assert names(arduino()) == ["cli", "core_no_core"] and "TINYKIT_FQBN" in arduino()[1].next
