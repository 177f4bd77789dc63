"""Flashing, to press: what would be written to the board, the steps, and what to do when one fails."""

from __future__ import annotations

import time

from .. import look
from .stepped import Stepped, words_of
from .widget import module, sheet, source_html

STEPS = {"download": "Get Arduino's tools", "compile": "Compile", "upload": "Write", "restart": "Restart"}


class FlashView(Stepped):
    """Offers to write the TinyKit firmware to a board; made by ``tk.lab.flash``, and by ``tk.connect``.

    Nothing is written before the button is pressed.

    Attributes
    ----------
    flashed : Flashed or None
        What the button did.
    """

    _esm = module("flash", "steps")
    _css = sheet("deploy")
    title = "Flash"

    def __init__(self, port=None, why: str = "", then: str = ""):
        from ..board import firmware, ports
        from ..board.port import same_port

        address = getattr(port, "port", None) or getattr(port, "address", None) or port
        place = next((p for p in ports() if address and same_port(p.address, address)), None)
        self.port, self._then = port, then
        self.flashed = None
        self._text = ""
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

    def status(self) -> dict:
        if self._busy:
            kind, text = "run", f"{time.monotonic() - self._began:.0f} s"
        else:
            over = ("bad", "failed") if self._failed else ("none", "not yet")
            kind, text = ("ok", "flashed") if self.flashed else over
        return {"link": {"kind": kind, "text": text}, "note": None}

    def state(self) -> dict:
        facts = f"firmware {self.config['version']} of this tinykit, with your own arduino-cli"
        return {"text": self._text, "done": self.flashed is not None, "facts": facts}

    def on_flash(self, content, buffers) -> None:
        """The button."""
        self.press(self.flash)

    def flash(self):
        """Flash the board, as the button does; returns what ``tk.flash`` returns, and raises what it raises."""
        from ..board import flash

        with self.doing():
            self.flashed = None
            try:
                done = flash(self.port, progress=self._progress)
            finally:
                self._text = ""
            self._step, self.flashed = len(STEPS), done
            self.head = {**self.head, "name": done.board, "port": done.port}
            kept = f" Still deployed: {', '.join(done.pipelines)}." if done.pipelines else ""
            what = f"Firmware {done.firmware} runs on {done.port}."
            self.ended("ok", what, f"It took {done.seconds:.0f} s.{kept}", self._then)
            return done

    def _progress(self, step: str, text: str) -> None:
        if step != "look":  # before the first of them
            self._step = list(STEPS).index("upload" if step == "reset" else step)
        if step == "reset":
            what = "The board does not restart by itself: its sketch has crashed."
            way = "press its reset button twice, quickly. The orange light breathes, and this goes on by itself."
            self.ended("warn", what, "", way)
        elif step == "upload" and self._text != text:
            self._result = None
        self._text, self._changed = text, True

    def fail_words(self, error: Exception) -> None:
        what, next = words_of(error)
        self.ended("bad", what, "" if self._step >= 2 else "Nothing was written to the board.", next)
        self._report = f"{error}\n\n{getattr(error, 'report', '')}".strip()

    def snapshot(self) -> look.Html:
        why = look.note("none", look.esc(self.config["why"]), "") if self.config["why"] else ""
        facts = look.esc(self.state()["facts"])
        body = f"{why}{self.result_html()}"
        return look.card(self.title, source_html(self.head), body, facts, state=("none", "still picture"))


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
