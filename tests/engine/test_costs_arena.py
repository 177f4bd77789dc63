"""The arena over time as text and as a picture: it must say what the layout says."""

import re

import numpy as np
from builder import Net

from tinykit import look
from tinykit.engine import compile_network, timeline


def plan_of(layers=3):
    net = Net(np.random.default_rng(0), (1, 10, 10, 4))
    for _ in range(layers):
        net.conv(8, (3, 3)).conv(0, (3, 3), depthwise=1)
    return compile_network(net.conv(8, (1, 1)).dense(3).softmax().bytes(), "some")


def test_every_tensor_is_listed_with_its_place():
    plan = plan_of()
    said = " ".join(timeline.text(plan).split())
    for t in timeline.tensors(plan):
        assert f"{t['name']} {t['size']:,} bytes at {t['offset']:,}, step {t['first'] + 1}" in said
    assert f"arena of some: {plan.arena_bytes:,} bytes over {len(plan.ops)} steps" in said


def test_the_picture_in_letters_is_the_layout():
    """Each cell against the layout, by its own address and step."""
    plan = plan_of(2)
    lines = timeline.text(plan).splitlines()
    start = lines.index(next(line for line in lines if line.strip() == "address")) + 1
    rows = [line.split() for line in lines[start : start + 16]]
    n, wide = len(plan.ops), len(rows[0][1]) // len(plan.ops)
    tensors = timeline.tensors(plan)
    for number, (_, cells) in enumerate(rows):
        row = 15 - number
        address = (2 * row + 1) * plan.arena_bytes // 32
        for step in range(n):
            cell = cells[step * wide : (step + 1) * wide]
            here = [t for t in tensors if t["first"] <= step <= t["last"]
                    and t["offset"] <= address < t["offset"] + t["size"]]  # fmt: skip
            assert (cell == "." * wide) == (not here), (step, address)
            assert (cell == "/" * wide) == any(t["scratch"] for t in here)
            assert ("=" in cell) == (len(here) > 1)


def test_what_is_in_place_dies_where_the_other_is_born():
    plan = plan_of()
    shared = look.in_place(timeline.tensors(plan))
    assert shared
    for s in shared:
        assert s["old"]["last"] == s["new"]["first"] == s["step"] and s["size"] > 0
        assert not s["old"]["scratch"] and not s["new"]["scratch"]


def test_sixty_steps_stay_within_a_hundred_columns_and_many_more_too():
    for layers in (30, 60):
        plan = plan_of(layers)
        lines = timeline.text(plan).splitlines()
        picture = lines[: lines.index("")]
        assert max(map(len, picture)) <= 100
    assert "one column is 2 steps" in timeline.text(plan)


def test_the_card_has_stripes_hatches_a_peak_and_the_text():
    plan = plan_of()
    html = timeline.picture(plan)
    shared = look.in_place(timeline.tensors(plan))
    patterns = re.findall(r'<pattern id="(\w+)"', html)
    assert len(patterns) == 2 and len(set(patterns)) == 2
    scratch = sum(t["scratch"] for t in timeline.tensors(plan))
    assert html.count(f"url(#{patterns[0]})") == scratch and html.count(f"url(#{patterns[1]})") == len(shared)
    assert "written over what it reads" in html and "scratch, one step only" in html
    assert f"{len(shared)} of them written over what is read" in html and "The same as text" in html
    assert "peak " in html


def test_names_are_escaped():
    bad = '<b>"&'
    tensors = [{"name": bad, "offset": 0, "size": 100, "first": 0, "last": 0}]
    html = look.arena(tensors, [bad], 100, twin=bad)
    assert bad not in html and "&lt;b&gt;" in html
