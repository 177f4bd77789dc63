"""A ``navigator.serial`` for a page without a board: its ports are virtual boards in this process.

    with Socket() as socket:                     # a USB socket at "the browser's computer"
        socket.put_into(page)                    # before the page is opened
        socket.unplug(); socket.replug()

The page's half keeps to the Web Serial specification where tinykit depends on it: a port has to be chosen after
a click, is remembered afterwards, is read through streams that hold so many bytes and no more, is lost with a
NetworkError, and can't be closed while a stream is locked. The bytes go over a web socket, and only as many
as the page has room for, so the board behind it has to wait as it has to on a cable.
"""

import asyncio
import itertools
import json
import queue
import threading
from pathlib import Path

_NAMES = itertools.count()

PAGE = Path(__file__).with_suffix(".js")


class Socket:
    """A USB socket with a virtual board in it; a context manager.

    Attributes
    ----------
    board : VirtualBoard
        With its own source, faults and power.
    opened : int
        How often a page opened the port.
    bytes : int
        That went to the page.
    """

    def __init__(self, **options):
        from tinykit.board.virtual import VirtualBoard
        from tinykit.board.virtual.line import USB_PACKET

        self.board = VirtualBoard(f"fake-serial-{next(_NAMES)}", **options)
        self.board.line.packet = USB_PACKET
        self.plugged, self.allowed, self.product = True, False, 0x805A
        self.opened = self.bytes = 0
        self.line = None
        self._pages = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="fake serial", daemon=True)

    def __enter__(self):
        self.board.power_on()
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_):
        self._do(self._end)
        self._thread.join(60)
        self.board.close()

    def put_into(self, page):
        """Give the page's browser this port, from its next page on."""
        page.context.add_init_script(PAGE.read_text(encoding="utf-8").replace("PORT", str(self.port)))

    def unplug(self):
        """Pull the cable."""
        self.plugged = False
        self.board.unplug()
        self._do(self._tell, "disconnect")

    def replug(self):
        """Put it in again; the board starts anew."""
        self.board.replug()
        self.plugged = True
        self._do(self._tell, "connect")

    # -- the server, on its thread -------------------------------------------------------------------

    def _do(self, call, *args):
        self._loop.call_soon_threadsafe(call, *args)

    def _serve(self):
        asyncio.run(self._run())

    async def _run(self):
        from tornado.httpserver import HTTPServer
        from tornado.netutil import bind_sockets
        from tornado.web import Application, RequestHandler
        from tornado.websocket import WebSocketHandler

        socket = self

        class Events(WebSocketHandler):
            check_origin = lambda self, origin: True  # noqa: E731

            def open(self):
                socket._pages.add(self)
                self.write_message(socket._state())

            def on_close(self):
                socket._pages.discard(self)

        class Port(WebSocketHandler):
            check_origin = lambda self, origin: True  # noqa: E731

            def open(self):
                if socket.line is not None or not socket.plugged:
                    return self.close()
                self.set_nodelay(True)
                self.line = socket.line = Line(socket, self)

            def on_message(self, message):
                if isinstance(message, bytes):
                    self.line.out.put(message)
                elif "more" in (asked := json.loads(message)):
                    self.line.room(asked["more"])
                else:
                    self.line.close()
                    self.close()

            def on_close(self):
                if getattr(self, "line", None):
                    self.line.close()

        class Allow(RequestHandler):
            def get(self):
                socket.allowed = True

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = HTTPServer(Application([("/events", Events), ("/port", Port), ("/allow", Allow)]))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        for page in list(self._pages):
            page.close()
        if self.line is not None:
            self.line.close()
        server.stop()
        await server.close_all_connections()

    def _end(self):
        self._stop.set()

    def _state(self, event=None):
        return json.dumps({"plugged": self.plugged, "allowed": self.allowed, "product": self.product, "event": event})

    def _tell(self, event):
        for page in self._pages:
            page.write_message(self._state(event))


class Line:
    """One opening of the port: two threads between the board's line and the page's web socket."""

    def __init__(self, socket, page):
        import serial

        from tinykit import board  # noqa: F401  (names virtual:// to pyserial)

        self.socket, self.page = socket, page
        self.port = serial.serial_for_url(f"virtual://nano33ble/{socket.board.name}", timeout=0.05, write_timeout=None)
        self.out, self._room, self._more = queue.Queue(), 0, threading.Condition()
        self._closed = False
        socket.opened += 1
        page.write_message("open")
        for work in (self._read, self._write):
            threading.Thread(target=work, name="fake serial line", daemon=True).start()

    def room(self, more):
        with self._more:
            self._room += more
            self._more.notify()

    def close(self):
        with self._more:
            self._closed = True
            self._more.notify()
        self.out.put(None)
        self.port.close()
        if self.socket.line is self:
            self.socket.line = None

    def _tell(self, what, binary=False):
        def tell():
            if not self._closed:
                self.page.write_message(what, binary)

        self.socket._do(tell)

    def _read(self):
        while not self._closed:
            with self._more:
                self._more.wait_for(lambda: self._room or self._closed)
                room = self._room
            if self._closed:
                return
            try:
                data = self.port.read(min(room, max(1, self.port.in_waiting)))
            except Exception:  # unplugged, or closed meanwhile
                self.socket._do(self.page.close)
                return
            if data:
                with self._more:
                    self._room -= len(data)
                self.socket.bytes += len(data)
                self._tell(data, True)

    def _write(self):
        while (data := self.out.get()) is not None:
            try:
                self.port.write(data)
            except Exception:
                return
            self._tell("taken")
