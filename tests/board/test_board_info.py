"""What a board says of its firmware, and plans that an older firmware can't run."""

import dataclasses
import struct

import pytest

from tinykit.board import connect
from tinykit.board.info import BoardInfo
from tinykit.board.virtual.image import board_image
from tinykit.engine import compile_plan
from tinykit.engine.cortex import RAM_BASE
from tinykit.engine.elf import read_elf
from tinykit.engine.plan import FORMAT
from tinykit.engine.step import KINDS
from tinykit.errors import BoardError

OLD = (
    b"firmware=0.1.0\nprotocol=1\nboard=Nano\nvirtual=0\nid=1\nsensors=\nfree_ram=1\narena=131072\nslot_bytes=323584\n"
)


@pytest.fixture(scope="module")
def board():
    with connect("virtual://nano33ble/info?flash=memory&clock=free") as board:
        yield board


def test_the_firmware_says_how_big_it_is(board):
    image = read_elf(board_image())
    assert board.info.flash == sum(len(segment.data) for segment in image.segments)
    ends = [at + size for at, size in image.sections.values() if at >= RAM_BASE]
    assert board.info.ram == max(ends) - RAM_BASE
    assert board.info.arena < board.info.ram < 256 * 1024 and f"{board.info.flash:,} bytes of flash" in str(board.info)


def test_the_firmware_says_what_it_can_run(board):
    assert board.info.plan_format == FORMAT
    assert board.info.kinds == tuple(sorted(KINDS.values())) and set(board.info.kernels) == set(KINDS)
    assert board.info.as_dict()["kernels"] == list(board.info.kernels)


def test_an_old_firmware_has_the_first_twelve_kernels():
    info = BoardInfo.parse(OLD)
    assert (info.plan_format, info.kinds, info.flash) == (1, tuple(range(1, 13)), 0)
    assert "of unknown size" in str(info) and "lacks" in str(info)


def test_kinds_are_numbers_and_ranges_and_nothing_else():
    assert BoardInfo.parse(OLD + b"kinds=1-3,7,x,9-,-4,11-12\n").kinds == (1, 2, 3, 7, 9, 11, 12)


def test_a_plan_for_a_kernel_that_is_not_there_is_refused_by_name(board, old):
    plan = compile_plan(old)
    missing = plan.ops[-1]
    kinds = tuple(k for k in board.info.kinds if k != KINDS[missing.kind])
    words = f"firmware 0.*has no kernel {missing.kind}, which layer {missing.name} of old needs.*tk.flash"
    with pytest.raises(BoardError, match=words):
        dataclasses.replace(board.info, kinds=kinds).require_plan(plan)
    board.info.require_plan(plan)


def test_nothing_is_sent_that_the_firmware_can_not_run(board, old, monkeypatch):
    monkeypatch.setattr(board._shelf, "info", dataclasses.replace(board.info, kinds=(1,)))
    before = [(slot.state, slot.crc) for slot in board.slots]
    with pytest.raises(BoardError, match="has no kernel"):
        board.deploy(old, progress=False)
    assert [(slot.state, slot.crc) for slot in board.slots] == before


@pytest.mark.parametrize(("step", "way"), [(-1, "tk.flash"), (1, "Install the tinykit")])
def test_another_format_of_plans_is_refused_both_ways(board, old, step, way):
    plan = compile_plan(old)
    assert struct.unpack_from("<H", plan.bytes, 4) == (FORMAT,)
    info = dataclasses.replace(board.info, plan_format=FORMAT + step)
    with pytest.raises(BoardError, match=f"format {FORMAT + step}, this tinykit writes format {FORMAT}.*{way}"):
        info.require_plan(plan)
