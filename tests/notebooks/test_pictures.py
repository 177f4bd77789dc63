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
    assert 'role="img"' in html and "C: up, gap" in html


def test_chart_of_a_constant_and_from_zero():
    assert "NaN" not in lab.chart({"a": [3.0, 3.0, 3.0]})
    ticks = re.findall(r'text-anchor="end">([\d.]+)<', lab.chart({"a": [8.0, 9.0]}, zero=True))
    assert float(ticks[0]) == 0


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
