import threading
import time

import numpy as np
import pytest
from fake_port import FakeBoard, corrupt, drop, settle, wait_until

from tinykit.board import messages as m
from tinykit.board.frame import encode
from tinykit.board.link import Link
from tinykit.board.log import EventLog
from tinykit.board.stream import Sensor, Stream
from tinykit.errors import BoardError, BoardGone, DeviceError, LinkError, PortBusy

CHANNELS = ("aX", "aY", "aZ", "gX", "gY", "gZ")


@pytest.fixture
def sensor(link):
    sensor = Sensor(link, 0, "imu", 119.0, CHANNELS, link.log)
    link.on_restore(sensor._restore)
    return sensor


# -- asking ------------------------------------------------------------------------------------


def test_a_request_is_answered(link):
    assert link.request(m.ECHO, b"hello") == b"hello"


def test_a_lost_request_is_repeated_with_the_same_number(board, link):
    board.ignore = 2
    assert link.request(m.ECHO, b"again", timeout=0.2) == b"again"
    assert len({frame.seq for frame in board.requests if frame.type == m.ECHO}) == 1
    assert link.counters.repeated >= 2


def test_a_late_reply_to_an_older_request_is_not_taken(board, link):
    board.ignore = 99
    with pytest.raises(LinkError, match="did not answer 'echo' in 2 tries"):
        link.request(m.ECHO, b"old", timeout=0.02, tries=2)
    late = encode(m.ECHO | m.REPLY, board.requests[-1].seq, b"old")
    board.ignore = 0
    board.send(late)
    assert link.request(m.ECHO, b"new") == b"new"


def test_errors_of_the_device_have_its_name_for_them(link):
    with pytest.raises(DeviceError, match="refused 'time': unknown_request") as caught:
        link.request(m.TIME)
    assert caught.value.name == "unknown_request" and caught.value.detail == 7


def test_many_threads_ask_at_once(link):
    wrong = []

    def ask(n):
        for i in range(50):
            text = b"%d/%d" % (n, i)
            if link.request(m.ECHO, text) != text:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_requests_get_through_with_one_percent_of_the_bytes_corrupted(board, link):
    board.tamper = corrupt(0.01)
    for i in range(200):
        assert link.request(m.ECHO, b"number %d" % i, timeout=0.1, tries=30) == b"number %d" % i
    assert link.counters.repeated > 0 and link.decoder.damaged > 0


def test_a_burst_is_answered_in_order_with_some_on_their_way_at_once(board, link):
    answer, waiting = board.answer, []

    def six_at_once(frame):  # who waits for each reply before the next request gets none
        waiting.append(answer(frame))
        if len(waiting) < 6 and frame.payload not in (b"number 199", b"after"):
            return b""
        replies = b"".join(waiting)
        waiting.clear()
        return replies

    board.answer = six_at_once
    calls = [(m.ECHO, b"number %d" % i) for i in range(200)]
    assert link.burst(calls, timeout=3) == [payload for _, payload in calls]
    assert link.request(m.ECHO, b"after") == b"after"
    assert len({frame.seq for frame in board.requests[-201:]}) == 201


def test_a_burst_says_which_were_lost_and_late_replies_answer_nothing_else(board, link):
    board.ignore = 1
    assert link.burst([(m.ECHO, b"lost"), (m.ECHO, b"came"), (m.ECHO, b"too")], timeout=30) == [None, b"came", b"too"]
    # It knows no TIME.
    assert link.burst([(m.ECHO, b"a"), (m.TIME, b""), (m.ECHO, b"b")], timeout=30) == [b"a", None, b"b"]
    board.ignore = 1
    assert link.burst([(m.ECHO, b"lost")], timeout=0.05) == [None]
    board.send(encode(m.ECHO | m.REPLY, board.requests[-1].seq, b"lost"))
    assert link.request(m.ECHO, b"after") == b"after"


def test_bursts_on_a_noisy_line_are_right_or_nothing(board, link):
    board.tamper = corrupt(0.002)
    calls = [[(m.ECHO, b"%d/%d" % (n, i)) for i in range(10)] for n in range(40)]
    outcomes = [(payload, got) for some in calls for (_, payload), got in zip(some, link.burst(some, 0.2), strict=True)]
    assert 0 < sum(got is None for _, got in outcomes) < 100
    assert all(got in (None, payload) for payload, got in outcomes)


def test_a_burst_ends_when_the_board_goes(board, link):
    answer = board.answer
    board.answer = lambda frame: board.unplug() or b"" if frame.payload == b"5" else answer(frame)
    assert link.burst([(m.ECHO, b"%d" % i) for i in range(9)], timeout=30)[5:] == [None] * 4
    with pytest.raises(BoardGone):
        link.burst([(m.ECHO, b"")], timeout=0.05)


def test_a_handler_must_not_ask(board, link):
    caught = []

    def handler(frame):
        try:
            link.request(m.ECHO)
        except RuntimeError as error:
            caught.append(error)

    link.on(m.LOG, handler)
    board.send(encode(m.LOG, 1, b"hi"))
    wait_until(lambda: caught)


def test_a_failing_handler_does_not_stop_the_reader(board, link):
    link.on(m.LOG, lambda frame: 1 / 0)
    board.send(encode(m.LOG, 1, b"hi"))
    wait_until(lambda: link.log.of("error"))
    assert "ZeroDivisionError" in link.log.of("error")[0].text
    assert link.request(m.ECHO, b"alive") == b"alive"


def test_something_else_on_the_port():
    board = FakeBoard(ignore=1000)
    Link_ = type("Quick", (Link,), {"HELLO_TRIES": 2})
    with pytest.raises(BoardError, match="Nothing on fake answers as a tinykit board"):
        Link_("fake", opener=board.open)


def test_close_leaves_no_thread(board):
    before = set(threading.enumerate())  # others may end meanwhile
    link = Link("fake", opener=board.open)
    link.close()
    link.close()
    wait_until(lambda: not set(threading.enumerate()) - before)
    with pytest.raises(BoardError, match="was closed"):
        link.request(m.ECHO)


# -- streams -----------------------------------------------------------------------------------


def test_every_sample_once(board, sensor):
    with Stream(sensor) as stream:
        for _ in range(100):
            board.sample(4)
        samples = stream.read(400)
        stats = stream.stats
    assert samples.index.tolist() == list(range(400))
    assert (samples.counts == np.arange(400)[:, None]).all()
    assert (stats.received, stats.lost, stats.duplicated) == (400, 0, 0)
    assert stats.rate_hz == pytest.approx(119, abs=0.01)
    assert stats.jitter_ms < 0.001
    assert samples.values[40, 0] == pytest.approx(40 / 8192)


def test_gaps_and_repeats_are_counted(board, sensor):
    with Stream(sensor) as stream:
        board.sample(4)
        board.sample(4, skip=6)
        board.sample(4, repeat=True)
        board.sample(4)
        samples = stream.read(12)
        settle(sensor.link)
        stats = stream.stats
    assert samples.index.tolist() == [0, 1, 2, 3, *range(10, 18)]
    assert (stats.received, stats.lost, stats.duplicated) == (12, 6, 4)
    assert stats.rate_hz == pytest.approx(119, abs=0.01)


def test_indices_and_times_wrap(board, sensor):
    board.index = 2**32 - 6
    with Stream(sensor) as stream:
        board.sample(4)
        board.index -= 2**32
        # sample() makes times from indices; the device's clock goes on instead
        for block in range(3):
            wrapped = board.index % 2**32
            _send(board, wrapped, time_us=int((2**32 - 2 + 4 * block) * 1e6 / 119) % 2**32)
            board.index += 4
        samples = stream.read(16)
    assert np.diff(samples.index).tolist() == [1] * 15
    assert stream.stats.lost == 0 and (np.diff(samples.time_s) > 0).all()


def _send(board, index, time_us):
    import struct

    delta = np.full(4, 8403, "<u2")
    delta[0] = 0
    head = struct.pack("<BBBBII", 0, 4, 6, 0, index, time_us)
    board.send(encode(m.SAMPLES, 0, head + delta.tobytes() + np.zeros((4, 6), "<i2").tobytes()))


@pytest.mark.parametrize("fault", [corrupt, drop])
def test_one_percent_of_bad_bytes_every_loss_counted_no_wrong_sample(board, sensor, fault):
    frames = 1500  # 50 s
    with Stream(sensor) as stream:
        board.tamper = fault(0.01, seed=5)
        for _ in range(frames):
            board.sample(4)
        board.tamper = lambda data: data
        settle(sensor.link)
    samples, _ = stream.read_new()
    stats = stream.stats
    assert stats.lost > 0 and stats.received > 0
    assert stats.received + stats.lost == 4 * frames
    assert stats.duplicated == 0
    assert (samples.counts == samples.index.astype(np.int16)[:, None]).all()
    assert np.unique(samples.index).size == stats.received


def test_frames_lost_at_the_very_end_are_counted_too(board, sensor):
    with Stream(sensor) as stream:
        board.sample(4)
        board.sample(4, deliver=False)
        settle(sensor.link)
    assert (stream.stats.received, stream.stats.lost) == (4, 4)


def test_a_slow_reader_goes_on_with_the_oldest_that_is_left(board, sensor):
    with Stream(sensor, capacity_s=1.0) as stream:
        for _ in range(100):
            board.sample(4)
        settle(sensor.link)
        samples, cursor = stream.read_new(0)
    assert samples.index.tolist() == list(range(281, 400)) and cursor == 400


def test_iterating_ends_after_the_seconds_asked_for(board, sensor):
    with Stream(sensor, seconds=1.0) as stream:
        for _ in range(100):
            board.sample(4)
        assert sum(len(block) for block in stream) == 119


def test_two_streams_share_the_sensor(board, sensor):
    with Stream(sensor) as first:
        board.sample(4)
        first.read(4)
        with Stream(sensor) as second:
            board.sample(4)
            assert second.read(4).index.tolist() == [4, 5, 6, 7]
        assert board.streaming
    assert not board.streaming
    assert first.stats.received == 8 and first.stats.lost == 0
    starts = [frame for frame in board.requests if frame.type == m.STREAM_START]
    assert len(starts) == 1


# -- unplugged ---------------------------------------------------------------------------------


def test_unplug_and_replug_mends_itself_and_says_what_was_lost(board, link, sensor):
    with Stream(sensor) as stream:
        board.sample(4)
        settle(sensor.link)
        time.sleep(1.5)  # in its first moments, a board that went on and one that began again look alike
        board.unplug()
        wait_until(lambda: not link.up)
        board.index += 50  # the sensor goes on counting
        board.replug()
        wait_until(lambda: link.log.of("reconnected") and board.requests[-1].type == m.STREAM_START)
        board.sample(4)
        settle(sensor.link)
        stats = stream.stats
        assert link.request(m.ECHO, b"back") == b"back"
    assert (stats.received, stats.lost, stats.interruptions) == (8, 50, 1)
    assert "50 samples of imu were lost" in link.log.of("lost")[0].text
    assert "kept running" in link.log.of("reconnected")[0].text


def test_power_lost_counting_starts_anew(board, link, sensor):
    time.sleep(0.6)
    with Stream(sensor) as stream:
        board.sample(4)
        settle(sensor.link)
        board.unplug()
        wait_until(lambda: not link.up)
        time.sleep(0.2)
        board.replug(rebooted=True)
        wait_until(lambda: board.streaming)
        for _ in range(3):
            board.sample(4)
        settle(sensor.link)
        samples, stats = stream.read_new()[0], stream.stats
    assert stats.received == 16 and stats.lost == 0 and stats.interruptions == 1
    assert stats.lost_estimated > 0
    assert (np.diff(samples.index) > 0).all() and (np.diff(samples.time_s) >= 0).all()
    assert "estimated" in link.log.of("lost")[0].text
    assert "started anew" in link.log.of("reconnected")[0].text


def test_asking_while_the_board_is_away(board, link):
    board.unplug()
    wait_until(lambda: not link.up)
    with pytest.raises(BoardGone, match="is gone"):
        link.request(m.ECHO, timeout=0.05, tries=2)
    board.replug()
    assert link.request(m.ECHO, b"x") == b"x"


def test_a_request_under_way_survives_a_short_unplug(board, link):
    board.ignore = 1
    answers = []
    thread = threading.Thread(target=lambda: answers.append(link.request(m.ECHO, b"long", timeout=2.0)))
    thread.start()
    wait_until(lambda: any(f.type == m.ECHO for f in board.requests))
    board.unplug()
    wait_until(lambda: not link.up)
    board.replug()
    thread.join(10)
    assert answers == [b"long"]


def test_busy_port():
    board = FakeBoard()
    board.busy = True
    with pytest.raises(PortBusy):
        Link("fake", opener=board.open)


def test_close_while_the_board_is_away(board):
    before = set(threading.enumerate())
    link = Link("fake", opener=board.open)
    board.unplug()
    wait_until(lambda: not link.up)
    link.close()
    wait_until(lambda: not set(threading.enumerate()) - before)


def test_the_log_reads_on_from_a_cursor():
    log = EventLog(size=3)
    for i in range(5):
        log.add("log", str(i))
    events, cursor = log.read_new(0)
    assert [e.text for e in events] == ["2", "3", "4"]
    log.add("log", "5")
    assert [e.text for e in log.read_new(cursor)[0]] == ["5"]
