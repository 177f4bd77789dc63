"""The right to open a port: what stands in the way, and the rule that is written as root."""

import os
import sys

import pytest

from tinykit.board import checkup, rights
from tinykit.board.port import Port
from tinykit.errors import BoardError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux has udev.")


def test_a_rule_is_known_by_its_vendor_and_mode(tmp_path):
    assert not rights.has_rule(tmp_path) and not rights.has_rule(tmp_path / "none")
    (tmp_path / "50-other.rules").write_text(f'# {rights.RULE}\nATTRS{{idVendor}}=="0403", MODE="0666"\n')
    assert not rights.has_rule(tmp_path)
    other = tmp_path / "49-portenta.rules"
    other.write_text('SUBSYSTEMS=="usb", ATTRS{idVendor}=="2341", ATTRS{idProduct}=="035b", MODE:="0666"\n')
    assert not rights.has_rule(tmp_path), "it is for another board"
    other.write_text('SUBSYSTEMS=="usb", ATTRS{idVendor}=="2341", ATTRS{idProduct}=="805A", MODE:="0666"\n')
    assert rights.has_rule(tmp_path)
    other.unlink()
    (tmp_path / rights.FILE).write_text(rights.RULE)
    assert rights.has_rule(tmp_path)


def tool(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_rule_is_written_as_root(tmp_path, monkeypatch):
    tools, there = tmp_path / "bin", tmp_path / "rules d"
    tools.mkdir()
    tool(tools, "sudo", f'echo sudo >> "{tmp_path}/told"; exec "$@"')
    tool(tools, "udevadm", f'echo "$@" >> "{tmp_path}/told"')
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    there.mkdir()
    theirs = there / "60-arduino-mbed.rules"  # Arduino's installer writes it, with other vendors' lines
    theirs.write_text('SUBSYSTEMS=="usb", ATTRS{idVendor}=="2e8a", MODE:="0666"\n')
    rights.write_rule(there)
    assert "2e8a" in theirs.read_text() and rights.FILE != theirs.name
    assert (there / rights.FILE).read_text() == rights.RULE + "\n" and rights.has_rule(there)
    assert (tmp_path / "told").read_text() == "sudo\ncontrol --reload-rules\ntrigger\n"
    tool(tools, "sudo", "exit 1")
    with pytest.raises(BoardError, match="was not written") as refused:
        rights.write_rule(there)
    assert rights.RULE in refused.value.next


def test_the_doctor_offers_to_write_it_where_somebody_can_type_a_password(tmp_path, monkeypatch):
    tool(tmp_path, "sudo", 'exec "$@"')
    tool(tmp_path, "udevadm", "true")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(rights, "FOLDER", tmp_path / "rules")
    port = Port("/dev/ttyACM0", "nano33ble", "Nano")
    for terminal in (False, True):
        monkeypatch.setattr(sys.stdin, "isatty", lambda there=terminal: there, raising=False)
        offered = checkup.forbidden(port).remedy
        assert (offered is not None) == terminal
    done = offered.act(print)
    assert (done.name, done.state) == ("rule", "ok") and "plug it in again" in done.next and rights.has_rule()
    assert checkup.forbidden(port).remedy is None and "plug it in again" in checkup.forbidden(port).next


def test_the_way_in_is_that_of_this_computer(tmp_path, monkeypatch):
    monkeypatch.setattr(rights, "has_rule", lambda: False)
    assert "usermod -a -G" in rights.way_in("/dev/there_is_none") and rights.RULE in rights.way_in("/dev/none")
    monkeypatch.setattr(rights, "has_rule", lambda: True)
    assert "plug it in again" in rights.way_in("/dev/none")
