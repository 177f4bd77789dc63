"""The parity lens with a board: its memory is read between the layers, and a fault in its flash is found."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from made import babble, make_listener

import tinykit as tk
from tinykit import engine
from tinykit.board import Board
from tinykit.engine.taps import taps
from tinykit.errors import BoardError, DeviceError, ModelError


@pytest.fixture
def board(tmp_path):
    url = f"virtual://nano33ble?clock=free&flash={(tmp_path / 'flash.bin').as_posix()}"
    with Board(url, remember=False) as board:
        yield board


def spoilt(plan, number):
    """A plan in which some weights of one op are others, and the checksum right again."""
    data = bytearray(plan.bytes)
    ops = struct.unpack_from("<I", data, 24)[0]
    op = data[ops + 96 * number : ops + 96 * (number + 1)]
    weights = struct.unpack_from("<I", op, 60)[0]
    for at in range(weights, weights + 16):
        data[at] ^= 0x35
    struct.pack_into("<I", data, 12, zlib.crc32(bytes(data[16:])))
    return replace(plan, bytes=bytes(data))


def test_the_board_agrees_layer_by_layer(board, old, windows):
    board.deploy(old, progress=False)
    report = tk.parity(old, windows[3], board)
    assert report.exact and report.first["host", "board"] is None and report.columns[-1] == "board"
    assert "float" in report.left_out and report.notes == ()
    assert report.equal[-1][0][-2:] == ("host", "board") and report.equal[-1][1] == 4
    answer = (engine.answers(old, windows[3:4])[0] + 128.0) / 256
    assert np.allclose(report.answers["board"], answer)
    # The window went through the board's own front end, and the arena is as it was before for the next run.
    assert np.array_equal(report.rows[0].values["board"], report.rows[0].values["host"])
    assert (board.answers(windows[:5]) == engine.answers(old, windows[:5])).all()


def test_a_weight_that_is_wrong_on_the_board_is_named(board, old, windows):
    plan = engine.compile_plan(old)
    for number in (1, 2):
        board.deploy(spoilt(plan, number), progress=False)
        report = tk.parity(old, windows[3], board)
        at = report.first["host", "board"]
        assert not report.exact and at.name == plan.ops[number].name
        assert at.layer.number == [t.step for t in taps(plan)].index(number)
        assert "The plan on the board is not the one compiled here: CRC" in at.why
        assert all(d is None or d.equal for d in report.differences["host", "board"][: at.layer.number])


def test_a_word_goes_through_the_boards_own_front_end(board):
    listener = make_listener("ear", seed=4)
    board.deploy(listener, progress=False)
    report = tk.parity(listener, babble(1.0, seed=5), board)
    assert report.exact and report.first["host", "board"] is None
    assert len(np.unique(report.rows[0].values["board"])) > 20


def test_a_bare_network(board, old):
    network = old.int8_model
    board.deploy(engine.compile_network(network, "bare"), progress=False)
    x = np.random.default_rng(2).integers(-128, 128, (60, 6, 1)).astype(np.int8)
    report = tk.parity(network, x, board)
    assert report.exact and np.array_equal(report.rows[0].values["board"].ravel(), x.ravel())


def test_what_is_refused(board, old, new, windows):
    with pytest.raises(ModelError, match="The board runs nothing, not this old"):
        tk.parity(old, windows[0], board)
    board.deploy(new, progress=False)
    with pytest.raises(ModelError, match="The board runs new of .* Deploy it first"):
        tk.parity(old, windows[0], board)
    with pytest.raises(DeviceError) as caught:
        board.inside(np.zeros((60, 6, 1), np.int8), [(99, 0, 4)])
    assert caught.value.name == "bad_argument" and caught.value.detail == len(engine.compile_plan(new).ops)
    with board.live() as live:
        live.next()
        report = tk.parity(new, windows[0], board)  # live predictions pause meanwhile
        assert report.exact and live.next()


def test_an_old_firmware_is_told_from_a_fault(board, old, windows, monkeypatch):
    board.deploy(old, progress=False)
    request = board._link.request

    def without(type_, payload=b"", *rest, **more):
        return request(0x3F if type_ == 0x15 else type_, payload, *rest, **more)

    monkeypatch.setattr(board._link, "request", without)
    with pytest.raises(BoardError, match="firmware is too old"):
        board.inside(windows[0], [(0, 0, 4)], window=True)
    report = tk.parity(old, windows[0], board)
    assert "too old" in report.left_out["board"] and report.exact
