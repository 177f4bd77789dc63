"""The doctor's report as a whole, and mending: over pseudo-terminals, with a stand-in for arduino-cli."""

import importlib.metadata
import io
import json
import sys
from types import SimpleNamespace

import pytest
from usb import needs_pty

import tinykit as tk
from tinykit.board import checkup, firmware
from tinykit.board.finding import Finding, Remedy
from tinykit.cli import main
from tinykit.errors import BoardError, BuildError
from tinykit.lab.doctor import Doctor

doctor = sys.modules[Doctor.__module__]  # tinykit.lab has a function of this name


def said(capsys):
    return json.loads(capsys.readouterr().out)


def names(report):
    return [f.name for f in report.findings]


ROOM = ["python", "packages", "device_core", "virtual"]


@needs_pty
def test_without_a_board_nothing_stands_in_the_way(usb, fake):
    report = tk.doctor()
    assert names(report) == [*ROOM, "cli", "arduino_core", "no_board"] and report.ok
    assert "no_board" in report and report["no_board"].state == "warn" and "crashed" not in report
    with pytest.raises(KeyError):
        report["crashed"]
    # The picture is there for who needs it, and out of the way for who has no board.
    html = report._repr_html_()
    assert "<details" in html and " open>" not in html and "<svg" in html and "tk.doctor(mend=True)" in html
    assert "ready for the course" in repr(report) and "(R) reset" not in repr(report)


@needs_pty
def test_a_crashed_board_is_drawn(usb, fake):
    usb.plug("fake").other_firmware(None)
    report = tk.doctor()
    assert names(report)[-1] == "crashed" and not report.ok
    assert " open><summary>Pressing reset twice" in report._repr_html_() and "not ready" in report._repr_html_()
    assert "(R) reset" in repr(report) and "something stands in the way" in repr(report)


@needs_pty
@pytest.mark.parametrize("before", ["bootloader", "chatty"])
def test_mending_flashes_after_asking(usb, fake, before):
    board = usb.plug(clock="free")
    board.bootloader() if before == "bootloader" else board.other_firmware()
    report = Doctor(checkup.on_usb())
    assert [f.name for f in report.remedies] == ["bootloader" if before == "bootloader" else "other_firmware"]
    asked, told = [], []
    left = report.mend(lambda question: asked.append(question), told.append)
    assert len(asked) == 1 and board.address in asked[0] and not left.mended and not fake.called("upload")
    mended = report.mend(lambda question: True, told.append)
    assert [f.name for f in mended.mended] == ["flashed"] and mended.ok and mended["answers"].port == board.address
    assert firmware.shipped() in mended.mended[0].found and any("compiling" in line for line in told)
    assert mended.as_dict()["mended"][0]["name"] == "flashed" and "done" in repr(mended)


@needs_pty
def test_what_can_not_be_mended_is_a_finding_too(usb, fake):
    usb.plug("bootloader")
    fake.set(cores={}, online=False)
    report = Doctor(checkup.on_usb()).mend(lambda question: True, lambda text: None)
    assert [f.name for f in report.mended] == ["not_mended"] and not report.ok
    assert "could not reach" in report.mended[0].found and "Connect this computer" in report.mended[0].next


def refusing(error):
    def refuse(*_, **__):
        raise error

    return refuse


def test_a_python_for_which_there_is_no_tensorflow(monkeypatch):
    monkeypatch.setattr(doctor, "sys", SimpleNamespace(version_info=(3, 13, 1)))
    finding = doctor._python()
    assert (finding.name, finding.state) == ("python", "bad") and "3.12" in finding.next


def test_packages_that_are_missing_are_named(monkeypatch):
    def without(name):
        if name in ("anywidget", "tf_keras"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", without)
    (finding,) = doctor._packages()
    assert (finding.name, finding.state) == ("packages", "bad") and finding.found == "missing: anywidget, tf_keras"
    assert "make env" in finding.next


@pytest.mark.parametrize("error", [BuildError("No compiler."), OSError(8, "Exec format error")])
def test_a_device_core_that_can_not_be_compiled(monkeypatch, error):
    monkeypatch.setattr("tinykit.features.load_core", refusing(error))
    finding = doctor._core()
    assert (finding.name, finding.state) == ("core_failed", "bad") and str(error) in finding.found and finding.next


def test_a_virtual_board_that_does_not_start(monkeypatch):
    monkeypatch.setattr("tinykit.board.connect", refusing(BoardError("It did not start.")))
    finding = doctor._virtual_board()
    assert (finding.name, finding.state) == ("virtual_failed", "bad") and "did not start" in finding.found
    assert finding.next


def test_what_is_not_agreed_to_is_not_done(monkeypatch):
    def never(tell):
        raise AssertionError("nobody agreed")

    finding = Finding("x", "bad", "broken", "Mend it.", "broken", remedy=Remedy("Mend it", never))
    told = []
    for answers in ("n\n", "\n", "perhaps\n", ""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        assert not Doctor([finding]).mend(tell=told.append).mended
    assert Doctor([]).mend(tell=told.append).findings == () and "Nothing that tinykit could mend" in told[-1]


def test_a_remedy_that_fails_loses_nothing(monkeypatch):
    def fails(tell):
        tell("trying")
        raise BoardError("It did not work.", "Do something else.")

    finding = Finding("cable", "bad", "broken", "Mend it.", "broken", "COM3", remedy=Remedy("Mend it", fails))
    told = []
    monkeypatch.setattr(doctor, "_look", lambda: [Finding("seen", "ok", "anew")])  # not at this computer's USB
    report = Doctor([finding]).mend(lambda question: True, told.append)
    (done,) = report.mended
    assert (done.what, done.state, done.found, done.next) == ("cable", "bad", "It did not work", "Do something else.")
    assert told == ["trying", "cable: It did not work. Next: Do something else."]
    assert [f.found for f in report.findings] == ["anew"], "it looked again"


def test_what_the_system_refuses_is_a_finding_too(monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    finding = Finding("cable", "bad", "broken", "Mend it.", "broken", "COM3", remedy=Remedy("Mend it", refused))
    monkeypatch.setattr(doctor, "_look", refused)
    report = Doctor([finding]).mend(lambda question: True, lambda text: None)
    assert [(f.name, f.port) for f in report.mended] == [("not_mended", "COM3")]
    assert [f.name for f in report.findings] == ["broken", "not_looked"] and not report.ok
    for f in (*report.mended, report.findings[1]):
        assert "Permission denied" in f.found and f.next


@needs_pty
def test_the_command_says_the_same_to_programs(usb, fake, capsys):
    board = usb.plug("bootloader")
    assert main(["doctor", "--json"]) == 1
    report = said(capsys)
    assert not report["ok"] and report["findings"][-1]["name"] == "bootloader"
    assert (
        report["findings"][-1]["port"] == board.address
        and "Write the TinyKit firmware" in report["findings"][-1]["mend"]
    )
    assert main(["doctor"]) == 1
    assert "Next: Press its reset button once" in capsys.readouterr().out


@needs_pty
def test_the_command_mends_after_asking(usb, fake, capsys, monkeypatch):
    board = usb.plug(clock="free")
    board.bootloader()
    monkeypatch.setattr(sys, "stdin", io.StringIO("no\n"))
    assert main(["doctor", "--mend", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "mended" not in json.loads(out) and "Write the TinyKit firmware" in err and "[y/N]" in err
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert main(["doctor", "--mend", "--json"]) == 0
    report = said(capsys)
    assert report["ok"] and [(f["name"], f["port"]) for f in report["mended"]] == [("flashed", board.address)]
    board.bootloader()
    assert main(["doctor", "--yes", "--json"]) == 0
    assert board.state == "sketch" and len(fake.called("upload")) == 2
