"""The recorder: what can be undone, what it hints at, long takes of motion, replays, and a cable that is pulled."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

import tinykit as tk  # noqa: E402
from tinykit.board import recorder as board_recorder  # noqa: E402
from tinykit.board import stream as board_stream  # noqa: E402
from tinykit.board.virtual import Generator, Still  # noqa: E402
from tinykit.data import Dataset, Recording, synthetic  # noqa: E402
from tinykit.data.take import LIMITS  # noqa: E402
from tinykit.errors import DataError, TakeRefused  # noqa: E402
from tinykit.lab.cutter import Cut  # noqa: E402
from tinykit.lab.ledger import Ledger  # noqa: E402
from tinykit.lab.take import GAP, POINTS, gaps_of, spark_bytes  # noqa: E402

KEPT = ("new", "flag")  # flagged for a lost sample, perhaps


def gestures(label, person="ada", count=3, first=0):
    """Takes of a made-up person, each another."""
    return list(synthetic.gestures(persons=(person,), labels=(label,), takes=first + count))[first : first + count]


def ledger(labels=("circle", "wing"), target=6, people=2, path=None):
    dataset = Dataset(card={"name": "mine"})
    return Ledger(dataset.save(path) if path else dataset, labels, target, people)


def long_take(label, seconds=20.0, pause_s=1.0, person="ben"):
    source = Generator(label, person=person, pause_s=pause_s)
    samples = source.read(np.arange(round(seconds * 119)) / 119) / np.float32([8192] * 3 + [16.384] * 3)
    return Recording(samples, label=label, person=person, rate_hz=119.0)


# -- what can be undone --------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [False, True], ids=["in memory", "on disk"])
def test_everything_is_undone_in_its_order(folder, tmp_path):
    book = ledger(path=tmp_path / "mine" if folder else None)
    for take in (*gestures("circle"), *gestures("wing")):
        book.keep(take)
    prints = lambda: sorted((r.label, r.fingerprint) for r in book.dataset)  # noqa: E731
    states = [prints()]
    for change in (
        lambda: book.discard(2), lambda: book.relabel(1, "wing"), lambda: book.rename("wing", "W"),
        lambda: book.relabel(3, "a new one"), lambda: book.remove("W"),
    ):  # fmt: skip
        change()
        states.append(prints())
    assert len(states[-1]) == 1 and book.labels == ["circle", "a new one"]
    for before in states[-2::-1]:
        assert book.undoable()
        book.undo()
        assert prints() == before
    assert not book.undoable() and book.labels[:2] == ["circle", "wing"]
    book.undo()  # nothing more to undo: nothing happens
    assert prints() == states[0]
    if folder:
        assert sorted((r.label, r.fingerprint) for r in Dataset.load(tmp_path / "mine")) == states[0]


def test_a_label_that_can_not_be_renamed_or_removed_is_one_sentence(tmp_path):
    book = ledger()
    with pytest.raises(DataError, match="There is a label “wing” already"):
        book.rename("circle", "wing")
    book.remove("wing")
    with pytest.raises(DataError, match="only label"):
        book.remove("circle")


def test_a_refused_take_can_be_kept_all_the_same_and_that_undone():
    book = ledger()
    (take,) = gestures("circle", count=1)
    card = book.refuse(take, TakeRefused("The take was not kept: it is not liked.", "Again."))
    assert len(book.dataset) == 0
    book.check(card.number)
    assert (card.state, card.why, len(book.dataset)) == ("flag", "it is not liked", 1)
    book.undo()
    assert card.state == "refused" and len(book.dataset) == 0


def test_takes_that_a_cell_adds_or_removes_are_noticed():
    book = ledger()
    one, two, three = gestures("circle")
    book.keep(one)
    book.changed = False
    book.look()
    assert not book.changed, "its own takes are no news"
    book.dataset.add(two.with_(label="fresh"))
    book.look()
    assert book.changed and "fresh" in book.labels and [t.number for t in book.takes] == [1, 2]
    book.dataset.remove(book.dataset[0])
    book.look()
    assert [t.number for t in book.takes] == [2]
    assert book.keep(three).number == 3


# -- flags and hints -----------------------------------------------------------------------------


def test_a_copy_is_kept_flagged_and_says_of_which_take():
    book = ledger()
    one, two, _ = gestures("circle")
    book.keep(one)
    assert book.keep(two).why == ""
    card = book.keep(one.with_(id=""))
    assert (card.state, card.why) == ("flag", "same as take 1") and len(book.dataset) == 3
    assert book.dataset[2].quality["verdict"] == "duplicate"
    book.discard(1)
    assert book.keep(one.with_(id="")).why == "same as take 3", "what was discarded is not compared with"


def test_the_hint_names_what_is_missed_most():
    book = ledger(("circle", "wing"), target=6, people=2)
    assert "no take of “circle”" in book.hint()["text"]
    for take in gestures("circle", "ada", 6):
        book.keep(take)
    assert "no take of “wing”" in book.hint()["text"]
    for take in gestures("wing", "ada", 2):
        book.keep(take)
    assert book.hint()["text"] == "only ada has recorded “circle”. Ask a neighbour."
    for take in gestures("circle", "ben", 2):
        book.keep(take)
    assert book.hint()["text"] == "“wing” has 2 of 6 takes. Training can begin with 5: 3 more."
    for take in gestures("wing", "ben", 5):
        book.keep(take)
    assert book.hint()["kind"] == "ok"


def test_takes_that_are_all_alike_are_said():
    book = ledger(("circle", "wing"), target=6, people=1)
    (take,) = gestures("circle", count=1)
    random = np.random.default_rng(4)
    for _ in range(6):  # a robot's hand, with 12 % of a hand's own noise
        rough = np.repeat(random.normal(size=(len(take) // 6 + 1, 6)), 6, axis=0)[: len(take)]
        book.keep(take.with_(samples=take.samples + 0.1 * take.samples.std(0) * rough, id=""))
    for other in gestures("wing", count=6):
        book.keep(other)
    assert "“circle” are all alike" in book.hint()["text"]


# -- pictures ------------------------------------------------------------------------------------


def test_where_samples_were_lost_the_picture_has_a_gap():
    (take,) = gestures("circle", count=1)
    keep = np.r_[0:60, 90 : len(take)]
    times = np.arange(len(take)) * 1000 / 119
    torn = take.with_(samples=take.samples[keep], timestamps_ms=times[keep])
    picture = np.frombuffer(spark_bytes(torn), "<i2").reshape(POINTS, 3)
    ((start, end),) = gaps_of(torn)
    at = np.linspace(0, 1, POINTS)
    assert ((picture == GAP).all(1) == ((at > start) & (at < end))).all()
    assert start == pytest.approx(59 / (len(take) - 1)) and end == pytest.approx(90 / (len(take) - 1))
    assert not gaps_of(take)


# -- long takes of motion ------------------------------------------------------------------------


def test_a_long_take_of_motion_becomes_takes():
    cut = Cut(long_take("circle"), 1.5)
    assert cut.noun == "movement" and len(cut.parts) == 8 and not cut.odd()
    buffers, facts = cut.message()
    assert len(facts["words"]) == 8 and not facts["doubt"]
    above = np.frombuffer(buffers[0], "<i2") / 100
    start, end, level = facts["words"][3]
    inside = above[int(start / 0.02) : int(end / 0.02)]
    assert inside.max() == pytest.approx(level - facts["floor"], abs=0.1) and inside.max() > facts["threshold"]
    takes = cut.takes([1, 3])
    assert [refusal for _, refusal in takes] == [None, None]
    assert all(take.label == "circle" and take.quality["verdict"] == "good" for take, _ in takes)


def test_windows_are_offered_where_nothing_rests():
    cut = Cut(long_take("wander", 12.0, pause_s=0.0), 1.5)
    _, facts = cut.message()
    assert "never comes to rest" in facts["doubt"]
    assert len(facts["odd"]) == len(facts["words"]), "none is kept unasked"
    cut.side_by_side(True)
    _, facts = cut.message()
    assert (facts["what"], len(facts["words"]), facts["doubt"], facts["odd"]) == ("window", 8, "", [])
    cut.side_by_side(False)
    assert cut.noun == "movement"


def test_rest_is_cut_into_windows_and_stillness_of_a_gesture_is_doubted():
    still = Recording(Still().read(np.arange(1190) / 119) / np.float32([8192] * 3 + [16.384] * 3), rate_hz=119.0)
    rest = Cut(still.with_(label="rest"), 1.0)
    assert rest.noun == "window" and len(rest.parts) == 10
    assert all(refusal is None for _, refusal in rest.takes(range(10)))
    assert Cut(still.with_(label="circle"), 1.0).parts.doubt == "Nothing moves in it."


def test_a_movement_unlike_the_others_is_left_out_unless_somebody_wants_it():
    long = long_take("circle")
    spans = Cut(long, 1.5).parts.spans
    samples = long.samples.copy()
    calm = slice(round(spans[2].start_s * 119), round(spans[2].end_s * 119))
    middle = samples[calm].mean(axis=0)
    samples[calm] = middle + (samples[calm] - middle) * 0.08  # hardly moved
    cut = Cut(long.with_(samples=samples), 1.5)
    cut.set(4.0)
    assert "weaker" in dict(cut.odd()).get(2, ""), cut.odd()


# -- on a board ----------------------------------------------------------------------------------


@pytest.fixture
def virtual(tmp_path):
    board = tk.connect(f"virtual://nano33ble?flash={(tmp_path / 'flash.bin').as_posix()}", source=Still())
    yield board
    if not board.connected:
        board.machine.replug()
    board.close()


@pytest.fixture
def lenient():
    """Takes are not refused for a few samples that a busy computer lost; that they are else is tried elsewhere."""
    usual = LIMITS.lost, LIMITS.length
    for name in ("lost", "length"):
        object.__setattr__(LIMITS, name, 0.5)
    yield
    for name, value in zip(("lost", "length"), usual, strict=True):
        object.__setattr__(LIMITS, name, value)


@pytest.fixture
def recorder(wire, virtual, open_widget, lenient):
    data = Dataset(card={"name": "mine"})
    return open_widget(tk.lab.recorder(virtual, data, labels=["circle", "rest"], person="Ana", session="1"))


@pytest.fixture
def running(monkeypatch, until):
    """Waits until the take that runs has so many samples."""
    made = []
    begin = board_recorder.Take.__init__
    monkeypatch.setattr(
        board_recorder.Take, "__init__", lambda take, *a, **k: (made.append(take), begin(take, *a, **k))[1]
    )

    def wait(samples):
        until(lambda: made and getattr(made[-1], "stream", None) and made[-1].stream.written >= samples, 60)

    return wait


def test_a_cable_pulled_in_a_take_loses_nothing_and_the_next_take_is_good(
    wire, virtual, recorder, running, click, monkeypatch
):
    monkeypatch.setattr(board_stream, "_AWAY_S", 300.0)
    click(recorder, "record", label="circle", seconds=10.0, person="Ana")
    running(100)
    virtual.machine.unplug()
    wire.wait("status", lambda c: "link lost" in c["link"]["text"], seconds=60)
    virtual.machine.replug()
    taken, _ = wire.wait("taken", seconds=60)
    assert not taken["ok"] and taken["text"] == "the board was away during it" and not taken["stop"]
    (card,) = recorder.takes
    assert card.state == "refused" and len(card.recording) >= 100 and gaps_of(card.recording)
    wire.wait("status", lambda c: c["link"]["kind"] == "ok", seconds=60)
    assert recorder.take("circle", 1.0, "Ana").state in KEPT and not recorder.errors


def test_a_board_that_stays_away_ends_the_take_with_what_came(
    wire, virtual, recorder, running, click, monkeypatch, until
):
    monkeypatch.setattr(board_stream, "_SILENCE_S", 0.5)
    monkeypatch.setattr(board_stream, "_AWAY_S", 0.5)
    click(recorder, "record", label="circle", seconds=30.0, person="Ana")
    running(60)
    virtual.machine.unplug()
    taken, _ = wire.wait("taken", seconds=60)
    assert taken["stop"] and taken["number"] == 1 and "went away after" in taken["text"]
    (card,) = recorder.takes
    assert card.state == "refused" and len(card.recording) >= 60 and len(recorder.dataset) == 0
    click(recorder, "record", label="circle", seconds=1.0, person="Ana")  # and nothing to record from
    error, _ = wire.wait("error")
    assert "is gone" in error["what"] and "Plug it in" in error["next"]
    before = recorder._tap.written
    virtual.machine.replug()
    until(lambda: recorder._tap.written > before + 10, 60)  # samples come again
    monkeypatch.setattr(board_stream, "_SILENCE_S", 20.0)
    monkeypatch.setattr(board_stream, "_AWAY_S", 20.0)
    card = recorder.take("circle", 1.0, "Ana")
    assert card.state in KEPT, card.why


def test_a_long_take_that_breaks_off_is_cut_as_far_as_it_came(wire, virtual, recorder, running, click, monkeypatch):
    monkeypatch.setattr(board_stream, "_SILENCE_S", 0.5)
    monkeypatch.setattr(board_stream, "_AWAY_S", 0.5)
    click(recorder, "record", label="circle", seconds=60.0, person="Ana", long=True)
    running(600)
    virtual.machine.unplug()
    cut, _ = wire.wait("cut", lambda c: c["words"], seconds=60)
    assert "went away after" in cut["note"] and cut["seconds"] >= 5 and len(cut["words"]) >= 1
    assert wire.wait("taken")[0]["stop"]
    click(recorder, "accept", chosen=[0])
    assert len(recorder.dataset) == 1
    virtual.machine.replug()


def test_a_long_take_ends_when_there_is_enough(wire, virtual, recorder, running, click):
    click(recorder, "record", label="circle", seconds=60.0, person="Ana", long=True)
    running(500)
    click(recorder, "enough")
    cut, _ = wire.wait("cut", lambda c: c["words"], seconds=60)
    assert 4 < cut["seconds"] < 40 and "away" not in cut["note"] and len(recorder.cut.recording) >= 500
    click(recorder, "windows", on=True)
    assert wire.wait("cut", lambda c: c.get("what") == "window")
    click(recorder, "drop")
    click(recorder, "reopen")
    assert recorder.cut.windows and not recorder.errors


def test_a_long_take_that_is_cancelled_is_gone(wire, recorder, running, click):
    click(recorder, "record", label="circle", seconds=60.0, person="Ana", long=True)
    running(30)
    click(recorder, "cancel")
    assert wire.wait("taken", seconds=60)[0]["text"] == "thrown away"
    assert recorder.cut is None and not recorder.takes and not recorder.errors


def lengthen(recorder):
    """Make the first take a minute long: its replay does not end while a slow machine looks."""
    card = recorder.takes[0]
    card.recording = card.recording.with_(samples=np.tile(card.recording.samples, (40, 1)), timestamps_ms=None)


def test_a_take_that_waits_for_its_board_can_be_cancelled(wire, virtual, recorder, running, click, until, monkeypatch):
    monkeypatch.setattr(board_stream, "_AWAY_S", 300.0)
    click(recorder, "record", label="circle", seconds=60.0, person="Ana")
    running(30)
    virtual.machine.unplug()
    wire.wait("status", lambda c: "link lost" in c["link"]["text"], seconds=60)
    click(recorder, "cancel")
    assert wire.wait("taken", seconds=60)[0]["text"] == "thrown away"
    until(lambda: not recorder.takes_now)
    assert not recorder.takes and not recorder.errors


def test_a_replay_is_felt_by_the_virtual_board_which_then_rests_again(wire, virtual, recorder, click, until):
    take = recorder.take("circle", 1.5, "Ana").recording
    rest = virtual.source
    click(recorder, "hear", n=1)
    motion, (counts, pose) = wire.wait("motion")
    assert motion["felt"] and motion["turned"] and motion["rate"] == take.rate_hz
    assert (np.frombuffer(counts, "<i2").reshape(-1, 6) == take.counts()).all()
    q = np.frombuffer(pose, "<i2").reshape(-1, 4) / 32767
    assert len(q) == len(take) and np.linalg.norm(q, axis=1) == pytest.approx(np.ones(len(q)), abs=1e-3)
    until(lambda: virtual.source is rest, 60)
    lengthen(recorder)
    click(recorder, "hear", n=1)
    until(lambda: virtual.source is not rest)
    click(recorder, "halt")
    assert virtual.source is rest
    click(recorder, "hear", n=1)
    assert recorder.take("circle", 1.0, "Ana").state in KEPT, "a take does not wait for a replay"
    assert virtual.source is rest


def test_a_replay_leaves_a_source_alone_that_was_set_meanwhile(wire, virtual, recorder, click, until):
    recorder.take("circle", 1.5, "Ana")
    lengthen(recorder)
    click(recorder, "hear", n=1)
    until(lambda: type(virtual.source).__name__ == "Replay")
    virtual.source = own = Generator("wing")
    click(recorder, "halt")
    assert virtual.source is own


def test_a_refused_rename_is_said_and_is_no_error(wire, recorder, click):
    click(recorder, "rename", label="circle", new="rest")
    told, _ = wire.wait("told")
    assert told["state"] == "warn" and "already" in told["text"] and told["next"] and not recorder.errors


def test_all_labels_have_their_rows(wire, recorder, click):
    recorder.take("circle", 0.5, "Ana")
    content, (sparks,) = wire.wait("rows", lambda c: c["rows"][0][1])
    assert [(name, len(cards)) for name, cards in content["rows"]] == [("circle", 1), ("rest", 0)]
    assert len(sparks) == recorder.config["thumb"] * 3 * 2
