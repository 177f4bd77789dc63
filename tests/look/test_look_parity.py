"""The parity lens' pieces: text is escaped, a small difference is seen, a large tensor is pooled."""

from tinykit import look
from tinykit.look.parity import _pooled, _shares


def test_names_are_escaped_and_states_are_words():
    cell = look.ParityCell("1 of 4, up to 3", False, None, [[0, 3], [0, 0]])
    fine = look.ParityCell("39.0 dB", True, 39.0)
    picture = look.ParityPicture("<b>", ("host", "board"), [[1, 2], [3, 4]], [[1, 5], [3, 4]], [[0, 3], [0, 0]],
                                 (0.75, 0.25), True)  # fmt: skip
    page = look.parity("<i>", "x", [("a<b", "CONV_2D", (2, 2), "")], [(("host", "board"), [cell]), (("float", "host"),
                       [fine])], [("bad", "<u>")], [picture], {"host": [0.5]}, ("<label>",), 0)  # fmt: skip
    assert "they part" in page and "39.0 dB, lost most" in page and "1 of 4, up to 3" in page
    for raw in ("<i>", "a<b", "<u>", "<label>"):
        assert raw not in page
    assert page.count("<figure>") == 3 and page.count("data:image/png") == 2 * 4
    assert look.parity("n", "", [("input", "", (), "")], [], [("ok", "equal")]).count("equal where they must be") == 1


def test_one_different_value_survives_pooling():
    steps = [[0.0] * 1000 for _ in range(100)]
    steps[77][901] = 1.0
    small = _shares(steps, (64, 6))
    assert len(small) <= 6 and len(small[0]) <= 64
    assert sum(v > 0.3 for row in small for v in row) == 1 and small[77 * 6 // 100][901 * 64 // 1000] > 0.3
    assert _pooled([[1.0, 2.0]], (4, 4), max) == [[1.0, 2.0]]
