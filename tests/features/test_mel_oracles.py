"""The mel front end against tf.signal, librosa, and the definitions in float64."""

import ctypes

import numpy as np
import pytest
from sounds import FRONTS, made_up, named, probe, spoken

from tinykit.features import features, frames, load_core
from tinykit.features.mel import points, weights
from tinykit.pipeline import MelFrontEnd


@pytest.fixture(scope="module")
def clips(shared_data):
    return spoken(shared_data, 60)


def close(ours, theirs, most=2e-4):
    """Within `most` everywhere, 2e-5 on average. float32 allows no more: a quiet band is summed up out of
    bins that carry rounding errors of the loudest ones, 1e-7 of these, whoever computes them."""
    error = np.abs(ours.astype(np.float64) - theirs)
    assert ours.shape == theirs.shape
    assert error.max() < most and error.mean() < most / 10, (error.max(), error.mean())


def in_float64(clip, front):
    """By the docstring of MelFrontEnd, bin by bin, with no library but numpy's FFT."""
    window = np.sin(np.pi * np.arange(front.frame) / front.frame) ** 2
    n = points(front.frame)

    def mel(hz):
        return 1127.01048 * np.log(1 + hz / 700)

    edges = [mel(front.low_hz) + (mel(front.high_hz) - mel(front.low_hz)) * i / (front.mels + 1) for i in
             range(front.mels + 2)]  # fmt: skip
    rows = []
    for k in range(front.rows(len(clip))):
        frame = clip[k * front.hop : k * front.hop + front.frame] / 32768
        power = np.abs(np.fft.rfft(frame * window, n)) ** 2
        at = mel(np.arange(n // 2 + 1) * 16000 / n)
        bands = [np.sum(power * np.interp(at, edges[b : b + 3], [0, 1, 0], 0, 0)) for b in range(front.mels)]
        logs = np.log(np.array(bands) + front.floor)
        if front.coefficients:
            b, n_bands = np.arange(front.mels), front.mels
            cosines = [np.cos(np.pi * c * (2 * b + 1) / 2 / n_bands) for c in range(front.coefficients)]
            logs = [np.sqrt((1 + (c > 0)) / n_bands) * np.sum(logs * row) for c, row in enumerate(cosines)]
        rows.append(logs)
    return np.array(rows)


@pytest.mark.parametrize("front", FRONTS, ids=named)
def test_definition(front, clips):
    sounds = clips[:4]
    if front.floor >= 1e-4:
        sounds = np.concatenate([sounds, made_up()])
    for sound in sounds:
        # Beside a loud tone, what float32 leaves of silence is 1e-14 of its power, whatever the floor.
        close(frames(sound, front), in_float64(sound, front), 2e-4 if front.floor >= 1e-4 else 0.02)


@pytest.mark.parametrize("front", FRONTS[:4], ids=named)
def test_tf_signal(front, clips):
    tf = pytest.importorskip("tensorflow")
    with tf.device("CPU"):
        sound = tf.constant(clips / np.float32(32768), tf.float32)
        spectrum = tf.signal.stft(sound, front.frame, front.hop, points(front.frame))
        matrix = tf.signal.linear_to_mel_weight_matrix(
            front.mels, points(front.frame) // 2 + 1, 16000, front.low_hz, front.high_hz
        )
        logs = tf.math.log(tf.tensordot(tf.abs(spectrum) ** 2, matrix, 1) + front.floor)
        theirs = logs.numpy()
        if front.coefficients:
            theirs = tf.signal.mfccs_from_log_mel_spectrograms(logs).numpy()[..., : front.coefficients]
            theirs[..., 0] /= np.sqrt(2)  # theirs is not orthonormal there
    close(features(clips, front), theirs, 1e-3 if front.floor < 1e-4 else 3e-4)


@pytest.mark.parametrize("front", FRONTS[:4], ids=named)
def test_librosa(front, clips):
    """librosa's spectrum and DCT. Its triangles have straight sides in hertz: HTK's, in mel, are put in place."""
    librosa = pytest.importorskip("librosa")
    n = points(front.frame)
    for clip in clips[::3]:
        sound = clip / np.float32(32768)
        # librosa sets a short frame in the middle of a long FFT; power does not see that.
        sound = np.pad(sound, ((n - front.frame) // 2, n))
        power = np.abs(librosa.stft(sound, n_fft=n, hop_length=front.hop, win_length=front.frame, center=False)) ** 2
        logs = np.log(weights(front).T @ power[:, : front.rows(len(clip))] + front.floor)
        if front.coefficients:
            logs = librosa.feature.mfcc(S=logs, n_mfcc=front.coefficients, dct_type=2, norm="ortho")
        close(frames(clip, front), logs.T, 1e-3 if front.floor < 1e-4 else 3e-4)


def test_librosas_own_mel_spectrogram_is_near(clips):
    """The whole of librosa, with its triangles: another filter bank, so only much the same picture."""
    librosa = pytest.importorskip("librosa")
    front = MelFrontEnd()
    for clip in clips[::10]:
        theirs = librosa.feature.melspectrogram(
            y=np.pad(clip / np.float32(32768), (16, 512)), sr=16000, n_fft=512, hop_length=320, win_length=480,
            center=False, n_mels=40, fmin=60, fmax=7600, htk=True, norm=None,
        )  # fmt: skip
        theirs = np.log(theirs.T[:49] + front.floor)
        assert np.abs(frames(clip, front) - theirs).mean() < 0.1


def test_triangles_are_those_of_tf_signal():
    tf = pytest.importorskip("tensorflow")
    for front in FRONTS:
        theirs = tf.signal.linear_to_mel_weight_matrix(
            front.mels, points(front.frame) // 2 + 1, 16000, front.low_hz, front.high_hz, tf.float64
        ).numpy()
        assert np.abs(weights(front) - theirs).max() < 1e-9


def test_logarithm():
    """Every mantissa in two octaves about 1, samples of them from 1e-37 to 1e37: units in the last place."""
    library = probe()

    def error(x):
        y = np.empty_like(x)
        library.probe_ln(ctypes.c_void_p(x.ctypes.data), len(x), ctypes.c_void_p(y.ctypes.data))
        exact = np.log(x.astype(np.float64))
        return np.abs(y - exact), np.spacing(np.abs(exact).astype(np.float32))

    around = np.arange(0x3F000000, 0x40000000, dtype=np.uint32).view(np.float32)
    off, last_place = error(around)
    assert off.max() < 5e-8
    assert (off / last_place)[np.abs(around - 1) > 1e-6].max() < 1.6
    some = around[::997]
    for exponent in range(-124, 125, 4):
        off, last_place = error(some * np.float32(2.0**exponent))
        assert (off / last_place).max() < 1.6, exponent


def test_twiddles_are_rounded_once():
    turns = np.ctypeslib.as_array((ctypes.c_float * 1536).in_dll(load_core(), "tk_fft_turns")).reshape(768, 2)
    k = np.arange(768)
    turn = (k % 256) / 1024 * 2 * np.pi  # exact quarters: cos(pi / 2) is 6e-17 in float64
    c, s = np.cos(turn), np.sin(turn)
    exact = np.where((k < 256)[:, None], np.array([c, s]).T, np.where((k < 512)[:, None], np.array([-s, c]).T,
                     np.array([-c, -s]).T))  # fmt: skip
    assert np.array_equal(turns, exact.astype(np.float32))
