"""Let speech synthesisers say many words in many voices: what the backbone learns from beside real speech.

    python data/backbone/speak.py --out synthetic.npz          about five minutes, 300 MB

Needs espeak-ng and flite (Debian: apt install espeak-ng flite). Nothing of it is committed: the
same seed gives the same choice of voices, and the synthesisers' versions are noted in the file.
The words are words.txt; those in KEPT_OUT are spoken nowhere, so that transfer to them can be tested.
"""

import argparse
import io
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import soxr

HERE = Path(__file__).resolve().parent
KEPT_OUT = ("cat", "happy", "house", "marvin", "sheila", "zero")
ACCENTS = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-029", "en-us-nyc")
VARIANTS = (
    "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 adam Alicia Andrea Andy Annie AnxiousAndy Antonio Diogo Gene Gene2 "
    "Henrique Hugo Jacky Lee Mario Michael Mike Marco Alex Denis Nguyen Norbert Tweaky anika antonio aunty belinda "
    "benjamin boris caleb david ed edward edward2 fast grandma grandpa gustave ian iven iven2 iven3 iven4 john "
    "kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 linda marcelo max michel miguel norbert pablo paul pedro "
    "quincy rob robert shelby steph steph2 steph3 travis victor zac"
).split()
FLITE = ("awb", "rms", "slt", "kal16")
RATE = 16000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--espeak", type=int, default=8, help="voices of espeak-ng per word")
    parser.add_argument("--flite", type=int, default=4, help="voices of flite per word")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    words = sorted(set((HERE / "words.txt").read_text(encoding="utf-8").split()))
    assert not set(words) & set(KEPT_OUT)
    rng = np.random.default_rng(args.seed)
    jobs = [(w, espeak_voice(rng)) for w in words for _ in range(args.espeak)]
    jobs += [(w, flite_voice(rng)) for w in words for _ in range(args.flite)]
    with ThreadPoolExecutor(2) as pool:
        clips = list(pool.map(lambda job: spoken(*job), jobs, chunksize=32))
    kept = [(job[0], clip) for job, clip in zip(jobs, clips, strict=True) if clip is not None]
    told = [subprocess.run([p, "--version"], capture_output=True, text=True).stdout for p in ("espeak-ng", "flite")]
    versions = [
        re.search(pattern, text)[0]
        for pattern, text in zip((r"eSpeak NG.*?[\d.]+", r"flite-[\d.]+"), told, strict=True)
    ]
    np.savez(
        args.out,
        samples=np.concatenate([c for _, c in kept]),
        lengths=np.array([len(c) for _, c in kept], np.int32),
        words=np.array([w for w, _ in kept]),
        versions=np.array(versions),
    )
    minutes = sum(len(c) for _, c in kept) / RATE / 60
    print(f"{len(kept)} of {len(jobs)} clips of {len(words)} words, {minutes:.0f} minutes")


def espeak_voice(rng):
    voice = f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}"
    pitch, speed, gap = rng.integers(15, 86), rng.integers(110, 200), rng.uniform(0.9, 1.15)
    return ("espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"), gap


def flite_voice(rng):
    voice = str(rng.choice(FLITE))
    mean = {"awb": 140, "rms": 100, "slt": 180, "kal16": 105}[voice] * rng.uniform(0.85, 1.2)
    stretch = rng.uniform(0.8, 1.35)
    command = ("flite", "-voice", voice, "--setf", f"int_f0_target_mean={mean:.0f}",
               "--setf", f"duration_stretch={stretch:.2f}", "-o", "/dev/stdout", "-t")  # fmt: skip
    return command, rng.uniform(0.82, 1.2)


def spoken(word, voice):
    """One clip, int16 at 16 kHz, silence at its ends cut; None when nothing usable came."""
    command, tract = voice
    run = subprocess.run([*command, word], capture_output=True)
    try:
        x, rate = soundfile.read(io.BytesIO(run.stdout), dtype="float32")
    except soundfile.SoundFileError:
        return None
    # Played at another rate: another length of the vocal tract, so another speaker.
    x = soxr.resample(x, rate * tract, RATE)
    return trimmed(x)


def trimmed(x):
    if not len(x):
        return None
    loud = np.flatnonzero(np.abs(x) > 0.02 * np.abs(x).max())
    x = x[loud[0] : loud[-1] + 1]
    if not 0.12 * RATE < len(x) < 1.4 * RATE or not np.abs(x).max() > 0:
        return None
    return np.round(x / np.abs(x).max() * 20000).astype(np.int16)


if __name__ == "__main__":
    main()
