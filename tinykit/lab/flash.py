"""Flashing, to press: what would be written to the board, the steps, and what to do when one fails."""

from __future__ import annotations

import threading
import time

from .. import look
from ..errors import TinykitError
from .widget import LabWidget, module, sheet, source_html

STEPS = {"download": "Get Arduino's tools", "compile": "Compile", "upload": "Write", "restart": "Restart"}


class FlashView(LabWidget):
    """Offers to write the TinyKit firmware to a board; made by ``tk.lab.flash``, and by ``tk.connect``.

    Nothing is written before the button is pressed.

    Attributes
    ----------
    flashed : Flashed or None
        What the button did.
    """

    _esm = module("flash")
    _css = sheet("deploy")
    title = "Flash"

    def __init__(self, port=None, why: str = "", then: str = ""):
        from ..board import firmware, ports
        from ..board.port import same_port

        address = getattr(port, "port", None) or getattr(port, "address", None) or port
        place = next((p for p in ports() if address and same_port(p.address, address)), None)
        self.port, self._then = port, then
        self.flashed = None
        self._step, self._text, self._failed, self._busy = -1, "", False, False
        self._began = self._stepped = 0.0
        self._result: dict | None = None
        self._report = ""
        self._lock = threading.Lock()
        self._changed = True
        head = {
            "name": place.what if place else "Nano 33 BLE Sense",
            "port": address or "",
            "virtual": False,
            "pic": "",
        }
        version = firmware.shipped()
        config = {"steps": list(STEPS.values()), "why": why, "version": version}
        super().__init__(None, config, head)
        self.run()

    def flush(self) -> None:
        if self.unseen():
            return
        if self.fresh() or self._changed:
            self._changed = False
            self.tell("state", **self._state())
        if self.due():
            kind, text = self._where()
            self.tell("status", link={"kind": kind, "text": text}, note=None)

    def _where(self) -> tuple[str, str]:
        if self._busy:
            return "run", f"{time.monotonic() - self._began:.0f} s"
        return ("ok", "flashed") if self.flashed else ("bad", "failed") if self._failed else ("none", "not yet")

    def _state(self) -> dict:
        return {
            "step": self._step, "busy": self._busy, "failed": self._failed, "text": self._text,
            "done": self.flashed is not None, "result": self._result, "report": self._report,
            "facts": f"firmware {self.config['version']} of this tinykit, with your own arduino-cli",
        }  # fmt: skip

    def on_flash(self, content, buffers) -> None:
        """The button: flash on a thread of its own; a second press while that goes on is none."""
        if self._busy:
            return
        self._busy, self._began = True, time.monotonic()
        self.work("flash", self._flash_shown)

    def _flash_shown(self) -> None:
        try:
            self.flash()
        except TinykitError:
            pass  # shown in the widget with its way out, by ``_fail``

    def flash(self):
        """Flash the board, as the button does; returns what ``tk.flash`` returns, and raises what it raises."""
        from ..board import flash

        with self._lock:
            self.flashed = self._result = None
            self._failed, self._busy, self._step, self._report = False, True, -1, ""
            self._began, self._changed = time.monotonic(), True
            try:
                self.flashed = flash(self.port, progress=self._progress)
                self._step = len(STEPS)
                done = self.flashed
                self.head = {**self.head, "name": done.board, "port": done.port}
                kept = f" Still deployed: {', '.join(done.pipelines)}." if done.pipelines else ""
                self._result = {
                    "kind": "ok", "what": f"Firmware {done.firmware} runs on {done.port}.",
                    "text": f"It took {done.seconds:.0f} s.{kept}", "next": self._then,
                }  # fmt: skip
                return done
            except Exception as error:
                self._fail(error)
                raise
            finally:
                self._busy, self._changed = False, True
                self._text = ""

    def _progress(self, step: str, text: str) -> None:
        if step != "look":  # before the first of them
            self._step = list(STEPS).index("upload" if step == "reset" else step)
        if step == "reset":
            self._result = {
                "kind": "warn", "what": "The board does not restart by itself: its sketch has crashed.", "text": "",
                "next": "press its reset button twice, quickly. The orange light breathes, and this goes on by itself.",
            }  # fmt: skip
        elif step == "upload" and self._text != text:
            self._result = None
        self._text, self._changed = text, True

    def _fail(self, error: Exception) -> None:
        self._failed = True
        known = isinstance(error, TinykitError)
        self._result = {
            "kind": "bad", "what": error.what if known else f"{type(error).__name__}: {error}",
            "text": "" if self._step >= 2 else "Nothing was written to the board.", "next": error.next if known else "",
        }  # fmt: skip
        self._report = f"{error}\n\n{getattr(error, 'report', '')}".strip()

    def snapshot(self) -> look.Html:
        body = look.note("none", look.esc(self.config["why"]), "") if self.config["why"] else ""
        if self._result:
            text = look.Html(f"<b>{look.esc(self._result['what'])}</b> {look.esc(self._result['text'])}")
            body += look.note(self._result["kind"], text, self._result.get("next", ""))
        return look.card(
            self.title, source_html(self.head), body, look.esc(self._state()["facts"]), state=("none", "still picture")
        )


def flash(port=None) -> FlashView:
    """Offer to write the TinyKit firmware to a board; nothing happens before the button is pressed.

    Parameters
    ----------
    port : str, Port or Board, optional
        As for ``tk.flash``, which does the same at once.

    Returns
    -------
    FlashView
        ``.flash()`` does what the button does; ``.flashed`` is what came of it.
    """
    return FlashView(port)
