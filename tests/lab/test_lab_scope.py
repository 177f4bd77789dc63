"""The scopes: how the picture moves, counted in Node, and what "Keep" keeps."""

import numpy as np
import pytest

pytest.importorskip("anywidget")
from lab_fake import RATE  # noqa: E402
from lab_node import told  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit.board.account import StreamStats  # noqa: E402
from tinykit.data import Dataset  # noqa: E402
from tinykit.lab.scope import Facts, guessed  # noqa: E402

# -- the clock of the picture --------------------------------------------------------------------

# A board's messages, 30 a second, each late by what `late(t, chance)` says; a page that looks 60 times a second.
# `hz(t)` is the sensor's rate by the page's clock, `lost(t)` whether a message never comes.
RUN = """
const chance = ((s) => () => (s = (s * 16807) % 2147483647) / 2147483647)(7);
const run = ({ hz = () => 119, late = () => 0, lost = () => false, seconds = 60, nominal = 119 }) => {
  const glide = new Glide(nominal), mail = [], seen = [];
  let made = 0, sent = 0, came = 0;
  for (let t = 0; t < seconds * 1000; t += 100 / 3) {
    made += hz(t) / 30;
    const last = Math.floor(made) - 1;
    if (last < sent) continue;
    came = Math.max(came, t + late(t, chance));
    if (!lost(t)) mail.push([came, sent, last]);
    sent = last + 1;
  }
  for (let t = 0, k = 0; t < seconds * 1000; t += 1000 / 60) {
    for (; k < mail.length && mail[k][0] <= t; k++) glide.arrive(...mail[k]);
    const place = glide.at(t);
    if (place >= 0) seen.push({ t, place, last: glide.last, behind: glide.behind, rate: glide.rate * 1000 });
  }
  return seen;
};
/** Speeds after ten seconds, as shares of the true rate, slowest first; whether it was ever ahead or went back. */
const sums = (seen, hz = 119) => {
  const late = seen.filter((s) => s.t > 10000), moves = [];
  for (let k = 1; k < late.length; k++) moves.push((late[k].place - late[k - 1].place) * 60 / hz);
  return {
    speeds: moves.sort((a, b) => a - b), rate: late[late.length - 1].rate,
    behind: Math.max(...late.map((s) => s.behind)),
    ahead: seen.some((s) => s.place > s.last), back: seen.some((s, k) => k && s.place < seen[k - 1].place),
  };
};
"""


def ran(how, hz=119):
    """The sums of a run."""
    return told(RUN + f"const out = sums(run({how}), {hz});", "scope", "glide", "steer")


@pytest.mark.parametrize(
    "hz, how",
    [
        (119, "{}"),
        (119.04, "{ hz: () => 119.04 }"),
        (116, "{ hz: () => 116 }"),  # boards differ by some per cent
        (123, "{ hz: () => 123 }"),
        (60, "{ hz: () => 60, seconds: 90 }"),  # a virtual board at half its pace
        (119, "{ late: (t, chance) => 60 * chance() }"),
        (119, "{ late: (t, chance) => 20 * chance() + (chance() < 0.1 ? 200 : 0) }"),
        (119, "{ late: (t) => Math.max(0, 400 - t % 3000) }"),  # the kernel stands for 0.4 s, again and again
    ],
)
def test_the_picture_runs_evenly_at_the_sensors_own_rate(hz, how):
    said = ran(how, hz)
    assert not said["ahead"] and not said["back"]
    assert said["rate"] == pytest.approx(hz, rel=0.02)
    slow, fast = np.quantile(said["speeds"], [0.02, 1])
    assert slow > 0.9 and fast < 1.1, (slow, fast)
    assert said["behind"] < 500


@pytest.mark.parametrize(
    "how",
    [
        "{ hz: (t) => t > 20000 && t < 40000 ? 70 : 119, late: (t, chance) => 30 * chance() }",
        "{ late: (t) => Math.max(0, 1500 - t % 10000) }",
        "{ lost: (t) => t % 5000 < 400 }",
        "{ late: (t, chance) => 900 * chance() }",
    ],
)
def test_whatever_comes_the_picture_never_shows_what_did_not_arrive_nor_runs_back_nor_jumps(how):
    said = ran(how)
    assert not said["ahead"] and not said["back"]
    assert said["speeds"][-1] < 1.6  # it catches up in haste, not in leaps
    assert said["behind"] < 2000


def test_a_stream_that_stops_stops_the_picture_at_the_last_sample_and_a_long_pause_is_leapt_over():
    out = told(
        RUN + """
    const glide = new Glide(119), out = [];
    for (let k = 0; k < 300; k++) glide.arrive(k * 100 / 3, k * 4, k * 4 + 3);
    for (let t = 10000; t < 12000; t += 16) glide.at(t);
    out.push(glide.place, glide.last);
    glide.arrive(72000, 1200, 1203);
    for (let k = 1; k < 100; k++) glide.arrive(72000 + k * 100 / 3, 7200 + k * 4, 7203 + k * 4);
    glide.at(75300);
    out.push(glide.last - glide.place);
    glide.arrive(75400, 0, 900);   // the board counts anew
    out.push(glide.place, glide.at(75401));""",
        "scope", "glide", "steer")  # fmt: skip
    assert out[0] == out[1] == 1199
    assert 0 <= out[2] < 119
    assert 880 < out[3] <= out[4] <= 900


def test_the_clock_goes_on_while_nobody_looks():
    out = told(
        RUN + """
    const glide = new Glide(119);
    let k = 0;
    const arrive = (n) => { for (const end = k + 30 * n; k < end; k++) glide.arrive(k * 100 / 3, k * 4, k * 4 + 3); };
    arrive(5); glide.at(5000); arrive(2.5);
    const out = glide.last - glide.at(7500);""",
        "scope", "glide", "steer")  # fmt: skip
    assert 0 <= out < 119  # not the 2.5 s that nobody looked, which it would then run after


def test_what_a_page_holds_of_a_stream_does_not_grow():
    out = told(
        """
    const glide = new Glide(119), ring = new SampleRing(119 * 64, 6), sound = new SoundRing(16000, 30);
    const sizes = () => [glide.seen.length, ring.data.length, ring.size, sound.data.length, sound.gaps.length];
    const go = (n) => { for (let k = 0; k < n; k++) {
      const i = ring.last + 1 + (k % 50 === 0);
      ring.push([[0, i]], new Int16Array(24)); glide.arrive(i * 8.4, i, i + 3); glide.at(i * 8.4 + 10);
      sound.push(sound.end + 500 * (k % 50 === 0), new Int16Array(533));
    } };
    go(20000); const out = [sizes()]; go(20000); out.push(sizes());""",
        "audioscope", "glide", "steer", "sound", "spectrogram")  # fmt: skip
    assert out[0] == out[1]


# A canvas of numbers: one row of pixels, each holding what was painted there last.
CANVAS = """
const canvasOfNumbers = () => {
  let row = [];
  const cv = { set width(n) { row = Array(n).fill(null); }, get width() { return row.length; }, height: 0 };
  const g = {
    canvas: cv, save() {}, restore() {}, setTransform() {}, clearRect() { row.fill(null); }, put(x, v) { row[x] = v; },
    drawImage(from, sx, sy, w, h, dx) {
      const old = from.row.slice(sx, sx + w);
      if (g.globalCompositeOperation === "copy") row.fill(null);
      old.forEach((v, k) => { row[dx + k] = v; });
    },
  };
  return Object.defineProperty(Object.assign(cv, { getContext: () => g }), "row", { get: () => row });
};
globalThis.document = { createElement: canvasOfNumbers };
"""


def test_the_tape_shows_every_pixel_of_what_came_once_and_in_its_place():
    out = told(
        CANVAS + """
    const tape = new Tape(), out = { wrong: 0, twice: 0, looks: 0, painted: 0 }, width = 100;
    const chance = ((s) => () => (s = (s * 16807) % 2147483647) / 2147483647)(3);
    let head = 1000, left = 900, key = "a", seen = new Set();
    for (let k = 0; k < 4000; k++) {
      head += Math.floor(6 * chance());
      left = Math.min(head - width, left + Math.floor(5 * chance()));
      if (k % 500 === 499) { key += "b"; seen.clear(); }                   // zoomed
      if (k % 700 === 699) { left -= 130; seen.clear(); }                  // panned back
      if (k % 900 === 899) { head += 5000; left = head - width; seen.clear(); } // after a pause
      tape.advance(key, width, 1, left, head, (g, from, to, base) => {
        out.painted += to - from;
        for (let px = from; px < to; px++) { g.put(px - base, px); out.twice += seen.has(px); seen.add(px); }
      });
      const view = tape.cv.row.slice(left - tape.base, left - tape.base + width);
      out.looks++;
      if (view.some((v, n) => v !== left + n)) out.wrong++;
    }""",
        "scope", "glide", "steer")  # fmt: skip
    assert out["wrong"] == 0 and out["twice"] == 0 and out["looks"] == 4000 and out["painted"] > 8000


# -- errors --------------------------------------------------------------------------------------


def test_an_error_stays_while_statuses_come_until_something_is_kept():
    """As a status has it, a second and later after the error; then after a take was kept."""
    script = """
const error = lasting(), none = error.get(0);
error.set("lost", 1000);
const out = [none, error.get(1000), error.get(20000), error.get(22000)];
error.set("again", 30000);
out.push(error.get(31000)); error.drop(); out.push(error.get(31000));
"""
    assert told(script, "scope", "glide", "steer") == [None, "lost", "lost", None, "again", None]


# -- keep ----------------------------------------------------------------------------------------


def test_keep_files_the_last_seconds_as_a_take_of_the_dataset(wire, board, open_widget, click, until):
    data = Dataset(card={"name": "mine"})
    scope = open_widget(tk.lab.scope(board, dataset=data, labels=["circle"], person="ana"))
    assert scope.config["labels"] == ["circle"]
    until(lambda: scope._tap.written > 2 * RATE)
    there, _ = scope._tap.stream.read_new()
    click(scope, "keep", last=int(there.index[0]) + 199, seconds=5, label=" circle ")
    (take,) = data
    assert (take.label, take.person, len(take)) == ("circle", "ana", 200)
    assert (take.counts() == there.counts[:200]).all() and take.quality["verdict"] == "good"
    assert "“circle”, take 1 of mine" in wire.wait("kept")[0]["text"]
    click(scope, "keep", last=int(there.index[0]) + 199, seconds=1, label="wing")
    assert data.labels == ("circle", "wing") and len(data[1]) == RATE
    wire.wait("labels", lambda c: c["labels"] == ["circle", "wing"])


def test_what_is_no_good_as_a_take_is_said_and_kept_beside_the_dataset(wire, board, open_widget, click, until):
    data = Dataset()
    scope = open_widget(tk.lab.scope(board, dataset=data, labels=["circle"]))
    until(lambda: scope._tap.written > 40)
    board.skip = 60
    until(lambda: scope._tap.written > RATE)
    click(scope, "keep", last=-1, seconds=5, label="circle")
    said, _ = wire.wait("kept")
    assert "not as a take" in said["text"] and "60 of" in said["text"] and "lost" in said["text"]
    click(scope, "keep", last=-1, seconds=5, label="")
    wire.wait("kept", lambda c: "it has no label" in c["text"])
    assert len(data) == 0 and len(scope.kept) == 2 and not scope.errors


def test_sound_is_kept_as_a_take_too(wire, ear, open_widget, click, until):
    data = Dataset()
    scope = open_widget(tk.lab.scope(ear, "mic", dataset=data, labels=["left"]))
    until(lambda: scope._tap.written > 2 * 16000)
    click(scope, "keep", last=-1, seconds=1, label="silence")
    (take,) = data
    assert take.label == "silence" and len(take) == 16000 and take.is_sound


def test_what_is_paused_for_too_long_is_said_to_be_gone(wire, board, open_widget, click, until):
    scope = open_widget(tk.lab.scope(board))
    click(scope, "keep", last=-1, seconds=1)
    board.index = 20_000  # the ring has nothing from before
    scope._tap.stream._ring = type(scope._tap.stream._ring)(100, scope._tap.stream.channels)
    until(lambda: scope._tap.written > 10 and int(scope._tap.stream.read_new()[0].index[0]) >= 20_000)
    click(scope, "keep", last=300, seconds=5)
    said = wire.of("kept")[-1][0]["text"]
    assert said == "that is too long ago: the computer keeps the last 120 s" and not scope.errors


@pytest.mark.parametrize(
    "lost, estimated, words",
    [(0, 0, "0 lost of 90"), (10, 0, "10 lost of 100"), (0, 10, "10 lost (estimated) of 100"),
     (4, 6, "10 lost (in part estimated) of 100")],
)  # fmt: skip
def test_losses_of_a_board_without_power_are_called_estimated(lost, estimated, words):
    stats = StreamStats(received=90, lost=lost, lost_estimated=estimated)
    facts = Facts(received=90, lost=lost + estimated, seconds=2.0, guessed=guessed(lost + estimated, stats))
    assert facts.losses == f"{words} in 2 s"


def test_a_still_picture_is_no_wider_than_its_seconds_after_an_outage(board, until):
    scope = tk.lab.scope(board)
    until(lambda: scope._tap.written > 60)
    board.skip = round(60 * RATE)
    before = scope._tap.written
    until(lambda: scope._tap.written > before + 60)
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tk.look, "traces", lambda rows, *a, **k: drawn.append((len(rows), a[2])) or "")
        scope.snapshot()
    scope.close()
    ((rows, gaps),) = drawn
    assert rows > 1 and rows + sum(n for _, n in gaps) <= scope.seconds * RATE + 1
