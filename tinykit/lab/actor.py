"""Somebody to record where nobody is: on a virtual board at rest a hand moves, or a synthesiser speaks."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from ..data import sample
from ..data.take import REST
from ..errors import DataError

_PAUSE_S = 0.7  # between the words of a long take


@contextmanager
def acting(board, sensor: str, label: str, person: str, session: str, number: int, long: bool = False):
    """While this is open, a virtual board feels the movement or hears the word; all of it is synthetic.

    Nothing is acted on a real board, where the source has been set, and for labels that nobody here
    knows. Afterwards the source is what it was, or what was put in its place meanwhile.

    Parameters
    ----------
    board : Board
    sensor : str
    label, person, session : str
        What is done, and in whose way.
    number : int
        Another number, another take.
    long : bool
        Say the word again and again.
    """
    machine = getattr(board, "machine", None)
    if machine is None or label.lower() in REST:
        yield
        return
    from ..board.virtual.turns import lend

    act = _speech if sensor == "mic" else _movement
    turn = lend(machine, lambda before: act(before, label, person or "ada", session, number, long))
    try:
        yield
    finally:
        turn.end()


def _movement(before, label, person, session, number, long):
    from ..board.virtual import Generator, Still

    if not isinstance(before, Still):
        return None
    try:
        return Generator(label, person=person, session=session, first=number)
    except DataError:  # a label of the student's own: there is no such movement to make up
        return None


def _speech(before, label, person, session, number, long):
    from ..board.virtual import SoundReplay, Together

    if callable(getattr(before, "sound", None)):
        return None  # it hears something already
    takes = _spoken(label, person)
    if not takes:
        return None
    if long:
        heard = SoundReplay(takes, loop=True, gap_s=_PAUSE_S)
    else:
        take = takes[number % len(takes)].counts()[:, 0]
        heard = SoundReplay(np.concatenate([np.zeros(1600, np.int16), take]))  # the take begins a little later
    return Together(before, heard)


@lru_cache(maxsize=8)
def _spoken(label: str, person: str) -> tuple:
    """Takes of the word in the voice that stands for the person."""
    words = sample("words").select(labels=label)
    if not len(words):
        return ()
    voice = words.persons[zlib.crc32(person.encode()) % len(words.persons)]
    return tuple(words.select(persons=voice))
