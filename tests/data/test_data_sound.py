"""Sound as recordings: files in, counts kept exactly, windows with silence around short clips."""

import copy
import pickle
import wave

import numpy as np
import pytest
import soundfile

from tinykit.data import Dataset, Recording, open_dataset, read_audio, sound, units
from tinykit.data.audio import Stored, at_rate, fit, rms, to_flac, to_wav
from tinykit.errors import DataError


def tone(n=16000, hz=440.0, rate=16000, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(n) / rate)


def test_every_count_goes_to_float_and_back():
    every = np.arange(-32768, 32768).astype(np.int16)
    r = sound(every)
    assert r.samples.dtype == np.float32 and r.samples.shape == (65536, 1) and r.rate_hz == 16000
    assert r.samples.min() == -1 and r.samples.max() == np.float32(32767 / 32768)
    np.testing.assert_array_equal(r.counts()[:, 0], every)
    np.testing.assert_array_equal(sound(r.samples).counts()[:, 0], every)
    assert sound(r.samples).fingerprint == r.fingerprint != sound(every[::-1].copy()).fingerprint


def test_floats_become_counts_rounded_away_from_zero_and_saturated():
    x = np.array([0.0, 0.5 / 32768, -0.5 / 32768, 1.0, -1.5, 0.25])
    assert sound(x).counts()[:, 0].tolist() == [0, 1, -1, 32767, -32768, 8192]
    with pytest.raises(DataError, match="not a number"):
        sound([0.0, np.nan])
    with pytest.raises(DataError, match="one microphone"):
        sound(np.zeros((5, 2)))
    with pytest.raises(DataError, match="no samples"):
        sound(np.zeros(0))


def test_a_recording_of_sound_is_a_value_as_any_other():
    mine = np.array([1, 2, 3], np.int16)
    r = sound(mine, label="left", person="ann", id="x")
    mine[0] = 9
    assert r.counts()[0, 0] == 1 and not r.counts().flags.writeable and mine.flags.writeable
    other = r.with_(label="unknown", word="left")
    assert other.counts() is r.counts() and other.word == "left" and r.word == ""
    assert r.with_(samples=np.zeros(5, np.int16)).seconds == 5 / 16000
    for again in (copy.deepcopy(r), pickle.loads(pickle.dumps(r))):
        assert again.fingerprint == r.fingerprint and again.samples.tolist() == r.samples.tolist()
    with pytest.raises(AttributeError):
        r.nothing  # noqa: B018
    assert "audio" in repr(r)


def test_a_plain_wav_is_read_sample_by_sample(tmp_path):
    counts = (tone() * 32767).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:  # the standard library writes, soundfile reads
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
        file.writeframes(counts.tobytes())
    r = read_audio(tmp_path / "a.wav", label="tone")
    np.testing.assert_array_equal(r.counts()[:, 0], counts)
    assert (r.id, r.source, r.label, r.rate_hz) == ("a", "a.wav", "tone", 16000) and len(r.sha256) == 64
    for name, data in (("b.wav", to_wav(r)), ("b.flac", to_flac(r))):
        (tmp_path / name).write_bytes(data)
        np.testing.assert_array_equal(read_audio(tmp_path / name).counts(), r.counts())
    with wave.open(str(tmp_path / "b.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert file.readframes(99999) == counts.tobytes()


@pytest.mark.parametrize(
    "rate, name, subtype",
    [(44100, "a.wav", "PCM_16"), (48000, "a.flac", "PCM_24"), (8000, "a.wav", "FLOAT"), (16000, "a.ogg", "VORBIS")],
)
def test_any_rate_any_channels_become_one_at_16_khz(rate, name, subtype, tmp_path):
    x = tone(2 * rate, 440, rate)
    soundfile.write(tmp_path / name, np.column_stack([x, 0.5 * x]), rate, subtype)
    r = read_audio(tmp_path / name)
    assert abs(len(r) - 32000) <= 1 and r.rate_hz == 16000
    want = 0.75 * tone(32000)
    middle = slice(2000, 30000)
    error = r.samples[middle, 0] - want[middle]
    assert rms(error) < (0.02 if subtype == "VORBIS" else 2e-4) * rms(want)


def test_what_would_alias_is_gone():
    """11 kHz sampled at 48 kHz would fold to 5 kHz."""
    assert rms(at_rate(tone(48000, 11000, 48000), 48000)[500:-500]) < 1e-4
    assert rms(at_rate(tone(48000, 5000, 48000), 48000)[500:-500]) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


def test_files_that_are_no_sound_are_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF but no more")
    with pytest.raises(DataError, match="a.wav is not a sound file"):
        read_audio(tmp_path / "a.wav")
    with pytest.raises(DataError, match="b.wav cannot be read"):
        read_audio(tmp_path / "b.wav")
    soundfile.write(tmp_path / "c.wav", np.zeros(0), 16000)
    with pytest.raises(DataError, match="no samples"):
        read_audio(tmp_path / "c.wav")


def test_short_clips_get_silence_around_them_and_long_ones_several_windows():
    clip = np.full(10001, 7, np.int16)
    dataset = Dataset([sound(clip, label="a", id="1"), sound(np.arange(40000) % 100, label="b", id="2")])
    w = dataset.windows(16000, None, 16000.0, ("audio",), ("b", "a"))
    assert w.counts.shape == (5, 16000, 1) and w.counts.dtype == np.int16
    assert w.labels.tolist() == [1, 0, 0, 0, 0] and w.takes.tolist() == [0, 1, 1, 1, 1]
    before = (16000 - 10001) // 2
    assert w.starts[0] == -before
    want = np.zeros(16000, np.int16)
    want[before : before + 10001] = 7
    np.testing.assert_array_equal(w.counts[0, :, 0], want)
    assert w.starts[1:].tolist() == [0, 8000, 16000, 24000]


def test_windows_at_another_rate_are_resampled():
    r = sound(tone(8000, 440, 8000), 8000.0, label="a", id="1")
    w = Dataset([r]).windows(16000, rate_hz=16000.0)
    np.testing.assert_allclose(w.counts[0, 1000:-1000, 0] / 32768, tone()[1000:-1000], atol=1e-3)


@pytest.mark.parametrize("n", [3, 4, 10, 11])
def test_fit(n):
    x = np.arange(1, n + 1)
    for how in ("centre", "pad"):
        got = fit(x, 6, how)
        assert len(got) == 6 and got.dtype == x.dtype
        if n <= 6:
            assert got[got > 0].tolist() == x.tolist()
            left = int(np.argmax(got > 0))
            assert left == (0 if how == "pad" else (6 - n) // 2)
        else:
            assert got[0] == (1 if how == "pad" else 1 + (n - 6) // 2)
    with pytest.raises(DataError, match="no fit"):
        fit(x, 6, "stretch")


def test_a_stored_sound_is_read_when_it_is_used(tmp_path):
    (tmp_path / "a.wav").write_bytes(to_wav(sound(tone())))
    r = Recording(Stored(tmp_path / "a.wav", 16000), units.SOUND, 16000.0, label="a", id="1")
    assert len(r) == 16000 and r.seconds == 1
    assert r.fingerprint == sound(tone()).fingerprint == r.with_(label="b").fingerprint
    np.testing.assert_array_equal(Dataset([r]).windows(16000).counts[0], r.counts())
    (tmp_path / "a.wav").write_bytes(to_wav(sound(tone(5))))
    with pytest.raises(DataError, match="5 samples; it had 16000"):
        r.counts()


def test_sound_is_told_as_sound(tmp_path):
    dataset = Dataset([sound(tone(), label="a", id="1")])
    assert "of full scale" in dataset.describe() and "deg/s" not in dataset.describe() + dataset._repr_html_()
    (tmp_path / "a.wav").write_bytes(to_wav(dataset[0]))
    assert open_dataset(tmp_path / "a.wav")[0].fingerprint == dataset[0].fingerprint
