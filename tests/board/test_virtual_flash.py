"""Flash of the virtual board, and what a power cut leaves of it."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from probe_board import Probe

from tinykit.board.virtual import Faults, FlashFile
from tinykit.board.virtual.flash import FIRST, LAST, PAGE
from tinykit.errors import BoardError, PortBusy

A = 0x50000


def words(*values):
    return struct.pack(f"<{len(values)}I", *values)


def write(probe, address, *values):
    return probe.number("W", address, len(values), data=words(*values))


def read(probe, address, size):
    return probe.ask("R", address, size, size=size)


def test_write_clears_bits_and_erase_sets_them():
    with Probe() as probe:
        assert read(probe, A, 16) == b"\xff" * 16
        assert write(probe, A, 0x12345678, 0xFFFF0000) == 0
        assert read(probe, A, 12) == words(0x12345678, 0xFFFF0000, 0xFFFFFFFF)
        assert write(probe, A, 0xFF00FF00, 0x0F0F0F0F) == 0
        assert read(probe, A, 8) == words(0x12345678 & 0xFF00FF00, 0xFFFF0000 & 0x0F0F0F0F)
        assert write(probe, A + PAGE, 7) == 0
        assert probe.number("E", A) == 0
        assert read(probe, A, PAGE + 4) == b"\xff" * PAGE + words(7)  # the page, and only the page


@pytest.mark.parametrize("address", [0x10000, 0x4FFFC, 0xF0000, 0xFF000, 0x20000000, A + 1, A + 2])
def test_writes_outside_the_slots_or_unaligned_fail(address):
    with Probe() as probe:
        before = bytes(probe.board.core.flash)
        assert write(probe, address, 0) == 1
        assert bytes(probe.board.core.flash) == before


@pytest.mark.parametrize("address", [0x4F000, 0xF0000, A + 4, A + 2048])
def test_erases_outside_the_slots_or_unaligned_fail(address):
    with Probe() as probe:
        assert write(probe, A, 0) == 0
        before = bytes(probe.board.core.flash)
        assert probe.number("E", address) == 1
        assert bytes(probe.board.core.flash) == before


def test_the_last_word_of_the_slots_can_be_written():
    with Probe() as probe:
        assert write(probe, LAST - 4, 5) == 0
        assert write(probe, LAST - 4, 5, 5) == 1
        assert read(probe, LAST - 4, 4) == words(5)


def test_full_flash_refuses_and_recovers():
    with Probe(faults=Faults(full_flash=True)) as probe:
        assert write(probe, A, 0) == 1
        assert probe.number("E", A) == 1
        assert read(probe, A, 4) == b"\xff" * 4
        probe.board.faults.full_flash = False
        assert write(probe, A, 0) == 0


def test_flash_takes_the_time_of_the_chip():
    with Probe() as probe, probe.board.hold():
        before = probe.number("t")
        probe.number("E", A)
        erased = probe.number("t")
        write(probe, A, *range(100))
        written = probe.number("t")
    assert 85_000 <= erased - before < 85_200
    assert 41 * 100 <= written - erased < 41 * 100 + 500


def test_flash_survives_power_and_processes(tmp_path):
    path = tmp_path / "board.flash"
    with Probe(flash=path) as probe:
        write(probe, A, 1, 2, 3)
        probe.board.reboot()
        probe.open()
        assert read(probe, A, 12) == words(1, 2, 3)
        write(probe, LAST - 8, 8, 9)
    with Probe(flash=path) as probe:
        assert read(probe, A, 12) == words(1, 2, 3)
        assert read(probe, LAST - 8, 8) == words(8, 9)
    assert path.read_bytes()[:12] == words(1, 2, 3)
    assert len(path.read_bytes()) == LAST - FIRST


def test_ram_does_not_survive():
    with Probe() as probe:
        probe.port.write(b"s" + words(1 << 30))  # a stream that would not end
        probe.port.read(20)
        probe.board.reboot()
        probe.open()
        assert probe.ask("p") == b"pong"


def test_a_flash_file_has_one_owner(tmp_path):
    path = tmp_path / "board.flash"
    with Probe(flash=path):
        with pytest.raises(PortBusy, match="in use"):
            Probe(flash=path)
        # ... among processes too
        program = f"from tinykit.board.virtual import FlashFile; FlashFile({str(path)!r})"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert "BlockingIOError" in done.stderr
    FlashFile(path).close()


def test_a_file_that_is_no_flash_is_left_alone(tmp_path):
    path = tmp_path / "other.bin"
    path.write_bytes(words(1, 2))
    with pytest.raises(BoardError, match="8 bytes"):
        FlashFile(path)
    assert path.read_bytes() == words(1, 2)


# -- power cuts --------------------------------------------------------------------------------


def cut(after, letter=b"F", seed=0):
    """Flash of slot A's first page after a cut, where it hit, and the instructions up to it."""
    with Probe(faults=Faults(seed=seed)) as probe, probe.board.hold():
        probe.ask("p")
        assert probe.board.wait_until_idle()
        probe.board.power_cut(after)
        probe.port.write(letter)
        assert probe.board.wait_for_cut(60)
        stepped = probe.board.core.stepped
        return bytes(probe.board.core.flash[A : A + PAGE]), probe.board.last_cut, stepped


def test_cut_is_exact_and_repeatable():
    for after in (1, 50, 1234, 20_000):
        one, two = cut(after), cut(after)
        assert one == two
        assert one[2] == after


def test_cut_one_instruction_later_is_one_instruction_further():
    # In a row of cuts, each stops at another place of the program or later in its loop.
    places = [cut(n)[1] for n in range(400, 408)]
    assert len(set(places)) > 3


def test_cuts_leave_torn_pages_and_words():
    """The sketch writes zeros over the whole page and erases it again, for ever."""
    whole_writes = whole_erases = torn_rows = torn_pages = 0
    for after in np.linspace(300, 12_000, 60).astype(int):
        page = np.frombuffer(cut(int(after), seed=int(after))[0], "<u4")
        if np.all(page == 0):
            whole_writes += 1
        elif np.all(page == 0xFFFFFFFF):
            whole_erases += 1
        else:
            zeros = int(np.argmax(page != 0))  # words written before the cut
            if np.all(page[zeros + 1 :] == 0xFFFFFFFF):
                torn_rows += 1
            else:
                torn_pages += 1
                ones = np.unpackbits(page.view(np.uint8)).mean()
                assert 0.0 < ones < 1.0
    assert torn_rows and torn_pages, (whole_writes, whole_erases, torn_rows, torn_pages)


def test_board_boots_after_a_cut_and_keeps_its_flash():
    with Probe() as probe:
        write(probe, A + PAGE, 0xCAFE)
        probe.board.power_cut(0)
        assert probe.board.wait_for_cut(10)
        assert probe.board.state == "off"
        probe.board.power_on()
        probe.open()
        assert read(probe, A + PAGE, 4) == words(0xCAFE)
        assert "Power was cut after 0 instructions" in probe.board.log[-1]
        # and runs at full speed again: no limit is left
        assert not probe.board.core.limit_reached
        probe.number("c", 100_000)
