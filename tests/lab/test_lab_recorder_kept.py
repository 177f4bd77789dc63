"""The recorder when hands are quick and disks are full: no take is lost, and none goes to a label unasked."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anywidget")

from lab_node import told  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit.board import recorder as board_recorder  # noqa: E402
from tinykit.board.virtual import Generator, Still  # noqa: E402
from tinykit.data import Dataset, Recording, synthetic  # noqa: E402
from tinykit.errors import BoardError, DataError, TakeRefused  # noqa: E402
from tinykit.lab.ledger import Ledger  # noqa: E402


def gestures(label, person="ada", count=3):
    return list(synthetic.gestures(persons=(person,), labels=(label,), takes=count))[:count]


def ledger(labels=("circle", "wing"), target=6, people=2):
    return Ledger(Dataset(card={"name": "mine"}), labels, target, people)


def long_take(label="circle", seconds=12.0, person="ben"):
    samples = Generator(label, person=person).read(np.arange(round(seconds * 119)) / 119)
    return Recording(samples / np.float32([8192] * 3 + [16.384] * 3), label=label, person=person, rate_hz=119.0)


@pytest.fixture
def virtual(tmp_path):
    board = tk.connect(f"virtual://nano33ble?flash={(tmp_path / 'flash.bin').as_posix()}", source=Still())
    yield board
    board.close()


@pytest.fixture
def recorder(wire, virtual, open_widget):
    data = Dataset(card={"name": "mine"})
    return open_widget(tk.lab.recorder(virtual, data, labels=["circle", "rest"], person="Ana", session="1"))


# -- the page's buttons --------------------------------------------------------------------------

PAGE = Path(__file__).with_name("recorder_page.js").read_text(encoding="utf-8")
SHARED = ("glide", "sound", "capture", "cutter", "cards", "replay")


def page(script):
    """What a page asks of the kernel while its hands do this."""
    return told(PAGE + script + "\nconst out = asked();", "recorder", *SHARED)


def test_ten_takes_keep_the_label_and_the_length_that_they_began_with():
    asked = page("""
    mode("ten"); red.say("click"); pass(1);
    view.message(labelled("rest")); mode("long"); pass(1.5);
    view.message({ k: "taking" }); pass(1.6);
    view.message({ k: "taken", ok: true, number: 1, text: "good" }); pass(1.1);
    """)
    assert asked == ["circle 1.5 false", "circle 1.5 false"]


def test_a_second_press_at_the_end_of_a_long_take_does_not_throw_it_away():
    asked = page("""
    mode("long"); red.say("click"); pass(2.5); view.message({ k: "taking" }); pass(12);
    key(" "); key(" ", { repeat: true }); pass(8); red.say("click"); key(" ");
    """)
    assert asked == ["circle 20 true", "enough"]
    assert page("""
    mode("long"); red.say("click"); pass(2.5); view.message({ k: "taking" }); pass(12); key(" "); key("Escape");
    """) == ["circle 20 true", "enough", "cancel"], "Esc still does"  # fmt: skip


def test_a_held_space_bar_presses_once():
    assert page('key(" "); key(" ", { repeat: true }); pass(2.5);') == ["circle 1.5 false"]


# -- long takes ----------------------------------------------------------------------------------


def test_a_long_take_that_nobody_kept_can_be_had_back_after_the_next_ones(wire, recorder, click):
    cuts = [recorder._cut_now(long_take(person=person)) for person in ("ada", "ben", "cy")]
    assert recorder.cut is cuts[2]
    assert wire.wait("cut", lambda c: c["words"] and c["before"]), "the page offers it"
    seen = []
    for _ in range(3):
        click(recorder, "reopen")
        seen.append(recorder.cut)
    assert {id(c) for c in seen} == {id(c) for c in cuts}
    click(recorder, "accept", chosen=[0])
    click(recorder, "drop")  # nothing is open: nothing goes
    seen = []
    for _ in range(3):
        click(recorder, "reopen")
        seen.append(recorder.cut)
    assert {id(c) for c in seen} == {id(c) for c in cuts} and not recorder.errors


def test_parts_that_the_page_does_not_show_yet_are_not_kept(wire, recorder, click):
    cut = recorder._cut_now(long_take())
    _, shown = cut.message()
    cut.set(cut.parts.threshold_db + 1)
    click(recorder, "accept", chosen=[0], found=len(shown["words"]), threshold=shown["threshold"])
    assert len(recorder.dataset) == 0 and recorder.cut is cut
    assert "just changed" in wire.of("told")[-1][0]["text"]
    _, shown = cut.message()
    click(recorder, "accept", chosen=[0], found=len(shown["words"]), threshold=shown["threshold"])
    assert len(recorder.dataset) == 1 and not recorder.errors


# -- takes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), DataError("It is of another kind.", "x.")])
def test_a_good_take_that_can_not_be_added_is_on_a_card_and_can_be_kept_later(recorder, click, monkeypatch, error):
    (good,) = gestures("circle", count=1)
    monkeypatch.setattr(recorder, "_taken", lambda *args, **options: (good, None))

    def full(recording):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(recorder.dataset, "add", full)
        card = recorder.take("circle", 0.5, "Ana")
    assert card.state == "refused" and len(recorder.dataset) == 0 and recorder.takes == [card]
    assert getattr(error, "strerror", None) is None or error.strerror in card.why
    click(recorder, "check", n=card.number)
    assert len(recorder.dataset) == 1 and not recorder.errors


def test_a_cancel_that_comes_while_the_stream_opens_ends_the_take(wire, recorder, click, monkeypatch):
    opens, go = threading.Event(), threading.Event()

    class Slow(board_recorder.Take):
        def __init__(self, *args):
            super().__init__(*args)
            opens.set()
            assert go.wait(60)

    monkeypatch.setattr(sys.modules["tinykit.lab.recorder"], "Take", Slow)
    click(recorder, "record", label="circle", seconds=3600.0, person="Ana")
    assert opens.wait(60)
    click(recorder, "cancel")
    go.set()
    assert wire.wait("taken", seconds=60)[0]["text"] == "thrown away"
    assert not recorder.takes and not recorder.errors


def test_what_is_acted_after_a_discard_is_another_take(wire, virtual, recorder, open_widget, click):
    for _ in range(3):
        recorder.take("circle", 1.5, "Ana")
    click(recorder, "discard", n=1)
    again = open_widget(tk.lab.recorder(virtual, recorder.dataset, session="1"))
    card = again.take("circle", 1.5, "Ana")
    assert not card.why.startswith("same as"), card.why


def test_a_sensor_that_fell_silent_is_not_told_as_a_board_that_went_away(wire, recorder, monkeypatch):
    (what,) = gestures("circle", count=1)
    silence = BoardError("No samples of the IMU arrive, although the board answers.", "Press reset.")
    monkeypatch.setattr(recorder, "_taken", lambda *args, **options: (what, silence))
    card = recorder.take("circle", 1.0)
    assert "no samples of the IMU" in card.why and "went away" not in card.why
    said = wire.of("taken")[-1][0]
    assert said["stop"] and not said["gone"] and said["next"] == "Press reset."


def test_a_change_that_is_being_written_stops_no_frame(wire, recorder):
    held, let = threading.Event(), threading.Event()

    def change():
        with recorder.ledger.lock:
            recorder.ledger.changed = True
            held.set()
            assert let.wait(60)

    changing, frame = threading.Thread(target=change), threading.Thread(target=recorder.flush)
    changing.start()
    assert held.wait(60)
    frame.start()
    frame.join(30)
    waits = frame.is_alive()
    let.set()
    changing.join(60)
    assert not waits


def test_more_than_sixty_takes_are_counted_and_shown_when_asked(wire, recorder, click):
    takes = gestures("circle", count=1) * 70
    for k, take in enumerate(takes):
        recorder.ledger.refuse(take, TakeRefused(f"The take was not kept: it is number {k}.", "Again."))
    content, _ = wire.wait("takes", lambda c: c["total"] == 70)
    assert (len(content["takes"]), content["flagged"], content["new"]) == (60, 70, 0)
    click(recorder, "more")
    assert wire.wait("takes", lambda c: len(c["takes"]) == 70)


# -- the ledger ----------------------------------------------------------------------------------


def test_every_change_by_a_cell_is_noticed():
    book = ledger()
    for take in gestures("circle"):
        book.keep(take)
    for _ in range(30):  # as many takes as before, perhaps where the old list was
        first, second, _ = list(book.dataset)
        book.dataset.remove(first)
        book.dataset.remove(second)
        for take in (first, second):
            book.dataset.add(take.with_(id=""))
        del first, second
        book.changed = False
        book.look()
        assert {t.recording.id for t in book.takes} == {r.id for r in book.dataset}


def test_a_discarded_refused_take_is_not_kept():
    book = ledger()
    card = book.refuse(gestures("circle", count=1)[0], TakeRefused("The take was not kept: no.", "Again."))
    book.discard(card.number)
    book.check(card.number)
    assert len(book.dataset) == 0 and card.state == "refused"


def test_an_undo_that_fails_can_be_tried_again(monkeypatch):
    book = ledger()
    for take in gestures("circle"):
        book.keep(take)
    book.remove("circle")

    def full(recording):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(book.dataset, "add", full)
        with pytest.raises(OSError):
            book.undo()
    assert book.undoable()
    book.undo()
    assert len(book.dataset) == 3 and not book.undoable() and book.labels.count("circle") == 1


def test_a_name_that_was_made_anew_is_not_merged_by_an_undo():
    book = ledger()
    one, two, three = gestures("circle")
    book.keep(one)
    book.rename("circle", "round")
    book.choose("circle")
    book.keep(two)
    with pytest.raises(DataError, match="“circle” was made anew"):
        book.undo()
    assert sorted(r.label for r in book.dataset) == ["circle", "round"] and sorted(set(book.labels)) == sorted(
        book.labels
    )
    assert not book.undoable(), "earlier changes can be undone"
    book.remove("circle")
    book.choose("circle")
    book.undo()
    assert book.labels.count("circle") == 1
    book.remove("wing")
    book.keep(three.with_(label="wing"))  # a take that was running
    assert "wing" in book.labels


def test_an_empty_label_of_the_old_name_stands_in_no_undos_way():
    book = ledger()
    book.keep(gestures("circle", count=1)[0])
    book.rename("circle", "round")
    book.choose("circle")
    book.undo()
    assert sorted(book.labels) == ["circle", "wing"] and book.dataset.labels == ("circle",)


def test_an_undo_brings_no_take_back_that_a_cell_removed():
    book = ledger()
    card = book.keep(gestures("circle", count=1)[0])
    book.relabel(card.number, "wing")
    book.dataset.remove(book.dataset[0])
    with pytest.raises(DataError, match="no longer in the dataset"):
        book.undo()
    assert len(book.dataset) == 0 and not book.undoable()


def test_hints_count_nobody_as_nobody():
    book = ledger(("circle", "wing"), target=3, people=2)
    for label in ("circle", "wing"):
        for take in gestures(label):
            book.keep(take.with_(person=""))
    assert "nobody is named: write a nickname under Who" in book.hint()["text"]
    book = ledger(("circle", "wing"), target=6, people=2)
    for label in ("circle", "wing"):
        for k, take in enumerate(gestures(label)):
            book.keep(take.with_(person="" if k else "ada"))
    assert "only ada" not in book.hint()["text"]
