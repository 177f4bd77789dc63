"""All that a notebook does, from a terminal: ``tinykit COMMAND --help`` says more.

Numbers that a program would read come with ``--json``, one object on standard output; progress and
complaints go to standard error. Exit status: 0 done, 1 refused (one sentence says why), 2 wrong words.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from .. import __version__
from ..errors import TinykitError
from . import commands as does
from . import common, firmware
from .common import number


def main(argv=None) -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments) or 0
    except TinykitError as error:
        return _refuse(arguments, error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # whatever the system says no to, and no room has put into words
        what = f"{error.filename}: {error.strerror}." if error.filename and error.strerror else f"{error}."
        return _refuse(arguments, TinykitError(what, "Check the name, its rights and the free space."))
    except KeyboardInterrupt:
        common.note("tinykit: stopped.")
        return 130


def _refuse(arguments, error):
    if getattr(arguments, "json", False):
        print(json.dumps({"error": type(error).__name__, "what": error.what, "next": error.next}))
    common.note(f"tinykit: {error}")
    return 1


def _parser():
    parser = argparse.ArgumentParser(prog="tinykit", description="TinyML from sensor to live prediction.")
    parser.add_argument("--version", action="version", version=f"tinykit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, name=None):
        text = function.__doc__.splitlines()[0]
        words = commands.add_parser(name or function.__name__, help=text, description=text)
        words.add_argument("--json", action="store_true", help="one JSON object instead of text")
        words.set_defaults(command=function)
        return words

    def board(words, default=None, text="port of the board, or virtual://nano33ble"):
        words.add_argument("--board", "--port", dest="board", metavar="URL", default=default, help=text)

    def data(words, required=True):
        text = "a tinykit dataset or another known format"
        words.add_argument("--data", required=required, metavar="DIR", help=text)
        text = "background noise: recordings to mix in and for silence (default: what lies in or beside DIR)"
        words.add_argument("--noise", metavar="DIR", help=text)

    words = command(does.doctor)
    words.add_argument("--mend", action="store_true", help="offer to mend what can be mended, one question each")
    words.add_argument("--yes", action="store_true", help="mend it without asking")

    command(does.ports)

    board(command(does.info))

    words = command(firmware.flash)
    board(words, text="port of the board (default: the Nano that is plugged in)")
    words.add_argument("--check", action="store_true", help="say what would be done, and do nothing")
    text = "board package (default: TINYKIT_FQBN, else arduino:mbed_nano:nano33ble)"
    words.add_argument("--fqbn", metavar="PACKAGE:ARCHITECTURE:BOARD", help=text)
    text = "seconds to wait for two presses of reset, where a crashed sketch needs them (default: 60)"
    words.add_argument("--wait", type=number(float, 0), default=60.0, metavar="SECONDS", help=text)
    words.add_argument("--verbose", action="store_true", help="all that arduino-cli said, when it fails")

    words = command(does.train)
    words.add_argument("kind", choices=["gesture", "keyword"], help="what to train")
    data(words)
    words.add_argument("--out", required=True, metavar="FILE.tk")
    words.add_argument("--seed", type=number(int, 0, 2**32 - 1), default=0)
    words.add_argument("--model", default="auto", help="name from the zoo (default: auto)")
    words.add_argument("--epochs", type=number(int, 1))
    words.add_argument("--words", metavar="W,W,...", help="keywords to tell from all other words (default: all)")
    words.add_argument("--leave-out", nargs="+", default=[], metavar="PERSON", help="persons not to train on")

    words = command(does.evaluate)
    words.add_argument("file", metavar="FILE.tk")
    data(words, required=False)
    words.add_argument("--part", choices=["all", "training", "validation", "testing"], default="all")
    text = "other words among the clips: as many as a keyword has, or all"
    words.add_argument("--unknown", choices=["balanced", "all"], default="balanced", help=text)
    words.add_argument("--stream", metavar="FILE.wav", help="a long recording instead of clips")
    words.add_argument("--labels", metavar="FILE.csv", help="what is said in it: start_s,end_s,label")
    board(words, text="ask the board for the answers (default: the same C code on this computer)")

    words = command(does.run)
    words.add_argument("model", metavar="MODEL.tflite")
    words.add_argument("--input", required=True, metavar="X.npy")
    words.add_argument("--output", required=True, metavar="Y.npy")
    board(words, common.VIRTUAL)

    words = command(does.cost)
    words.add_argument("file", metavar="MODEL.tflite|FILE.tk")
    text = "board that it is to fit: nano33ble (default), microbit-v2, nicla-sense-me, nucleo-l432kc, m4f-32k"
    words.add_argument("--on", metavar="BOARD", default="nano33ble", help=text)
    text = "seconds from one answer to the next (default: the pipeline's hop)"
    words.add_argument("--every", type=number(float, 0, above=True), metavar="SECONDS", help=text)
    words.add_argument("--layers", action="store_true", help="the table of layers alone")
    words.add_argument("--arena", action="store_true", help="who lives where in the arena, and when")
    words.add_argument("--battery", metavar="NAME", help="days on cr2032, 2xaa or lipo400")
    words.add_argument("--sensor", choices=["mic", "imu"], help="with --battery: on all the time")
    words.add_argument("--html", metavar="FILE", help="write table and pictures as a page")

    words = command(does.parity)
    words.add_argument("file", metavar="FILE.tk|MODEL.tflite")
    words.add_argument("--data", metavar="DIR", help="recordings to take the window from (default: noise)")
    words.add_argument("--input", metavar="X.npy", help="inputs of the network instead")
    words.add_argument("--take", type=number(int, 0), default=0, metavar="N", help="which of them, from 0 (default: 0)")
    text = "deploy to this board and look at its memory as well (without URL: the virtual board)"
    words.add_argument("--board", "--port", dest="board", metavar="URL", nargs="?", const=common.VIRTUAL, help=text)

    words = command(does.deploy)
    words.add_argument("file", metavar="FILE.tk")
    board(words)

    words = command(does.text)
    board(words)
    words.add_argument("--sensor", default="imu", help="as `tinykit info` names it (default: imu)")
    words.add_argument("--seconds", type=number(float, 0, above=True))
    text = "print nothing here, but leave the board printing for another program"
    words.add_argument("--leave", action="store_true", help=text)

    words = command(does.serve)
    board(words, common.VIRTUAL, text="which virtual board: virtual://nano33ble[/NAME][?sensor=BMI270&...]")
    words.add_argument("--link", metavar="PATH", help="a name for its port that stays (default: the system's name)")
    words.add_argument("--text", action="store_true", help="readings in plain text, as after `tinykit text`")
    words.add_argument("--seconds", type=number(float, 0, above=True))
    words.add_argument("--replay", metavar="DIR|FILE", help="what it feels or hears: a dataset or sound file")

    words = command(does.export)
    words.add_argument("kind", choices=["arduino", "c"], help="a sketch on TensorFlow Lite Micro, or a C99 program")
    words.add_argument("file", metavar="FILE.tk")
    words.add_argument("folder", metavar="DIR", help="new, empty, or an earlier export; it gives a sketch its name")

    words = command(does.listen)
    words.add_argument("file", nargs="?", metavar="FILE.tk", help="deploy this first")
    board(words)
    words.add_argument("--seconds", type=number(float, 0, above=True))
    words.add_argument(
        "--replay", metavar="DIR|FILE", help="what a virtual board feels or hears: a dataset or sound file"
    )
    return parser
