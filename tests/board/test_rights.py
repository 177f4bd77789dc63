"""The right to open a port: what stands in the way, and the rule that is written as root."""

import os
import sys

import pytest

from tinykit.board import rights
from tinykit.errors import BoardError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux has udev.")


def test_a_rule_is_known_by_its_vendor_and_mode(tmp_path):
    assert not rights.has_rule(tmp_path) and not rights.has_rule(tmp_path / "none")
    (tmp_path / "50-other.rules").write_text(f'# {rights.RULE}\nATTRS{{idVendor}}=="0403", MODE="0666"\n')
    assert not rights.has_rule(tmp_path)
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
    rights.write_rule(there)
    assert (there / rights.FILE).read_text() == rights.RULE + "\n" and rights.has_rule(there)
    assert (tmp_path / "told").read_text() == "sudo\ncontrol --reload-rules\ntrigger\n"
    tool(tools, "sudo", "exit 1")
    with pytest.raises(BoardError, match="was not written") as refused:
        rights.write_rule(there)
    assert rights.RULE in refused.value.next


def test_the_way_in_is_that_of_this_computer(tmp_path, monkeypatch):
    monkeypatch.setattr(rights, "has_rule", lambda: False)
    assert "usermod -a -G" in rights.way_in("/dev/there_is_none") and rights.RULE in rights.way_in("/dev/none")
    monkeypatch.setattr(rights, "has_rule", lambda: True)
    assert "plug it in again" in rights.way_in("/dev/none")
