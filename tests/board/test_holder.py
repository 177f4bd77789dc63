"""Who has a port open: by real processes where the system shows them, and by what lsof says."""

import os
import subprocess
import sys

import pytest
from usb import Usb, needs_pty

from tinykit.board.holder import Holder, holders, parse_lsof

HOLD = "import sys; port = open(sys.argv[1], 'rb', buffering=0); print('open', flush=True); sys.stdin.read()"


def holding(address, *words, name="python", **environment):
    """A process that has the port open and its command line made to look like a program's."""
    process = subprocess.Popen(
        [name, "-c", HOLD, address, *words], executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert process.stdout.readline() == b"open\n"
    return process


def others(address):
    """Not this process, in which the stand-in for USB looks into its terminals."""
    return [holder for holder in holders(address) if not holder.here]


@needs_pty
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux has /proc.")
@pytest.mark.parametrize(
    ("name", "words", "environment", "called"),
    [
        ("python", ["-m", "ipykernel_launcher", "-f", "kernel-1.json"], {}, "another notebook"),
        ("python", ["ipykernel_launcher"], {"JPY_SESSION_NAME": "/home/ada/03 gesture.ipynb"},
         "the notebook 03 gesture.ipynb"),
        ("/opt/arduino-ide/serial-monitor", [], {}, "the Arduino IDE's serial monitor"),
        ("python", ["/usr/bin/tinykit", "listen"], {}, "`tinykit listen`"),
        ("/usr/sbin/ModemManager", [], {}, "ModemManager"),
        ("minicom", [], {}, "minicom"),
    ],
)  # fmt: skip
def test_who_has_the_port_open(name, words, environment, called):
    with Usb() as usb:
        address = usb.plug("other").address
        assert others(address) == []
        process = holding(address, *words, name=name, **environment)
        try:
            assert others(address) == [Holder(process.pid, called)]
            assert str(process.pid) in str(others(address)[0])
        finally:
            process.communicate()
        assert others(address) == []


@needs_pty
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux has /proc.")
def test_this_program_itself():
    with Usb() as usb:
        address = usb.plug("other").address
        with open(address, "rb", buffering=0):
            (holder,) = holders(address)
            assert holder.here and str(holder) == "this program itself"


def test_what_lsof_says():
    said = "p4711\ncPython\nf5\np12\ncscreen\nf3\n"
    lines = {4711: ["/usr/bin/python3", "-m", "ipykernel_launcher"]}
    found = parse_lsof(said, lambda pid: lines.get(pid, []))
    assert found == [Holder(12, "screen"), Holder(4711, "another notebook")]
    assert parse_lsof("", lambda pid: []) == []
