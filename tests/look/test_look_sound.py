"""Pictures of sound: the very samples and features, readable by others' programs, escaped, aligned."""

import base64
import io
import re
import wave

import numpy as np
import pytest

from tinykit import look
from tinykit.look import ramp

RNG = np.random.default_rng(5)
COUNTS = RNG.integers(-9000, 9000, 8000).astype(np.int16)


def test_the_wav_holds_the_very_samples():
    with wave.open(io.BytesIO(look.wav(COUNTS, 16000.0))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert (np.frombuffer(file.readframes(10**6), "<i2") == COUNTS).all()
    assert look.wav(COUNTS / np.float32(32768)) == look.wav(COUNTS)  # float of full scale loses nothing
    beyond = np.array([1.5, -1.5, np.nan])
    assert look.wav(beyond)[-6:] == np.array([32767, -32768, 0], "<i2").tobytes()


def test_soundfile_reads_the_wav():
    soundfile = pytest.importorskip("soundfile")
    samples, rate = soundfile.read(io.BytesIO(look.wav(COUNTS)), dtype="int16")
    assert rate == 16000 and (samples == COUNTS).all()


def test_the_player_carries_the_sound_and_says_what_it_leaves_out():
    html = look.player(COUNTS, 16000.0, 'a "label"')
    data = re.search(r"base64,([^\"]+)", html).group(1)
    assert base64.b64decode(data) == look.wav(COUNTS) and "a &quot;label&quot;" in html and "first" not in html
    short = look.player(COUNTS, 16000.0, seconds=0.25)
    assert base64.b64decode(re.search(r"base64,([^\"]+)", short).group(1)) == look.wav(COUNTS[:4000])
    assert "the first" in short


def test_the_envelope_is_the_lowest_and_highest_of_each_part():
    e = np.array(look.envelope(COUNTS, 80))
    assert e.shape == (80, 2)
    assert (e[:, 0] == COUNTS.reshape(80, 100).min(1) / 32768).all()
    assert (e[:, 1] == COUNTS.reshape(80, 100).max(1) / 32768).all()
    assert len(look.envelope(COUNTS[:3], 80)) == 3


@pytest.mark.parametrize("point", [(15, 0.425), (0, 0.67), (70, 0.25), (200, 0.2), (45, 0.125), (90, 0.3), (150, 0.07)])
def test_the_words_beside_a_point_cross_no_line(point):
    rates, missed = [0, 15, 15, 30, 30, 70, 200], [0.67, 0.6, 0.4, 0.38, 0.27, 0.25, 0.2]
    words = "23 of 40 found, 1 in 4 minutes"
    html = look.curve([("a", rates, missed)], (*point, words), 240)
    x, side, y = re.search(rf'class="k halo" x="([\d.]+)%" (.*) y="([\d.]+)">{words}', html).groups()
    # The picture 700 px wide, a letter 6.6 px: points of the line every pixel, and which are in the words' box.
    path = np.array(re.findall(r"([\d.]+) ([\d.]+)", re.search(r' d="M([^"]+)"', html).group(1)), float)
    across = np.linspace(0, 700, 701)
    first = 7 * float(x) + (-11 - 6.6 * len(words) if "end" in side else 11)
    inside = (across >= first) & (across <= first + 6.6 * len(words))
    down = 26 + np.interp(across, 0.7 * path[:, 0] + 1e-6 * np.arange(len(path)), path[:, 1])
    assert not float(y) - 11 < 26 < float(y) + 3, "the top line"
    assert first >= 0 and first + 6.6 * len(words) <= 700
    assert not ((down > float(y) - 11) & (down < float(y) + 3) & inside).any()


def test_the_ramps_png_is_read_by_others_and_has_the_ramps_colours():
    image = pytest.importorskip("PIL.Image")
    shares = np.array([[0.0, 0.25, 0.5], [0.75, 1.0, 7.0]])
    for uri, stops in zip(ramp.images(shares), ramp.RAMPS, strict=True):
        pixels = np.asarray(image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"), int)
        assert pixels.shape == (2, 3, 3)
        want = np.array([[ramp.ramp(stops, min(1, v)) for v in row] for row in shares])
        assert np.abs(pixels - want).max() <= 3  # 64 levels
        assert "#" + bytes(pixels[1, 1].tolist()).hex() == stops[-1]


def heard(title="", rows=24):
    values = np.linspace(0, 1, rows * 10).reshape(rows, 10)
    return look.Heard(COUNTS, 16000.0, values, 480, 320, title)


def test_features_stand_under_the_samples_they_come_from():
    html = look.features([heard()], [(0.5, "1 kHz")], (0.0, 1.0), "dB")
    x, width = map(float, re.search(r'<image class="hl" x="([\d.]+)%" y="64" width="([\d.]+)%"', html).groups())
    first = (x / 100 + width / 100 / 24 / 2) * len(COUNTS)  # the middle of the first column, in samples
    last = ((x + width) / 100 - width / 100 / 24 / 2) * len(COUNTS)
    assert first == pytest.approx(240, abs=1) and last == pytest.approx(23 * 320 + 240, abs=1)


def test_clips_share_one_scale_and_escape_their_titles():
    pytest.importorskip("PIL.Image")
    html = look.features([heard("<b>x</b>"), heard()], [(0.5, "<i>")], (0.0, 2.0), "dB")
    assert "<b>x</b>" not in html and "&lt;b&gt;x" in html and "&lt;i&gt;" in html
    assert html.count('<div class="cell">') == 2
    # Half of the scale is as far as these values go.
    from PIL import Image

    data = re.search(r'<image class="hl" [^>]*y="52"[^>]*base64,([^"]+)', html).group(1)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert pixels.max() == 32 and pixels.min() == 0
    assert pixels[-1, 0] == 0 and pixels[0, -1] == 32  # low features at the bottom, time to the right


def test_a_long_sound_keeps_its_short_events():
    values = np.zeros((6000, 4))
    values[3333] = 1.0
    html = look.features([look.Heard(COUNTS, 16000.0, values, 480, 320)], [], (0.0, 1.0), "")
    image = pytest.importorskip("PIL.Image")
    data = re.search(r'<image class="hl" [^>]*y="64"[^>]*base64,([^"]+)', html).group(1)
    pixels = np.asarray(image.open(io.BytesIO(base64.b64decode(data))))
    assert pixels.shape == (4, 1200) and (pixels.max(axis=0) == 63).sum() == 1


def test_nothing_at_all_is_drawn_without_complaint():
    assert "<svg" in look.wave(np.zeros(0, np.int16))
    html = look.features([look.Heard(np.zeros(100, np.int16), 16000.0, np.zeros((0, 40)), 480, 320)], [], (0, 1), "")
    assert "0 columns" in html
