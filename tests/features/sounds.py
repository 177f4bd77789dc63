"""Front ends and sounds that the tests of the mel front end share."""

import ctypes

import numpy as np

from tinykit.pipeline import MelFrontEnd

FRONTS = [
    MelFrontEnd(),
    MelFrontEnd(coefficients=10),
    MelFrontEnd(frame=640, hop=320, mels=40, low_hz=20.0, high_hz=4000.0, coefficients=40, floor=1e-6),
    MelFrontEnd(frame=256, hop=128, mels=20, low_hz=300.0, high_hz=4000.0),
    MelFrontEnd(frame=130, hop=129, mels=1, low_hz=3000.0, high_hz=3999.0, coefficients=1),
    MelFrontEnd(frame=1024, hop=512, mels=80, low_hz=0.0, high_hz=8000.0, coefficients=13, floor=1e-20),
]


def named(front):
    return f"{front.frame}-{front.mels}-{front.coefficients}"


def made_up(samples=16000, seed=0):
    """Sounds that are hard in one way each: int16 (n, samples)."""
    rng, t = np.random.default_rng(seed), np.arange(samples)
    sounds = [
        np.zeros(samples),
        np.full(samples, -32768),
        np.where(t % 2, 32767, -32768),
        rng.integers(-32768, 32768, samples),
        rng.integers(-1, 2, samples),
        np.where(t % 4999 == 0, 1, 0),
        20000 * np.sin(0.3 * t),
        np.where((t > 5000) & (t < 9000), 32767 * np.sign(np.sin(t * t * 1e-5)), 0),
        rng.normal(size=samples) * 3000 * np.exp(-t / 4000),
    ]
    return np.array(sounds).astype(np.int16)


def spoken(folder, n):
    """Real clips of one second: int16 (n, 16000), evenly out of all words and speakers."""
    import soundfile

    files = sorted((folder / "speech_commands").rglob("*.wav"))
    clips = np.zeros((n, 16000), np.int16)
    for clip, path in zip(clips, files[:: max(1, len(files) // n)], strict=False):
        sound = soundfile.read(path, dtype="int16")[0][:16000]
        clip[: len(sound)] = sound
    assert np.count_nonzero(clips.any(axis=1)) == n
    return clips


def probe(keep=None):
    """mel_probe.c with the front end: the library for this computer, or with ``keep`` an image for the core."""
    from pathlib import Path

    from tinykit import toolchain

    source = toolchain.hardware_dir() / "TinyKit" / "src"
    sources = [Path(__file__).parent / "mel_probe.c", source / "tk_mel.c", source / "tk_fft.c"]
    if keep:
        libc = toolchain.hardware_dir() / "virtual" / "libc"
        return toolchain.arm_image(sources, [source, libc], name="mel", keep=keep)
    return ctypes.CDLL(str(toolchain.host_library(sources, [source], name="mel")))
