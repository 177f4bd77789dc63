"""The lessons' pictures and the threshold sweep say what the numbers say."""

import re

import numpy as np

from tinykit import lab
from tinykit.data import Recording, sample


def test_table_has_one_number_of_digits_a_column():
    html = lab.table([("a", 0.5, 3), ("b", 1.0, 12)], ["name", "share", "takes"], title="T & T")
    assert "0.500" in html and "1.000" in html and ">12<" in html and "T &amp; T" in html
    assert html.count('class="r"') >= 2, "numbers stand at the right"


def test_windows_are_those_that_the_dataset_cuts():
    take = sample("gestures")[0]
    n = len(take)
    html = lab.windows(take, 60, 20)
    count = (n - 60) // 20 + 1
    assert f"{count} windows of one take" in html
    lefts = [float(x) for x in re.findall(r"left:([\d.]+)%", html)]
    assert len(lefts) == count and lefts == [round(100 * 20 * k / n, 2) for k in range(count)]
    assert f"{n - 60 - 20 * (count - 1)} samples left over" in html


def test_chart_puts_points_where_they_belong():
    html = lab.chart({"up": [0.0, 1.0, 2.0], "gap": [2.0, None, 0.0]}, title="C", xlabel="x", ylabel="y")
    up, gap = re.findall(r'<path d="([^"]*)"', html)
    points = [tuple(map(float, p.split())) for p in re.findall(r"[\d.]+ [\d.]+", up)]
    assert [p[0] for p in points] == [0, 50, 100]
    assert points[0][1] - points[1][1] == points[1][1] - points[2][1] > 0, "up the page, evenly"
    assert gap.count("M") == 2 and "L" not in gap, "nothing is drawn across a gap"
    assert 'role="img"' in html and "C over x: up begins at 0, ends at 2" in html


def test_chart_of_a_constant_and_from_zero():
    assert "NaN" not in lab.chart({"a": [3.0, 3.0, 3.0]})
    ticks = re.findall(r'text-anchor="end">([\d.]+)<', lab.chart({"a": [8.0, 9.0]}, zero=True))
    assert float(ticks[0]) == 0


def test_chart_of_more_than_four_leaves_none_out():
    lines = {name: [0.0, float(i == 2), 1.0] for i, name in enumerate("abcde")}
    html = lab.chart(lines, ylabel="share")
    paths = [re.findall(r"([\d.]+) ([\d.]+)", d) for d in re.findall(r'<path d="([^"]*)"', html)]
    assert len(paths) == 5 and all(f">{name}</text>" in html for name in lines) and "each strip" in html
    ends = [(float(p[0][1]), float(p[-1][1])) for p in paths]  # lowest and highest value of each, down the page
    heights = {round(low - high, 1) for low, high in ends}
    assert len(heights) == 1 and heights.pop() > 20, "all on one scale"
    assert all(a[0] < b[1] for a, b in zip(ends, ends[1:], strict=False)), "strips don't overlap"


def test_names_of_lines_that_end_low_stay_off_the_axis():
    html = lab.chart({"a": [1.0, 0.0], "b": [0.5, 0.0], "c": [0.2, 0.0]})
    names = sorted(float(y) for y in re.findall(r'x="100%" dx="8" y="([\d.]+)"', html))
    assert names[-1] <= 24 + 190 and names[1] - names[0] >= 14 and names[2] - names[1] >= 14


def test_shares_in_per_cent_stand_at_the_right():
    html = lab.table([("a", "42 %"), ("b", "8 %")], ["word", "share"])
    assert html.count('class="r num">') == 2


def test_what_is_louder_looks_louder():
    quiet = Recording(np.full((16000, 1), 0.01, np.float32), ("audio",), 16000.0, label="quiet")
    loud = quiet.with_(samples=quiet.samples * 40, label="loud")
    assert "+0.5" in lab.features(loud)
    both = lab.features([quiet, loud])
    assert both.count(">+0.5<") == 2 and "0.05" not in both
    assert lab.play([quiet, loud]).count("±0.5") == 2


def test_gestures_show_one_take_a_label_of_that_person():
    whole = sample("gestures")
    html = lab.gestures(whole, person="dan")
    assert html.count('class="tk-pic spark"') == len(whole.labels) and "gestures, dan" in html
    assert "synthetic" in html


def test_traces_name_the_take():
    take = Recording(np.zeros((20, 6)), label="<wave>", id="t1", person="me")
    html = lab.traces(take)
    assert "&lt;wave&gt; · t1" in html and "20 samples at 119 Hz" in html


def test_a_widget_of_a_closed_board_says_so():
    from tinykit.lab.widget import link_of

    class Closed:
        closed, connected = True, False

    link, note = link_of(Closed(), 10.0, 5.0)
    assert link["kind"] == "none" and "closed" in link["text"] and "tk.connect()" in note["next"]


def test_sweep_counts_hits_and_false_alarms(monkeypatch):
    whole = sample("gestures").select(persons="ada")
    labels = whole.labels
    nothing = labels.index("negative")

    class Stub:
        kind, window, hop, rate_hz, provenance = "gesture", 60, 30, 119.0, {}
        front_end = type("F", (), {"channels": whole.channels})

    Stub.labels = labels

    def answers(pipeline, counts):
        # Says "circle" to everything, a little more surely where it moves more.
        raw = np.full((len(counts), len(labels)), -128)
        raw[:, labels.index("circle")] = 127 - 64 * (counts[:, :, 0].std(axis=1) < 3000)
        return raw.astype(np.int8)

    monkeypatch.setattr("tinykit.engine.answers", answers)
    rows = lab.sweep(Stub, whole, thresholds=[0.5, 0.99])
    circles = sum(r.label == "circle" for r in whole)
    assert rows[0] == {"threshold": 0.5, "hits": circles, "false_alarms": len(whole) - circles}
    assert rows[1]["hits"] <= rows[0]["hits"] and rows[1]["false_alarms"] < rows[0]["false_alarms"]

    def quiet(pipeline, counts):
        raw = np.full((len(counts), len(labels)), -128)
        raw[:, nothing] = 127
        return raw.astype(np.int8)

    monkeypatch.setattr("tinykit.engine.answers", quiet)
    assert lab.sweep(Stub, whole, [0.5]) == [{"threshold": 0.5, "hits": 0, "false_alarms": 0}]
