"""Exercises of lesson 09, from virtual to real."""

from __future__ import annotations

from ..check import Exercise, register
from ..judge import choice, function, number

register(
    Exercise(
        "09.differs",
        "What may differ",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "c",
            "Everything from the counts to the answer is whole numbers, the same on both. Only the time is another: "
            "the real chip measures it, the virtual one estimates it.",
            {
                "a": ("luck of the chip", "Then no test on this computer would tell anything about your board."),
                "b": (
                    "rounding",
                    "That is so with floats, which compilers may add up in another order. Here all are whole "
                    "numbers: there is no last digit.",
                ),
                "d": ("plan made anew", "The plan is sent as it is, and a checksum guards every byte on the way."),
            },
        ),
        (
            "From the counts to the answer: is there a float anywhere?",
            "What does the virtual board only estimate?",
        ),
        'letter = "c"',
        "So a difference in one single bit is an error, in the firmware, the compiler or the cable, and worth "
        "looking for.",
    )
)

_SKETCH, _LOADER = 0x805A, 0x005A
_ports = [
    ([("COM3", 0x6001, "A9"), ("COM7", _SKETCH, "77"), ("COM8", _SKETCH, "42")], "42"),
    ([("COM3", _LOADER, "42"), ("COM9", _SKETCH, "77")], "42"),
    ([("ttyACM0", _LOADER, "42"), ("ttyACM1", _SKETCH, "42"), ("ttyACM2", _SKETCH, "77")], "42"),
    ([], "42"),
]


def _again(ports, serial):
    return next((i for i, (_, pid, own) in enumerate(ports) if pid == _SKETCH and own == serial), -1)


register(
    Exercise(
        "09.port",
        "Find the board again",
        "Replace the `...` in `find_again`, and run the cell again.",
        function(
            _again,
            _ports,
            "The serial number belongs to the board, whatever its port is called now.",
            [
                (
                    lambda ports, serial: next((i for i, p in enumerate(ports) if p[2] == serial), -1),
                    "bootloader taken",
                    "Right board, but in one case it still waits in its bootloader (0x005A): no sketch answers there.",
                ),
                (
                    lambda ports, serial: next((i for i, p in enumerate(ports) if p[1] == _SKETCH), -1),
                    "any board",
                    "That takes the first Nano. In a classroom it may be the neighbour's: compare serial numbers.",
                ),
                (
                    lambda ports, serial: len(ports) - 1,
                    "newest port",
                    "The port that came last need not be yours: compare serial numbers.",
                ),
                (
                    lambda ports, serial: next((i for i, p in reversed(list(enumerate(ports))) if p[1] == _SKETCH), -1),
                    "newest port",
                    "The last Nano in the list need not be yours: compare serial numbers.",
                ),
            ],
            "Which entry has the product of a running sketch and the serial number?",
        ),
        (
            "Go through the list with `enumerate`. What must be true of the entry that you want?",
            "`pid == 0x805A and number == serial`; after the loop, −1.",
        ),
        "def find_again(ports, serial):\n"
        "    for place, (name, pid, number) in enumerate(ports):\n"
        "        if pid == 0x805A and number == serial:\n"
        "            return place\n"
        "    return -1",
        "tinykit does the same whenever a cable was pulled, and streams and widgets go on.",
    )
)

register(
    Exercise(
        "09.cable",
        "The light is on",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "b",
            "Power arrives, and nothing else, whatever the board: the cable has no wires for data. Many are made "
            "for charging only.",
            {
                "a": ("flash first", "Flashing goes through the port too, and there is none."),
                "c": ("rights", "Without rights the port is listed, and opening it is refused."),
                "d": (
                    "crash",
                    "A crashed sketch takes its own port away, not that of another board.",
                ),
            },
        ),
        (
            "Two boards fail alike. What have they in common?",
            "What does a light need of a USB cable, and what does a port need?",
        ),
        'letter = "b"',
        "Try the cheapest thing first: another cable, another socket, another board, and only then software.",
    )
)

register(
    Exercise(
        "09.stretch",
        "A window too long",
        "Set `seconds` in the cell, and run it again.",
        number(
            119 / 99.8,
            "119 / 99.8 = 1.192 s: the network would see each gesture a fifth quicker than it learnt it.",
            [
                (
                    99.8 / 119,
                    "upside down",
                    "That is under a second, but fewer samples a second take longer to fill it.",
                ),
                (1, "rate ignored", "A second of the other sensor. This one delivers 99.8 samples in it."),
                (1.19, "rate that was asked for", "That is with 100 a second, as asked for. Take what it delivers."),
                (119 * 99.8, "multiplied", "Samples over samples a second gives seconds."),
                (1192.4, "milliseconds", "Right, in milliseconds. The question asks for seconds."),
                (19.2, "only the difference", "How long does the whole window take?"),
            ],
            "How long does a sensor of 99.8 samples a second take for 119 of them?",
            tolerance=0.0005,
        ),
        ("One sample takes 1 / 99.8 s.", "The window has 119 of them."),
        "seconds = 119 / 99.8",
        "Nothing would say so: windows of the right size go in, labels come out, and are wrong more often.",
    )
)

register(
    Exercise(
        "09.notice",
        "Who notices?",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "d",
            "A small error moves many answers a little. Rounding, the best label and the accuracy all hide that.",
            {
                "a": ("accuracy", "It needs a window that changes sides. A step of one weight rarely does that."),
                "b": ("labels", "Finer than the accuracy, but a label changes only where two were nearly even."),
                "c": ("two digits", "A hundredth is more than two steps of 256: one step often stays hidden."),
            },
        ),
        (
            "Order them: which one throws away least of an answer?",
            "One step of an answer is 1/256. Which comparison sees a difference of one step?",
        ),
        'letter = "d"',
        "The same holds for any port of a program to another machine: compare what is exact, where it is exact.",
    )
)

register(
    Exercise(
        "09.arena",
        "An arena too small",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "c",
            "Memory is handed out in the arena when the sketch starts; what does not fit fails there, and only there.",
            {
                "a": ("compiler", "To the compiler it is an array of bytes. What will lie in it, it does not know."),
                "b": (
                    "linker",
                    "The linker complains of an arena that is too large for the chip. A small one pleases it.",
                ),
                "d": (
                    "silently wrong",
                    "TensorFlow Lite Micro counts what it hands out, and refuses. But the sketch must look at that.",
                ),
            },
        ),
        (
            "Who decides what lies where in the arena, and when?",
            "The compiler sees only `uint8_t arena[SIZE]`.",
        ),
        'letter = "c"',
        "A plan states its arena, so tinykit refuses one that does not fit before it is sent.",
    )
)

_lines = [
    ("0.02,-0.01,1.00,0.4,-0.2,0.0", 6),
    ("1.00,0.4,-0.2,0.0", 6),
    ("# TinyKit,text,on,at,119,Hz", 6),
    ("0.02,-0.01,1.00,oops,-0.2,0.0", 6),
    ("1,2,3", 3),
    ("", 3),
]


def _numbers(line, n):
    try:
        values = [float(part) for part in line.split(",")]
    except ValueError:
        return []
    return values if len(values) == n else []


def _those_that_are(line, n):
    values = []
    for part in line.split(","):
        try:
            values.append(float(part))
        except ValueError:
            pass
    return values


def _any_length(line, n):
    try:
        return [float(part) for part in line.split(",")]
    except ValueError:
        return []


register(
    Exercise(
        "09.line",
        "Read a line",
        "Replace the `...` in `numbers`, and run the cell again.",
        function(
            _numbers,
            _lines,
            "Whole lines only: one value that is missing would move all others into a neighbour's column.",
            [
                (
                    _any_length,
                    "cut line",
                    "A line that was cut has numbers too, but fewer: aZ would be read as aX. Count them.",
                ),
                (
                    _those_that_are,
                    "holes closed up",
                    "Leaving out what is no number moves all others into the wrong column. Drop the line.",
                ),
                (
                    lambda line, n: (_those_that_are(line, n) + n * [0.0])[:n],
                    "holes filled",
                    "That invents readings: zeros that no sensor gave. Drop the line.",
                ),
            ],
            "All parts numbers, and exactly `n` of them? Else an empty list.",
        ),
        (
            "`float(part)` raises a ValueError where a part is no number: `try` and `except` catch it.",
            "And compare `len(values)` with `n`: the first line after opening a port is often cut.",
        ),
        "def numbers(line, n):\n"
        "    try:\n"
        '        values = [float(part) for part in line.split(",")]\n'
        "    except ValueError:\n"
        "        return []\n"
        "    return values if len(values) == n else []",
        "Text has no sequence numbers and no checksum: what was lost on the way, nobody can tell. tinykit's frames "
        "have both.",
    )
)
