"""Make the sample sets data/words and data/noise again: spoken by a synthesiser, the same every time.

    python data/make_words.py [FOLDER]          about a minute; into FOLDER/words and FOLDER/noise

Needs espeak-ng (Debian: apt install espeak-ng); the committed sets were made with the version that
their cards name. Folders that are there already are moved to words.old and noise.old first.
"""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tinykit.data import Dataset, sound
from tinykit.data.noise import apart

RATE = 16000
KEYWORDS = ("left", "right", "up", "down", "go")
OWN = "marvin"  # for the lesson on a word of one's own
OTHERS = ("yes", "no", "stop", "bed", "cat", "eight", "four", "happy", "house", "one", "six", "tree", "two", "zero")
# Accent and voice of the made-up persons: espeak-ng's names. Robots and whisperers are left out.
PERSONS = (
    "en-gb+m1", "en-us+f2", "en-gb-scotland+m3", "en-us+m7", "en-gb-x-rp+f4", "en-029+m2", "en-gb+Annie",
    "en-us+Gene", "en-gb-x-gbclan+m5", "en-us-nyc+f3", "en-gb-x-gbcwmd+m4", "en-us+linda", "en-gb+Andy",
    "en-gb-scotland+f5", "en-us+Michael", "en-029+f1", "en-gb+paul", "en-us+steph", "en-gb-x-rp+m6", "en-us-nyc+Mario",
    "en-gb+Alicia", "en-us+ed", "en-gb-x-gbclan+f2", "en-us+m8", "en-gb-scotland+Lee", "en-us+belinda",
    "en-gb-x-gbcwmd+victor", "en-029+anika",
)  # fmt: skip
TALKERS = ("en-us+Denis", "en-gb+Andrea", "en-us+max", "en-gb-scotland+f4", "en-029+Hugo", "en-gb-x-rp+aunty")
TALK = (
    "The train was late again, so we walked along the river and bought some bread. Nobody knew where the key was. "
    "Perhaps it is under the blue chair, said my aunt, and she began to look for it. After lunch it rained for hours."
)
NOISE_S, NOISE_COUNTS = 10.0, 100.0
LICENCE = "MIT"
GPL = "espeak-ng itself is under the GPL 3; what it says is not part of it, and none of it is in here"


def random(*names) -> np.random.RandomState:
    """Random numbers that follow from names alone, in NumPy's frozen generator."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.RandomState(np.frombuffer(digest, "<u4"))


def speak(text: str, voice: str, speed: float, pitch: float) -> tuple[np.ndarray, int]:
    """What espeak-ng says: floats of full scale, and its rate."""
    command = ["espeak-ng", "-v", voice, "-s", str(round(speed)), "-p", str(round(pitch)), "--stdout", text]
    run = subprocess.run(command, capture_output=True, check=True)
    # Its header does not know the length when it is written to a pipe.
    data = run.stdout[:40] + (len(run.stdout) - 44).to_bytes(4, "little") + run.stdout[44:]
    return soundfile.read(io.BytesIO(data))


def trimmed(x: np.ndarray, share: float = 0.01) -> np.ndarray:
    """Without what is quieter than a share of the peak before and after."""
    loud = np.flatnonzero(np.abs(x) > share * np.abs(x).max())
    return x[loud[0] : loud[-1] + 1]


def pink(n: int, r, slope: float = 0.5) -> np.ndarray:
    """Noise whose amplitude falls with frequency to the power ``slope``; RMS 1."""
    spectrum = np.fft.rfft(r.randn(n))
    hz = np.fft.rfftfreq(n, 1 / RATE)
    x = np.fft.irfft(spectrum / np.maximum(hz, 30.0) ** slope, n)
    return x / x.std()


class Person:
    """How somebody speaks, into which microphone, in which room; made up."""

    def __init__(self, voice: str):
        r = random("person", voice)
        self.voice = voice
        self.speed, self.pitch = r.uniform(125, 185), r.uniform(25, 75)
        self.size = r.uniform(0.90, 1.12)  # of the vocal tract: formants and pitch move together
        self.level = 10 ** (r.uniform(-28, -12) / 20)  # peak
        self.tilt = r.uniform(-0.25, 0.35)
        self.echo_s, self.echo = r.uniform(0.04, 0.18), r.uniform(0.0, 0.25)
        self.noise, self.slope = 10 ** (r.uniform(-4.0, 10.0) / 20), r.uniform(0.2, 0.8)  # counts

    def say(self, word: str, number: int) -> np.ndarray:
        """One take of one second: int16."""
        r = random("take", self.voice, word, number)
        text = word + (".", "!", "?", ",")[r.randint(4)]
        size = self.size * r.uniform(0.98, 1.02)
        speed = self.speed * r.uniform(0.9, 1.12) * size
        x, rate = speak(text, self.voice, speed, self.pitch + r.uniform(-8, 8))
        x = trimmed(soxr.resample(x, rate * size, RATE))
        while len(x) > 0.92 * RATE:  # too slow for a second: faster
            speed *= 1.12
            x, rate = speak(text, self.voice, speed, self.pitch)
            x = trimmed(soxr.resample(x, rate * size, RATE))
        x = self.heard(x, r)
        free = RATE - len(x)
        start = int(np.clip(free / 2 + r.uniform(-0.12, 0.12) * RATE, 0.1 * free, 0.9 * free))
        clip = np.zeros(RATE)
        clip[start : start + len(x)] = x / np.abs(x).max() * self.level * 10 ** (r.uniform(-4, 4) / 20) * 32767
        clip += self.noise * pink(RATE, r, self.slope)
        return np.clip(np.rint(clip), -32768, 32767).astype(np.int16)

    def heard(self, x: np.ndarray, r) -> np.ndarray:
        """Through a microphone that is brighter or duller, in a room with a short echo."""
        tail = round(self.echo_s * RATE)
        room = random("room", self.voice).randn(tail) * np.exp(-5 * np.arange(tail) / tail) * self.echo / np.sqrt(tail)
        room[0] += 1.0
        n = len(x) + tail
        tilted = np.fft.irfft(np.fft.rfft(x, n) * np.fft.rfft(room, n), n)
        return trimmed(np.append(tilted[0], tilted[1:] - self.tilt * tilted[:-1]), 0.004)[: round(0.98 * RATE)]


def words() -> Dataset:
    """Every person says the keywords and the own word twice, other words once."""
    recordings = []
    for number, voice in enumerate(PERSONS, 1):
        person = Person(voice)
        name = f"{number:02d}-{voice.replace('+', '-')}"
        for word in (*KEYWORDS, OWN, *OTHERS):
            for take in range(2 if word in (*KEYWORDS, OWN) else 1):
                made = sound(person.say(word, take), label=word, person=name, id=f"{word}-{number:02d}-{take + 1}")
                recordings.append(made.with_(device="espeak-ng", source=f"espeak-ng -v {voice}"))
    return Dataset(
        recordings,
        {
            "name": "words",
            "sensor": "none: spoken by a synthesiser, 16 kHz",
            "description": "Synthetic: words spoken by espeak-ng in made-up voices, microphones and rooms. Good for "
            "learning the tools; what is measured on it says nothing about real voices.",
            "provenance": f"made by data/make_words.py with {version()}; {GPL}",
            "voices": list(PERSONS),
            **common(),
        },
    )


def hum(n, r):
    """Mains hum with its harmonics, and a little hiss."""
    t = np.arange(n) / RATE
    x = sum(np.sin(2 * np.pi * 50 * k * t + r.uniform(0, 6)) / k**1.1 for k in (1, 2, 3, 4, 6, 8, 12, 16))
    return x * (1 + 0.1 * np.sin(2 * np.pi * 0.4 * t)) + 0.05 * pink(n, r)


def fan(n, r):
    """Broad noise, stronger each time a blade passes."""
    t = np.arange(n) / RATE
    turns = 2 * np.pi * 23 * (t + 0.002 * np.sin(2 * np.pi * 0.3 * t))
    return pink(n, r, 0.7) * (1 + 0.5 * np.sin(turns)) + 0.3 * np.sin(7 * turns) + 0.1 * pink(n, r, 0.0)


def clatter(n, r, times=5.0, low=900, high=6500, seconds=0.05):
    """Blows on things that ring: dishes, at random times."""
    x = 0.02 * pink(n, r)
    for at in np.cumsum(r.exponential(1 / times, int(times * n / RATE * 2))):
        length = round(4 * seconds * RATE)
        start = round(at * RATE)
        if start + length >= n:
            break
        t = np.arange(length) / RATE
        tones = (np.sin(2 * np.pi * r.uniform(low, high) * t) * r.uniform(0.2, 1) for _ in range(5))
        blow = sum(tone * np.exp(-t / (seconds * r.uniform(0.3, 1))) for tone in tones)
        x[start : start + length] += 10 ** (r.uniform(-18, 0) / 20) * blow
    return x


def typing(n, r):
    """Keys: many short, dull clicks."""
    return clatter(n, r, 7.0, 300, 3500, 0.008) + 0.01 * pink(n, r)


def rain(n, r):
    """Drops without number, in gusts."""
    gusts = np.interp(np.arange(n), np.linspace(0, n, 12), r.uniform(0.4, 1.0, 12))
    return (pink(n, r, 0.1) + 3 * pink(n, r, 0.0) * (r.rand(n) < 0.003)) * gusts


def traffic(n, r):
    """Engines that come and go."""
    t = np.arange(n) / RATE
    x = 0.3 * pink(n, r, 1.0)
    for _ in range(5):
        near = np.exp(-(((t - r.uniform(0, n / RATE)) / r.uniform(0.8, 2.0)) ** 2))
        x += near * (pink(n, r, 0.9) + 0.4 * np.sin(2 * np.pi * r.uniform(60, 110) * t + 3 * np.sin(9 * t)))
    return x


def babble(n, r):
    """Six voices that are none of the persons, all talking at once."""
    x = np.zeros(n)
    for voice in TALKERS:
        y, rate = speak(TALK, voice, r.uniform(140, 190), r.uniform(30, 70))
        y = np.roll(np.resize(soxr.resample(y, rate, RATE), n), r.randint(n))
        x += r.uniform(0.6, 1.0) * y / y.std()
    return x + 0.05 * x.std() * pink(n, r)


def brown(n, r):
    """Noise that falls by 6 dB an octave."""
    return pink(n, r, 1.0)


def noise() -> Dataset:
    """Eight noises of ten seconds, given to the sides of a split by file."""
    recordings = []
    for make in (babble, brown, clatter, fan, hum, rain, traffic, typing):
        name = make.__name__
        x = make(round(NOISE_S * RATE), random("noise", name))
        x = np.clip(np.rint(x / x.std() * NOISE_COUNTS), -32768, 32767).astype(np.int16)
        recordings.append(sound(x, label="noise", word=name, id=name, person=f"noise-{name}", device="generator"))
    card = {
        "name": "noise",
        "sensor": "none: computed, 16 kHz",
        "description": "Synthetic: background noise, computed; the babble is spoken by espeak-ng. What is measured on "
        "it says nothing about real rooms.",
        "provenance": f"made by data/make_words.py with {version()}; {GPL}",
        "voices": list(TALKERS),
        **common(),
    }
    return apart(Dataset(recordings, card))


def common() -> dict:
    return {
        "synthetic": True,
        "licence": LICENCE,
        "consent": "not needed: nobody was recorded",
        "espeak_ng": version(),
        "files": "flac",
    }


def version() -> str:
    """Which espeak-ng speaks."""
    told = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    return "espeak-ng " + told.split(":")[1].split()[0]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for made in (words(), noise()):
        made.card["fingerprint"] = made.fingerprint
        made.card["recordings"] = len(made)
        place = folder / made.name
        if place.exists():
            place.rename(place.with_name(place.name + ".old"))
        saved = made.save(place)
        size = sum(p.stat().st_size for p in place.rglob("*") if p.is_file())
        print(saved.describe())
        print(f"fingerprint {saved.fingerprint}, {size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
