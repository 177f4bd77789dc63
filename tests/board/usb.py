"""The computer's USB, with virtual boards in it: pseudo-terminals stand in for the cables.

    with Usb() as usb:
        board = usb.plug()             # the real firmware on the emulated core
        tk.connect()                   # finds it, over pyserial, as /.../ttyACM0
        board.unplug(); board.replug() # back under another name

Every board is in what ``serial.tools.list_ports.comports`` returns, in this process. Another process (a
stand-in for arduino-cli) sees and does the same through ``usb.socket``: one JSON object a line, and
an answer in the same form; see ``ask``, which needs nothing but Python.
"""

import itertools
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest
from fake_port import FakeBoard
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from tinykit.board.board import Board
from tinykit.board.virtual import VirtualBoard
from tinykit.board.virtual.terminal import Cable, Terminal
from tinykit.errors import BoardError

needs_pty = pytest.mark.skipif(os.name != "posix", reason="Pseudo-terminals are POSIX.")

VID, SKETCH, BOOTLOADER, MICROPYTHON = 0x2341, 0x805A, 0x005A, 0x015A
_NUMBERS = itertools.count()


def ask(path, **words) -> dict:
    """Ask a ``Usb`` in another process: ``do="ports"``, or ``do=`` a method of ``Plugged`` with its ``address``."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        line.sendall(json.dumps(words).encode() + b"\n")
        with line.makefile() as answer:
            return json.loads(answer.readline())


def settled(plugged, seconds=120):
    """The same board, once its firmware answers: on a busy computer it takes longer to start than a host waits."""
    end = time.monotonic() + seconds
    while True:
        try:
            Board(plugged.address, remember=False).close()
            return plugged
        except BoardError:
            assert time.monotonic() < end


class Usb:
    """The ports of a computer; a context manager.

    Attributes
    ----------
    plugged : list of Plugged
        What is on the hub, in or out of its socket.
    socket : str
        Where other processes ask (``ask``).
    touches : int
        1200-baud touches that were seen.
    """

    def __init__(self):
        self.plugged: list[Plugged] = []
        self.touches = 0
        self.lock = threading.RLock()
        self._names = itertools.count()

    def __enter__(self):
        # Short: the name of a Unix socket has at most about a hundred characters.
        self.folder = Path(tempfile.mkdtemp(prefix="usb-"))
        self.socket = str(self.folder / "usb.socket")
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(list_ports, "comports", self.comports)
        self._patch.delenv("TINYKIT_PORT", raising=False)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self.socket)
        self._server.listen()
        threading.Thread(target=self._serve, name="usb", daemon=True).start()
        return self

    def __exit__(self, *_):
        self._patch.undo()
        self._server.shutdown(socket.SHUT_RDWR)  # close alone would leave accept() waiting
        self._server.close()
        for board in self.plugged:
            board.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def plug(self, kind="virtual", **options):
        """Plug a board in.

        Parameters
        ----------
        kind : str
            ``"virtual"``: the real firmware on the emulated core; ``"fake"``: a ``FakeBoard``, which is
            quicker to have; ``"bootloader"``, ``"micropython"``; ``"other"``: not a Nano at all;
            ``"none"``: a power-only cable, so that no port appears.
        options
            Of ``VirtualBoard`` (``sensor``, ``source``, ``faults``, ``image``...), or of ``FakeBoard``;
            ``serial_number`` as USB tells it.

        Returns
        -------
        Plugged
        """
        board = Plugged(self, kind, **options)
        with self.lock:
            self.plugged.append(board)
        return board

    def comports(self, include_links=False):
        """As ``serial.tools.list_ports.comports``."""
        with self.lock:
            return [board.entry for board in self.plugged if board.entry is not None]

    def new_name(self) -> str:
        """A port name that none had before."""
        return str(self.folder / f"ttyACM{next(self._names)}")

    def at(self, address):
        """The board behind a port, or None."""
        with self.lock:
            return next((board for board in self.plugged if board.address == address), None)

    def _serve(self):
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line, line.makefile("rw") as text:
                words = json.loads(text.readline())
                try:
                    answer = self._answer(**words)
                except Exception as error:  # to whoever asked
                    answer = {"error": repr(error)}
                text.write(json.dumps(answer) + "\n")

    def _answer(self, do, address=None, **words):
        if do == "ports":
            keys = ("device", "vid", "pid", "serial_number", "description")
            return {"ports": [{key: getattr(entry, key) for key in keys} for entry in self.comports()]}
        board = self.at(address)
        if board is None:
            return {"error": f"nothing is at {address}"}
        getattr(board, do)(**words)
        return {"address": board.address}


class Plugged:
    """A board on the USB; what is done to it here is what a hand or an upload does to a real one.

    Attributes
    ----------
    address : str or None
        Its port at present; None while there is none. Each time that it appears it has another name.
    entry : ListPortInfo or None
        What ``comports`` says of it.
    state : str
        ``"sketch"``, ``"bootloader"``, ``"micropython"``, ``"other"``, ``"crashed"`` or ``"away"``.
    machine : VirtualBoard or None
        The emulated board, when it was plugged in as ``"virtual"``.
    fake : FakeBoard or None
    touched : threading.Event
        Set at a 1200-baud touch that was heard.
    """

    def __init__(self, usb, kind, serial_number=None, **options):
        self.usb, self.kind = usb, kind
        self.machine = self.fake = self._terminal = self.address = self.entry = None
        self.touched = threading.Event()
        self.runs = "tinykit"  # or what another firmware says; None: nothing
        if kind == "virtual":
            name = f"usb-{os.getpid()}-{next(_NUMBERS)}"
            self.machine = VirtualBoard(name, **options)
            # As the firmware gives it in INFO, and USB has it of the firmware.
            self.serial_number = serial_number or f"VIRTUAL-{self.machine.serial_number:08X}"
        else:
            self.serial_number = serial_number or f"5D1A3C2B4F{next(_NUMBERS):06X}"
            self.fake = FakeBoard(**options) if kind == "fake" else None
        self.state = "away"
        self._appear({"virtual": "sketch", "fake": "sketch"}.get(kind, kind))

    # -- what a hand does ----------------------------------------------------------------------------

    def unplug(self):
        """Pull the cable."""
        with self.usb.lock:
            self._vanish()
            self._power(False)

    def replug(self):
        """Put it back: the sketch starts anew, the port has another name."""
        with self.usb.lock:
            self._vanish()
            self._power(False)
            self._appear("sketch" if self.kind in ("virtual", "fake") else self.kind)

    def crash(self, stays=True):
        """The sketch dies: it answers nothing and hears no touch. ``stays``: its port can still be opened."""
        with self.usb.lock:
            if self.machine is not None:
                self.machine.power_off()
            if not stays:
                self._vanish()
            elif self._terminal is not None:
                self._terminal.device.become(Dead(), hears_touch=False)
            self.state = "crashed"

    def double_tap(self):
        """Press reset twice: into the bootloader, whatever the sketch does."""
        self.bootloader()

    # -- what an upload does -------------------------------------------------------------------------

    def bootloader(self):
        """Restart into the bootloader: another product id, another name, and not a word to a sketch's host."""
        with self.usb.lock:
            self._vanish()
            self._power(False)
            self._appear("bootloader")

    def flash(self):
        """The bootloader has written TinyKit's firmware: back as a sketch, under yet another name.

        What was deployed is still there: the bootloader erases only what it writes.
        """
        with self.usb.lock:
            self._vanish()
            self._power(False)
            self.runs = "tinykit"
            self._appear("sketch")

    def other_firmware(self, text="Hello from another sketch\r\n"):
        """Another sketch was flashed: it says ``text`` ten times a second, or (None) nothing."""
        with self.usb.lock:
            self._vanish()
            self._power(False)
            self.runs = text
            self._appear("sketch")

    def close(self):
        """The end of it."""
        with self.usb.lock:
            self._vanish()
        if self.machine is not None:
            self.machine.close()

    # -- inside --------------------------------------------------------------------------------------

    def _power(self, on):
        if self.machine is not None:
            self.machine.power_on() if on else self.machine.power_off()
        if self.fake is not None and on:
            self.fake.replug(rebooted=True)
        elif self.fake is not None:
            self.fake.unplug()

    def _vanish(self):
        terminal, self._terminal = self._terminal, None
        self.address = self.entry = None
        self.state = "away"
        if terminal is not None:
            terminal.close()
            terminal.device.become(Dead())

    def _appear(self, state):
        self.state = state
        if state == "none":
            return
        device = Dead()
        if state == "sketch" and self.runs != "tinykit":
            device = Talker(self.runs)
        elif state == "sketch" and self.kind == "virtual":
            self._power(True)
            device = Cable(self.machine)
        elif state == "sketch" and self.kind == "fake":
            self._power(True)
            device = FakeCable(self.fake)
        switch = Switch(device, hears_touch=state in ("sketch", "micropython"))
        terminal = Terminal(switch, self.usb.new_name(), lambda: self._touch(switch))
        terminal.device = switch
        pid, what = {
            "bootloader": (BOOTLOADER, "Nano 33 BLE"),
            "micropython": (MICROPYTHON, "Nano 33 BLE"),
            "other": (0x6001, "FT232R USB UART"),
        }.get(state, (SKETCH, "Nano 33 BLE"))
        entry = ListPortInfo(terminal.address)
        entry.vid, entry.pid = (0x0403 if state == "other" else VID), pid
        entry.serial_number, entry.description, entry.product = self.serial_number, what, what
        entry.manufacturer = "FTDI" if state == "other" else "Arduino"
        entry.hwid = f"USB VID:PID={entry.vid:04X}:{pid:04X} SER={self.serial_number}"
        self._terminal, self.address, self.entry = terminal, terminal.address, entry

    def _touch(self, switch):
        with self.usb.lock:
            if not switch.hears_touch or self._terminal is None or self._terminal.device is not switch:
                return
            self.usb.touches += 1
            self.bootloader()
        self.touched.set()


class Switch:
    """The device of a terminal, which may be exchanged while programs have the port open."""

    def __init__(self, device, hears_touch):
        self.device, self.hears_touch = device, hears_touch
        self.condition = device.condition

    def become(self, device, hears_touch=False):
        """Be another device from now on."""
        self.device, self.hears_touch = device, hears_touch

    def plug_in(self):
        self.device.plug_in()

    def plug_out(self):
        self.device.plug_out()

    def take(self, data):
        return self.device.take(data)

    def peek(self):
        return self.device.peek()

    def drop(self, count):
        self.device.drop(count)


class Dead:
    """Takes bytes and says nothing."""

    def __init__(self):
        self.condition = threading.Condition()

    def plug_in(self):
        pass

    def plug_out(self):
        pass

    def take(self, data):
        return len(data)

    def peek(self):
        return b""

    def drop(self, count):
        pass


class Talker(Dead):
    """Another sketch: says a text ten times a second while somebody listens."""

    def __init__(self, text):
        super().__init__()
        self.text, self._out, self._alive = (text or "").encode(), b"", False

    def plug_in(self):
        self._alive = True
        threading.Thread(target=self._talk, daemon=True).start()

    def plug_out(self):
        with self.condition:
            self._alive, self._out = False, b""
            self.condition.notify_all()

    def peek(self):
        return self._out

    def drop(self, count):
        self._out = self._out[count:]

    def _talk(self):
        with self.condition:
            while self._alive:
                if len(self._out) < 4096:
                    self._out += self.text
                    self.condition.notify_all()
                self.condition.wait_for(lambda: not self._alive, 0.1)


class FakeCable(Dead):
    """A ``FakeBoard`` as the device of a terminal."""

    def __init__(self, board):
        self.board, self.condition = board, board._changed

    def take(self, data):
        self.board.receive(data)
        return len(data)

    def peek(self):
        return bytes(self.board._out)

    def drop(self, count):
        with self.condition:
            del self.board._out[:count]
