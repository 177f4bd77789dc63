"""Flash of the virtual board: the file that keeps it, and the controller that writes it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ...errors import BoardError
from ...files import write_whole
from .registers import registers

PAGE = 4096
FIRST, LAST = 0x50000, 0xF0000  # both slots
# nRF52840 product specification, section 6.1 (NVMC): at most 85 ms a page, 41 us a word.
ERASE_US, WORD_US = 85_000, 41
_ERASE_POLLS, _WORDS_A_POLL = 16, 8


class FlashFile:
    """The slots' 640 kB, in a file or only in memory.

    One process at a time: a second one that asks for the same file gets ``BlockingIOError``.

    Parameters
    ----------
    path : path or None
        Made (erased: all ones) when missing. None: nothing is kept.

    Raises
    ------
    BoardError
        Something else is there; it is left as it is.
    """

    def __init__(self, path=None):
        self.path = None if path is None else Path(path)
        self.data = bytearray(b"\xff" * (LAST - FIRST))
        self._file = self._lock = None
        if self.path is not None:
            self._check()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path.with_name(self.path.name + ".lock"))
            if self.path.exists():
                self.data[:] = self.path.read_bytes()
            else:
                write_whole(self.path, bytes(self.data))
            self._file = open(self.path, "r+b", buffering=0)

    def _check(self) -> None:
        """A wrong name in an address must not cost anybody a file."""
        if not self.path.exists():
            return
        size = self.path.stat().st_size if self.path.is_file() else None
        if size != len(self.data):
            what = "is no file" if size is None else f"has {size:,} bytes"
            raise BoardError(
                f"{self.path} {what}, and the flash of a virtual board has {len(self.data):,}.",
                "Name a file that is not there yet, or one that a virtual board wrote.",
            )

    def store(self, address: int, data: bytes) -> None:
        """Keep what is now at a flash address."""
        at = address - FIRST
        self.data[at : at + len(data)] = data
        if self._file is not None:
            self._file.seek(at)
            self._file.write(data)

    def close(self) -> None:
        """Give the file free."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class FlashController:
    """Erases pages and clears bits, in the time the chip needs, or fails.

    Parameters
    ----------
    core : Cortex
    file : FlashFile
    faults : Faults
    clock : Clock
        Time passes in it while the controller is busy (the chip's core is halted then).
    """

    def __init__(self, core, file: FlashFile, faults, clock):
        self._core, self.file, self.faults, self._clock = core, file, faults, clock
        self._names = registers()
        self.address = self.source = self.words = 0
        self.erases = self.writes = 0
        self.start()

    def start(self) -> None:
        """Power-on: what the file keeps is in flash."""
        self._core.flash[FIRST:LAST] = self.file.data
        self._work = None  # (command, address, bytes to write)
        self._polls = self._total = 1
        self._failed = False
        self.power = True

    @property
    def busy(self) -> bool:
        """Is it erasing or writing?"""
        return self._work is not None

    def command(self, command: int) -> None:
        """Begin to erase or to write; ``status`` brings it to its end."""
        names, address, size = self._names, self.address, 4 * self.words
        erase = command == names["FLASH_ERASE"]
        if erase:
            size = PAGE
        fits = FIRST <= address and address + size <= LAST and address % (PAGE if erase else 4) == 0
        known = erase or command == names["FLASH_WRITE"]
        self._failed = self.faults.full_flash or not fits or not known
        if self._failed:
            return
        data = b"" if erase else self._core.read(self.source, size)
        self._work = (erase, address, data)
        self._polls, self._total = 0, _ERASE_POLLS if erase else max(1, self.words // _WORDS_A_POLL)

    def status(self) -> int:
        """One look at the controller; the work goes on by a step, while there is power."""
        if not self.power:
            return self._names["FLASH_BUSY"]
        if self._work is not None:
            self._polls += 1
            erase, address, data = self._work
            self._clock.pass_us((ERASE_US if erase else WORD_US * len(data) / 4) / self._total)
            if self._polls < self._total:
                return self._names["FLASH_BUSY"]
            self._work = None
            if erase:
                self.erases += 1
                self._set(address, b"\xff" * PAGE)
            else:
                self.writes += len(data) // 4
                self._set(address, _and(self._core.read(address, len(data)), data))
        return self._names["FLASH_FAILED"] if self._failed else 0

    def tear(self, rng: np.random.Generator) -> None:
        """Power went away. Work in progress stays half done: a page with some bits set, a row of
        words of which the last has only some bits cleared."""
        if self._work is None:
            return
        erase, address, data = self._work
        done = (self._polls + rng.random()) / self._total
        if erase:
            old = np.frombuffer(self._core.read(address, PAGE), np.uint8)
            bits = rng.random((PAGE, 8)) < done
            self._set(address, (old | np.packbits(bits, axis=1).ravel()).astype(np.uint8).tobytes())
        else:
            whole = min(int(done * (len(data) // 4)), len(data) // 4 - 1) * 4
            torn = bytes(b | m for b, m in zip(data[whole : whole + 4], rng.bytes(4), strict=True))
            old = self._core.read(address, whole + 4)
            self._set(address, _and(old, data[:whole] + torn))
        self._work = None

    def _set(self, address: int, data: bytes) -> None:
        self._core.write(address, data)
        self.file.store(address, data)


def _and(a: bytes, b: bytes) -> bytes:
    return (np.frombuffer(a, np.uint8) & np.frombuffer(b, np.uint8)).tobytes()


def _lock(path: Path):
    """Open a lock file that only one process has at a time."""
    file = open(path, "a+b")
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise BlockingIOError(f"{path} is held by another program") from None
    return file
