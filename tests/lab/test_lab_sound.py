"""Widgets of sound on a fake board and a fake page: every sample, every word, every sentence."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("anywidget")
from lab_fake import HZ, WORDS, EarBoard, speech  # noqa: E402
from lab_node import node  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit.data import Dataset, Recording  # noqa: E402
from tinykit.errors import BoardError, DataError  # noqa: E402
from tinykit.lab.browser import BrowserSound  # noqa: E402
from tinykit.lab.cutter import Cut  # noqa: E402


def sound(counts, **about):
    counts = np.asarray(counts, np.int16)
    return Recording(counts[:, None] / np.float32(32768), ("audio",), float(HZ), **about)


def sent(wire):
    """Index and counts of everything sent since the last fresh start."""
    messages = wire.of("samples")
    start = max(i for i, (c, _) in enumerate(messages) if c["fresh"])
    index, counts = [], []
    for content, (data,) in messages[start:]:
        block = np.frombuffer(data, "<i2")
        ends = [row for row, _ in content["runs"][1:]] + [len(block)]
        for (row, first), end in zip(content["runs"], ends, strict=True):
            index += range(first, first + end - row)
        counts.append(block)
    return np.array(index), np.concatenate(counts)


# -- scope -------------------------------------------------------------------------------------


def test_the_audio_scope_sends_every_sample_once_as_int16(wire, ear, open_widget, until):
    scope = open_widget(tk.lab.scope(ear, "mic"))
    until(lambda: scope._tap.cursor > HZ)
    scope.rest()
    index, counts = sent(wire)
    assert (np.diff(index) == 1).all() and len(index) > HZ / 2
    assert (counts == speech(index)).all()
    # New samples only; the whole picture at the start and for the view that opened, never again.
    assert sum(content["fresh"] for content, _ in wire.of("samples")) <= 2


def test_a_gap_in_sound_is_told_with_its_place(wire, ear, open_widget, until):
    scope = open_widget(tk.lab.scope(ear, "mic"))
    until(lambda: scope._tap.written > 2000)
    ear.skip = 1200
    status, _ = wire.wait("status", lambda c: c["facts"]["lost"] == 1200)
    assert "lost" in status["link"]["text"] and status["link"]["kind"] == "warn"
    index, counts = sent(wire)
    assert np.diff(index).max() == 1201 and (counts == speech(index)).all()


def test_the_settling_microphone_is_said(wire, open_widget):
    board = EarBoard(settles_s=2.0)
    scope = open_widget(tk.lab.scope(board, "mic"))
    status, _ = wire.wait("status", lambda c: c["settling"])
    assert status["link"]["text"] == "the microphone settles, 3.5 s"
    assert wire.wait("status", lambda c: not c["settling"])[0]["link"]["kind"] == "ok"
    scope.close()
    board.close()


@pytest.mark.parametrize("seconds", [1, 2])
def test_keep_keeps_the_last_seconds_that_the_student_saw(wire, ear, open_widget, until, click, seconds):
    scope = open_widget(tk.lab.scope(ear, "mic"))
    until(lambda: scope._tap.written > 2.5 * HZ)
    first = int(scope._tap.stream.read_new()[0].index[0])
    end = first + 2 * HZ + 100
    click(scope, "keep", last=end, seconds=seconds)
    (kept,) = scope.kept
    assert len(kept) == seconds * HZ and kept.is_sound and kept.label is None
    assert (kept.counts()[:, 0] == speech(np.arange(end - seconds * HZ + 1, end + 1))).all()
    assert "scope.kept[0]" in wire.wait("kept")[0]["text"]


# -- the browser's microphone ------------------------------------------------------------------


def test_a_page_is_heard_as_a_board_is():
    page = BrowserSound()
    stream = page.stream("mic")
    page.feed(0, np.arange(800, dtype=np.int16))
    page.feed(1600, np.arange(800, dtype=np.int16))  # 800 never came
    samples, _ = stream.read_new()
    assert samples.index[[0, 799, 800, -1]].tolist() == [0, 799, 1600, 2399]
    assert (stream.stats.received, stream.stats.lost) == (1600, 800) == (page.received, page.lost)
    page.feed(0, np.arange(100, dtype=np.int16))  # the page was loaded again: it goes on
    assert stream.read_new()[0].index[-1] == 2499 and page.lost == 800
    with pytest.raises(BoardError, match="only a microphone"):
        page.stream("imu")


def speak(widget, seconds=30.0):
    """Feeds a widget as a page does, in real time, until the returned function is called."""
    import threading

    ended = threading.Event()
    began, at = time.monotonic(), [0]

    def run():
        while not ended.wait(1 / 30) and at[0] < seconds * HZ:
            due = int((time.monotonic() - began) * HZ)
            counts = speech(np.arange(at[0], due)).astype("<i2")
            widget._receive(widget, {"k": "sound", "index": at[0]}, [counts.tobytes()])
            at[0] = due

    widget._receive(widget, {"k": "mic", "state": "on", "what": ""}, [])
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return lambda: (ended.set(), thread.join(2))


def test_the_microphone_feeds_the_virtual_board_while_it_is_on_and_gives_the_hand_back(wire, open_widget, click):
    from tinykit.board.virtual import Still

    hand = Still()
    board = SimpleNamespace(machine=SimpleNamespace(source=hand))
    microphone = open_widget(tk.lab.microphone(board))
    block = speech(np.arange(3200)).astype("<i2").tobytes()
    click(microphone, "mic", state="on")
    click(microphone, "sound", [block], index=0)
    assert board.machine.source is not hand
    assert (board.machine.source.sound(0, 3200) == speech(np.arange(3200))).all()
    assert (board.machine.source.read([0.0]) == hand.read([0.0])).all()
    click(microphone, "mic", state="off")
    assert board.machine.source is hand


def test_a_real_board_does_not_hear_with_the_browsers_microphone():
    with pytest.raises(BoardError, match="own microphone"):
        tk.lab.microphone(SimpleNamespace(machine=None))


def test_takes_are_recorded_without_any_board(wire, open_widget, click):
    recorder = open_widget(tk.lab.microphone(label="left", person="Ana"))
    assert recorder.config["browser"] and recorder.config["sound"]
    stop = speak(recorder)
    click(recorder, "record", label="left", seconds=1.0, person="Ana")
    taken, _ = wire.wait("taken")
    stop()
    (kept,) = recorder.dataset.recordings
    assert (kept.label, kept.person, len(kept), kept.rate_hz) == ("left", "Ana", HZ, HZ)
    counts = kept.counts()[:, 0]
    start = next(k for k in range(0, 4 * HZ) if (speech(np.arange(k, k + 40)) == counts[:40]).all())
    assert (counts == speech(np.arange(start, start + HZ))).all()
    assert not wire.of("samples"), "the page has its own sound; none is sent back"


def test_without_sound_from_the_page_a_take_says_what_to_press(wire, open_widget, click, monkeypatch):
    from tinykit.board import stream

    monkeypatch.setattr(stream, "_SILENCE_S", 0.3)
    recorder = open_widget(tk.lab.microphone(label="left"))
    click(recorder, "record", label="left", seconds=1.0)
    error, _ = wire.wait("error")
    assert "No sound came from the browser" in error["what"] and "Start the microphone" in error["next"]


# -- recorder ----------------------------------------------------------------------------------


@pytest.fixture
def recorder(wire, ear, open_widget):
    data = Dataset(card={"name": "words"})
    return open_widget(tk.lab.recorder(ear, data, labels=["left", "go"], person="Ana", sensor="mic"))


def test_a_take_of_sound_is_drawn_as_its_envelope_and_heard_again(wire, recorder, click, until):
    until(lambda: recorder._tap.written > HZ)
    click(recorder, "record", label="left", seconds=1.0, person="Ana")
    assert wire.wait("taken")[0]["number"] == 1
    content, (sparks,) = wire.wait("takes", lambda c: c["total"] == 1)
    counts = recorder.takes[0].recording.counts()[:, 0]
    picture = np.frombuffer(sparks, "<i2").reshape(-1, 2)
    assert picture[:, 0].min() == counts.min() and picture[:, 1].max() == counts.max()
    click(recorder, "hear", n=1)
    heard, (data,) = wire.wait("heard")
    assert heard["n"] == 1 and heard["rate"] == HZ and (np.frombuffer(data, "<i2") == counts).all()


def test_a_quiet_take_is_refused_or_flagged_in_words(wire, recorder, click, monkeypatch):
    import lab_fake

    monkeypatch.setattr(lab_fake, "speech", lambda index: (speech(index) // 4000).astype(np.int16))
    recorder.take("left", 1.0, "Ana")
    card = recorder.takes[-1]
    assert card.state in ("refused", "flag") and ("quiet" in card.why or "loudest part" in card.why)


def test_a_long_take_is_cut_and_the_chosen_words_are_kept(wire, recorder, click):
    click(recorder, "record", label="go", seconds=4.0, person="Ana", long=True)
    cut, (above,) = wire.wait("cut", lambda c: c["words"])
    spans = np.array(cut["words"])
    whole = spans[spans[:, 0] > 0.05]  # the take may begin inside a word
    assert len(whole) >= 2 and np.diff(whole[:, 0]) == pytest.approx(1.5, abs=0.1)  # as it was spoken
    assert len(recorder.dataset) == 0, "nothing is kept before the student says so"
    click(recorder, "hear", word=1)
    heard, (data,) = wire.wait("heard")
    assert (np.frombuffer(data, "<i2") == recorder.cut.parts[1].counts()[:, 0]).all()
    click(recorder, "accept", chosen=[0, len(spans) - 1])
    assert [r.label for r in recorder.dataset] == ["go", "go"] and all(len(r) == HZ for r in recorder.dataset)
    assert recorder.cut is None and wire.wait("told")[0]["text"].startswith("2 words kept")
    click(recorder, "reopen")
    assert len(recorder.cut.parts) == len(spans)


def test_the_threshold_finds_fewer_words_when_it_is_higher():
    parts = []
    for loud in (9000, 900, 9000):
        parts += [np.zeros(HZ // 2), loud * np.sin(2 * np.pi * 400 * np.arange(HZ // 2) / HZ)]
    noise = np.random.default_rng(1).normal(0, 20, 3 * HZ + HZ // 2)
    cut = Cut(sound(np.concatenate([*parts, np.zeros(HZ // 2)]) + noise, label="go"))
    cut.set(10)
    assert len(cut.parts) == 3
    cut.set(45)
    buffers, facts = cut.message()
    assert len(facts["words"]) == 2 and facts["threshold"] == 45
    starts = [w[0] for w in facts["words"]]
    assert starts == pytest.approx([0.5, 2.5], abs=0.1)
    above = np.frombuffer(buffers[0], "<i2") / 100
    at = int(0.75 * len(above) / 3.5)
    assert above[at] > 45 and abs(np.median(above[: int(0.3 * len(above) / 3.5)])) < 6


def test_where_nothing_is_heard_a_synthesiser_says_the_word_for_the_take():
    from tinykit.board.virtual import Still
    from tinykit.data.loudness import loudness
    from tinykit.lab.actor import acting

    rest = Still()
    machine = SimpleNamespace(source=rest)
    board = SimpleNamespace(machine=machine)
    with acting(board, "mic", "left", "Ana", "1", 0):
        assert loudness(machine.source.sound(0, HZ)).level_db > -40
    assert machine.source is rest
    for label, sensor in (("silence", "mic"), ("no such word", "mic")):
        with acting(board, sensor, label, "Ana", "1", 0):
            assert machine.source is rest
    machine.source = own = SimpleNamespace(read=rest.read, sound=lambda first, count: np.zeros(count, np.int16))
    with acting(board, "mic", "left", "Ana", "1", 0):
        assert machine.source is own, "what was set is left alone"


# -- live --------------------------------------------------------------------------------------


def test_each_word_has_its_threshold_on_the_running_board(wire, ear, open_widget, click):
    live = open_widget(tk.lab.live(ear))
    assert live.config["sound"] and live.config["background"] == [0, 1]
    assert live.config["thresholds"] == [0.6] * 4
    click(live, "rule", thresholds={"left": 0.8, "go": 0.3}, smoothing=4, suppression_s=1.2)
    rule, _ = wire.wait("rule", lambda c: c["smoothing"] == 4)
    assert rule["thresholds"] == [0.6, 0.6, 0.8, 0.3] and rule["suppression_s"] == 1.2
    assert ear.rule.thresholds == (0.6, 0.6, 0.8, 0.3) and live.config["thresholds"][2] == 0.8


def test_a_false_trigger_becomes_a_negative_with_its_second_of_sound(wire, ear, open_widget, click, until):
    data = Dataset(card={"name": "words"})
    live = open_widget(tk.lab.live(ear, data, person="Ana"))
    until(lambda: any(c["heard"] for c, _ in wire.of("detected")))
    content = next(c for c, _ in wire.of("detected") if c["heard"])
    assert content["label"] in ("left", "go") and not content["filed"]
    click(live, "false", number=content["number"])
    (kept,) = data.recordings
    assert (kept.label, kept.person, len(kept)) == ("unknown", "Ana", HZ)
    assert kept.quality["predicted"] == content["label"]
    p = next(p for p in live._history if p.number == live.detections[content["number"]].answer)
    assert (kept.counts()[:, 0] == speech(np.arange(p.index - HZ + 1, p.index + 1))).all()
    assert wire.wait("filed")[0]["tally"]["wrong"] == 1
    click(live, "hear", number=content["number"])
    assert (np.frombuffer(wire.wait("heard")[1][0], "<i2") == kept.counts()[:, 0]).all()
    click(live, "false", number=content["number"])
    assert len(data) == 1, "a second click files nothing twice"
    click(live, "unfalse", number=content["number"])
    assert len(data) == 0 and live._history.tally["wrong"] == 0 and not live.corrected


def test_announcements_stay_apart_when_the_board_counts_anew(ear):
    from tinykit.lab.detections import Detections
    from tinykit.lab.tap import Tap

    tap = Tap(ear, "mic", 30.0)
    kept = Detections(tap, 1.0)
    first = SimpleNamespace(detected=True, number=7, label="left", probability=0.9, time=1.0, device_time_s=0.0)
    for p in (first, SimpleNamespace(**first.__dict__ | {"label": "go", "time": 2.0})):  # live was started again
        kept._waiting.append((p, -10.0))
    a, b = kept.news()
    assert a.answer == b.answer == 7 and a.number != b.number


def test_that_was_wrong_files_the_last_second_under_its_true_label(wire, ear, open_widget, click, until):
    data = Dataset(card={"name": "words"})
    live = open_widget(tk.lab.live(ear, data))
    until(lambda: len(live._history) > 14)
    p = list(live._history)[-2]
    click(live, "wrong", number=p.number, truth="go")
    (kept,) = data.recordings
    assert kept.label == "go" and (kept.counts()[:, 0] == speech(np.arange(p.index - HZ + 1, p.index + 1))).all()


def test_the_detection_counter_counts_words_only(wire, ear, open_widget, until):
    live = open_widget(tk.lab.live(ear))
    until(lambda: len([c for c, _ in wire.of("detected")]) >= 2)
    live.rest()
    kept = live._history
    until(lambda: kept.tally["decisions"] == sum(p.detected for p in kept))  # after the flush under way
    assert {c["label"] for c, _ in wire.of("detected")} <= set(WORDS[2:])


def test_a_detection_that_is_gone_is_refused_in_words(wire, ear, open_widget, click):
    live = open_widget(tk.lab.live(ear))
    click(live, "false", number=999)
    assert "no longer there" in wire.wait("error")[0]["what"]


# -- curve -------------------------------------------------------------------------------------


def stream_report():
    """Two words; what is found and what is false can be counted by hand."""
    from tinykit.engine.detection import Event
    from tinykit.engine.listening import StreamReport
    from tinykit.engine.streaming import StreamAnswers
    from tinykit.engine.tuning import curve
    from tinykit.pipeline import Decision

    times = np.arange(1, 601) / 10.0
    answers = np.full((600, 4), -128, np.int8)
    answers[:, 0] = 100
    for word, at, p in ((2, 50, 0.95), (2, 150, 0.7), (3, 250, 0.9), (2, 350, 0.8), (3, 450, 0.6)):
        answers[at : at + 3, 0], answers[at : at + 3, word] = -128, round(p * 255) - 128
    events = [Event(4.6, 5.1, "left"), Event(14.6, 15.1, "left"), Event(24.6, 25.1, "go")]  # 35 s, 45 s: false
    given = StreamAnswers(times, answers, WORDS, 60.0, "abc", "this computer")
    rule = Decision(1, 0.5, 0.5)
    return StreamReport("words", rule, given, None, curve(given, events, 1, 0.5)), events


def test_the_curve_says_what_the_sliders_would_find(wire, open_widget, click):
    report, events = stream_report()
    view = open_widget(tk.lab.curve(report, events=events))
    assert view.point() == (3, 3, 2)
    click(view, "rule", thresholds={"left": 0.9, "go": 0.86})
    assert view.point() == (2, 3, 0)
    assert view.decision.thresholds == (0.5, 0.5, 0.9, 0.86)
    content, _ = wire.wait("curve")
    k = content["levels"].index(0.5)
    assert (content["found"][0][k], content["false"][0][k], content["said"]) == (2, 1, [2, 1])


def test_moving_the_smoothing_counts_anew(wire, open_widget, click):
    from tinykit.engine import tuning

    report, events = stream_report()
    view = open_widget(tk.lab.curve(report, events=events))
    click(view, "rule", thresholds={"left": 0.5, "go": 0.5}, smoothing=6, suppression_s=0.5)
    wire.wait("curve", lambda c: c["smoothing"] == 6)
    want = tuning.curve(report.answers, events, 6, 0.5)
    assert (view.curve.found == want.found).all() and (want.found != report.curve.found).any()


def test_the_curves_sliders_move_the_running_board(wire, ear, open_widget, click, until):
    report, _ = stream_report()
    view = open_widget(tk.lab.curve(report, ear))
    assert view.decision == ear.rule
    click(view, "rule", thresholds={"left": 0.9, "go": 0.4})
    until(lambda: ear.rule.thresholds == (0.6, 0.6, 0.9, 0.4))


def test_widgets_of_one_board_follow_each_others_sliders(wire, ear, open_widget, click, until):
    report, events = stream_report()
    live, view = open_widget(tk.lab.live(ear)), open_widget(tk.lab.curve(report, ear, events))
    alone = open_widget(tk.lab.curve(report, events=events))
    before = alone.decision
    click(view, "rule", thresholds={"left": 0.9, "go": 0.4}, smoothing=3, suppression_s=0.5)
    until(lambda: live.config["thresholds"][2:] == [0.9, 0.4] and live.config["smoothing"] == 3)
    click(live, "rule", thresholds={"left": 0.7, "go": 0.8}, smoothing=6, suppression_s=1.0)
    until(lambda: view.decision == ear.rule and view.decision.smoothing == 6)
    wire.wait("curve", lambda c: (c["smoothing"], c["suppression_s"]) == (6, 1.0) and c["thresholds"] == [0.7, 0.8])
    assert alone.decision == before, "what is on no board stays where it is"


def test_a_widget_of_other_labels_keeps_its_thresholds(wire, ear, open_widget, click, until):
    """As an older one does when the board has got another pipeline since."""
    report, events = stream_report()
    live, view = open_widget(tk.lab.live(ear)), open_widget(tk.lab.curve(report, ear, events))
    live.config = {**live.config, "labels": [*live.config["labels"], "one more"], "thresholds": [0.3] * 5}
    click(view, "rule", thresholds={"left": 0.9, "go": 0.4})
    until(lambda: ear.rule.thresholds == (0.6, 0.6, 0.9, 0.4) and view._hand._thread is None)
    assert live.config["thresholds"] == [0.3] * 5 and not live.errors and not view.errors


# -- pictures ----------------------------------------------------------------------------------


def test_the_features_picture_shows_the_cores_features(monkeypatch):
    from tinykit.features import frames
    from tinykit.lab import sound as module
    from tinykit.pipeline import MelFrontEnd

    shown = []
    monkeypatch.setattr(
        module.look, "features", lambda clips, ticks, limits, unit, *_: shown.append((clips, unit)) or ""
    )
    clip = sound(speech(np.arange(HZ)), label="left")
    tk.lab.features(clip)
    ((heard,), unit) = shown[-1]
    want = frames(clip.counts()[:, 0], MelFrontEnd())
    assert heard.values.shape == (49, 40) and unit == "dB"
    assert heard.values == pytest.approx(want * 10 / np.log(10), rel=1e-6)
    mfcc = MelFrontEnd(coefficients=10, mean=(1.0,) * 10, scale=(0.5,) * 10)
    tk.lab.features([clip, clip], SimpleNamespace(front_end=mfcc))
    heard, unit = shown[-1]
    assert len(heard) == 2 and heard[0].values == pytest.approx(frames(clip.counts()[:, 0], mfcc)) and unit != "dB"


def test_a_tone_stands_at_its_frequency_in_the_picture():
    from tinykit.features import frames
    from tinykit.lab.sound import _ticks
    from tinykit.pipeline import MelFrontEnd

    front = MelFrontEnd()
    for at, words in _ticks(front):
        hz = float(words.split()[0]) * (1000 if "kHz" in words else 1)
        tone = np.rint(8000 * np.sin(2 * np.pi * hz * np.arange(HZ) / HZ)).astype(np.int16)
        band = int(frames(tone, front)[20].argmax())
        assert abs((band + 0.5) / front.mels - at) < 1 / front.mels, words


def test_pictures_of_sound_refuse_movements():
    with pytest.raises(DataError, match="expected sound"):
        tk.lab.play(Recording(np.zeros((9, 6), np.float32)))
    assert "data:audio/wav" in tk.lab.play(sound(speech(np.arange(HZ)), label="left"))


@pytest.mark.parametrize("name", ["scope", "recorder", "live", "microphone", "curve"])
def test_every_sound_widget_leaves_a_still_picture(name, ear, monkeypatch, until):
    make = {
        "scope": lambda: tk.lab.scope(ear, "mic"),
        "recorder": lambda: tk.lab.recorder(ear, labels=["left"], sensor="mic"),
        "live": lambda: tk.lab.live(ear),
        "microphone": lambda: tk.lab.microphone(),
        "curve": lambda: tk.lab.curve(stream_report()[0], ear),
    }[name]
    monkeypatch.setenv("TINYKIT_STILL", "1.5")
    widget = make()
    data, _ = widget._repr_mimebundle_()
    words = {"scope": "mel bands", "recorder": "left", "live": "decision", "microphone": "Start the microphone",
             "curve": "words missed"}  # fmt: skip
    assert set(data) == {"text/plain", "text/html"} and words[name] in data["text/html"]
    assert not widget._running and not ear.streams and not ear.lives
    widget.close()


def test_lessons_pictures_of_a_take_know_sound():
    clip = sound(speech(np.arange(2 * HZ)), label="left", person="Ana")
    assert "<audio" in tk.lab.traces(clip) and "left" in tk.lab.traces(clip)
    said = tk.lab.windows(clip, HZ, 3200)
    assert "6 windows of one take" in said and "waveform of left" in said


# -- the page's arithmetic ---------------------------------------------------------------------


@pytest.mark.parametrize("name, shared", [("audioscope", ["glide", "steer", "sound", "spectrogram"]),
    ("microphone", ["glide", "sound", "spectrogram", "capture"]),
    ("recorder", ["glide", "sound", "capture", "cutter", "cards", "replay"]), ("live", ["sound"]),
    ("curve", [])])  # fmt: skip
def test_the_javascript_of_sound_parses(name, shared, tmp_path):
    assert node("process.stdout.write('ok');", name, *shared) == b"ok"


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_the_page_resamples_as_soxr_does(rate):
    soxr = pytest.importorskip("soxr")
    t = np.arange(rate) / rate
    x = sum(a * np.sin(2 * np.pi * f * t + f) for f, a in ((220, 0.3), (1310, 0.2), (3450, 0.1)))
    if rate > 40000:
        x = x + 0.3 * np.sin(2 * np.pi * 11000 * t)  # above half of 16 kHz: must not fold back
    script = f"""
    const x = new Float32Array(Uint8Array.from(atob("{_b64(x)}"), c => c.charCodeAt(0)).buffer);
    const push = makeResampler({rate}, 16000), out = [];
    for (let i = 0; i < x.length; i += 128) out.push(...push(x.subarray(i, i + 128)));
    process.stdout.write(new Uint8Array(Int16Array.from(out).buffer));"""
    got = np.frombuffer(node(script, "microphone", "sound", "capture"), "<i2") / 32768
    want = soxr.resample(x, rate, HZ, "VHQ")
    n = min(len(got), len(want))
    assert HZ - n < 200 and len(got) <= HZ + 1  # the end waits for what comes after it
    part = slice(400, n - 400)
    assert np.abs(got[part] - want[part]).max() < 2e-3


def _b64(x):
    import base64

    return base64.b64encode(np.asarray(x, "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    "page, error, words",
    [
        ("{ isSecureContext: false }", "", "https://"),
        ("{ isSecureContext: true }", "NotAllowedError", "not allowed"),
        ("{ isSecureContext: true }", "NotFoundError", "no microphone"),
        ("{ isSecureContext: true }", "OverconstrainedError", "no microphone"),  # as WebKit says it
        ("{ isSecureContext: true }", "NotReadableError", "Another program"),
        ("{ isSecureContext: true }", "SomethingNew", "SomethingNew"),
    ],
)
def test_a_microphone_that_can_not_be_had_is_one_sentence_and_a_way_out(page, error, words):
    import json

    script = f"""
    globalThis.window = {page};
    const refuse = async () => {{ throw new DOMException("{error}", "{error}"); }};
    Object.defineProperty(globalThis, "navigator", {{ value: {{ mediaDevices: {{ getUserMedia: refuse }} }} }});
    await openMicrophone("", () => {{}}, () => {{}}).catch((e) => process.stdout.write(JSON.stringify(e)));"""
    said = json.loads(node(script, "microphone", "sound", "capture"))
    assert words in said["what"] and said["what"].endswith(".") and said["next"].endswith(".")


def test_the_pages_spectrum_is_the_cores():
    from tinykit.features import frames
    from tinykit.pipeline import MelFrontEnd

    counts = speech(np.arange(HZ)) + np.random.default_rng(3).integers(-300, 300, HZ).astype(np.int16)
    script = f"""
    const x = new Int16Array(Uint8Array.from(atob("{_b64_int(counts)}"), c => c.charCodeAt(0)).buffer);
    const ring = new SoundRing(16000, 4), s = new Spectrum({{ rate: 16000 }}, 4);
    for (let i = 0; i < x.length; i += 500) {{ ring.push(i, x.subarray(i, i + 500)); s.advance(ring); }}
    process.stdout.write(new Uint8Array(s.db.slice(0, s.next * s.mels).buffer));"""
    db = np.frombuffer(node(script, "audioscope", "sound"), "<f4").reshape(-1, 40)
    front = MelFrontEnd(floor=1e-9)
    want = frames(counts, front) * 10 / np.log(10) - 20 * np.log10(front.frame / 4)
    assert db.shape == want.shape and np.abs(db - want).max() < 0.01


def _b64_int(x):
    import base64

    return base64.b64encode(np.asarray(x, "<i2").tobytes()).decode()


def test_the_pages_level_is_the_librarys_and_the_verdict_reads_right():
    from tinykit.data.loudness import loudness

    tone = {"too quiet": 60, "good level": 3000, "clipping": 60000, "too loud": 32000}
    script = "const ring = new SoundRing(16000, 4), out = [];"
    for loud in tone.values():
        script += f"""ring.clear(); ring.push(0, Int16Array.from({{ length: 48000 }}, (_, i) =>
          Math.max(-32768, Math.min(32767, Math.round({loud} * Math.sin(i * 0.3))))));
          out.push(verdictOf(ring, [-44, -9]));"""
    import json

    said = json.loads(node(script + "process.stdout.write(JSON.stringify(out));", "audioscope", "sound"))
    assert [v["text"] for v in said] == ["too quiet", "good level", "clipping", "too loud"]
    wave = np.rint(3000 * np.sin(np.arange(48000) * 0.3)).astype(np.int16)
    assert said[1]["loudest"] == pytest.approx(loudness(wave).level_db, abs=0.1)
