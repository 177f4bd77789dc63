"""The colours, as people with each kind of colour vision see them, on both grounds.

Distances are CIEDE2000 (Sharma, Wu and Dalal 2005), of colours as Machado, Oliveira and Fernandes (2009) let
dichromats see them; contrast is WCAG 2's.
"""

import itertools
import math
import re

import pytest

from tinykit import look
from tinykit.lab import picture
from tinykit.look import icons, ramp

VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
GROUNDS = {"light": ("#ffffff",), "dark": ("#212121", "#111111")}  # JupyterLab's, of cards and behind data
INK = {"light": "#000000", "dark": "#ffffff"}
CLASSES = [f"--tk-c{k}" for k in range(1, 9)]
AXES = ["--tk-x", "--tk-y", "--tk-z"]
STATES = ["--tk-ok", "--tk-warn", "--tk-bad"]


def tokens():
    """Colours of the sheet by theme: its first two rules that name one."""
    blocks = re.findall(r"\{([^{}]*--tk-c1:[^{}]*)\}", look.sheet())
    assert len(blocks) == 2
    return {
        theme: dict(re.findall(r"(--tk-[\w-]+):([^;]+)", block))
        for theme, block in zip(("light", "dark"), blocks, strict=True)
    }


TOKENS = tokens()


def linear(colour, vision="usual"):
    """Linear red, green and blue of #rrggbb as a vision has it, each 0 to 1."""
    rgb = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    rgb = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb]
    return [min(1.0, max(0.0, sum(m * v for m, v in zip(row, rgb, strict=True)))) for row in VISIONS[vision]]


def luminance(colour):
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def lab(colour, vision="usual"):
    """CIE L*a*b*, D65."""
    rgb = linear(colour, vision)
    rows = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    xyz = [
        sum(m * v for m, v in zip(row, rgb, strict=True)) / white
        for row, white in zip(rows, (0.95047, 1.0, 1.08883), strict=True)
    ]
    f = [v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in xyz]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def ciede2000(p, q):
    (l1, a1, b1), (l2, a2, b2) = p, q
    mean = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - math.sqrt(mean / (mean + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    light, chroma, hue = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = (1 - 0.17 * math.cos(math.radians(hm - 30)) + 0.24 * math.cos(math.radians(2 * hm))
         + 0.32 * math.cos(math.radians(3 * hm + 6)) - 0.20 * math.cos(math.radians(4 * hm - 63)))  # fmt: skip
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    twist = -2 * math.sqrt(cm**7 / (cm**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((hm - 275) / 25) ** 2))))
    return math.sqrt((light / sl) ** 2 + (chroma / sc) ** 2 + (hue / sh) ** 2 + twist * chroma / sc * hue / sh)


def nearest(colours, vision):
    seen = [lab(colour, vision) for colour in colours]
    return min(itertools.starmap(ciede2000, itertools.combinations(seen, 2)))


def mixed(share, ink, ground):
    """CSS' color-mix in sRGB."""
    return "#" + "".join(
        f"{round(share * int(ink[k : k + 2], 16) + (1 - share) * int(ground[k : k + 2], 16)):02x}" for k in (1, 3, 5)
    )


@pytest.mark.parametrize(
    "p, q, far",
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ],
)
def test_distances_are_those_of_the_papers_table(p, q, far):
    assert ciede2000(p, q) == pytest.approx(far, abs=1e-4)


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("vision, least", [("usual", 22), ("protan", 15), ("deutan", 15), ("tritan", 13.5)])
def test_classes_are_told_apart(theme, vision, least):
    """Okabe and Ito's eight give 21.7, 12.2, 11.6 and 10.9."""
    assert nearest([TOKENS[theme][name] for name in CLASSES], vision) >= least


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("vision", VISIONS)
def test_axes_are_told_apart(theme, vision):
    assert nearest([TOKENS[theme][name] for name in AXES], vision) >= 15


@pytest.mark.parametrize("theme", GROUNDS)
def test_colours_stand_out_from_both_grounds(theme):
    for ground in GROUNDS[theme]:
        for name in CLASSES:
            assert contrast(TOKENS[theme][name], ground) >= 3, (name, ground)
        for name in (*AXES, *STATES):
            assert contrast(TOKENS[theme][name], ground) >= 4.5, (name, ground)


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("vision", VISIONS)
def test_the_two_bars_of_a_comparison_differ_in_each_vision(theme, vision):
    """float32 is grey, int8 the accent; they are also named, in this order, and int8's number is bold."""
    fill = mixed(0.52, INK[theme], GROUNDS[theme][0])
    accent = {"light": "#1976d2", "dark": "#2196f3"}[theme]
    assert f"--jp-brand-color1,{accent})" in TOKENS[theme]["--tk-brand"]
    assert "52%" in TOKENS["light"]["--tk-fill"]
    assert nearest([fill, accent], vision) >= 12
    track = mixed(0.10, INK[theme], GROUNDS[theme][0])
    assert min(contrast(fill, track), contrast(accent, track)) >= 3


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("vision", VISIONS)
def test_the_ramp_rises_evenly_away_from_the_ground(theme, vision):
    """More is darker on a light page and lighter on a dark one, in grey as well."""
    stops = ramp.RAMPS[theme == "dark"]
    assert TOKENS[theme]["--tk-ramp"].split(",") == list(stops), "the sheet and the images have the same ramp"
    shades = ["#" + "".join(f"{v:02x}" for v in ramp.ramp(stops, k / 16)) for k in range(17)]
    steps = [b - a for a, b in itertools.pairwise(lab(shade, vision)[0] for shade in shades)]
    away = 1 if theme == "dark" else -1
    assert all(2 <= away * step <= 10 for step in steps), steps


def test_states_differ_in_shape_and_word():
    kinds = ("ok", "warn", "bad", "none", "run")
    assert len({icons.PATHS[kind] for kind in kinds}) == 5
    assert len({look.text(look.card("t", state=kind)) for kind in kinds}) == 5


def test_lines_of_a_chart_differ_in_grey():
    assert len({dash for _, dash, _ in picture._STYLES}) == len(picture._STYLES)


def test_estimated_is_hatched_and_said():
    html = str(look.versus([look.Versus("cycles", 1, 2, est=True), look.Versus("size", 1, 2)]))
    rows = re.findall(r"<tr>.*?</tr>", html)[1:]
    assert ["est" in row for row in rows] == [True, False] and "estimated" in rows[0]
    rule = re.search(r"\.tk-bar>i\.est\{[^}]*\}", look.sheet()).group()
    assert "linear-gradient(135deg" in rule and "0 0/7px 7px" in rule  # a tile, again and again
