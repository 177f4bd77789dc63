"""Train the backbone that tinykit ships: real words of Speech Commands, and many synthetic ones.

    python data/backbone/speak.py --out synthetic.npz
    python data/backbone/make.py --speech SPEECH_COMMANDS --synthetic synthetic.npz --out data/backbone

Of Speech Commands only the training side's speakers are heard (by the authors' own hash rule), and
none of the words KEPT_OUT; those words are not spoken by the synthesisers either. So transfer to
them, and to speakers of the other sides, can be tested. About a quarter of an hour on two cores.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # quicker; the weights are shipped, not made again elsewhere

import numpy as np  # noqa: E402
from scipy.signal import fftconvolve  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from speak import KEPT_OUT  # noqa: E402

from tinykit.data import open_dataset, open_noise  # noqa: E402
from tinykit.data.audio import fit as fit_length  # noqa: E402
from tinykit.features import features  # noqa: E402
from tinykit.models import backbone, fit, noises, sound  # noqa: E402
from tinykit.models.backend import keras, versions  # noqa: E402
from tinykit.models.keyword import measured  # noqa: E402
from tinykit.pipeline import MelFrontEnd  # noqa: E402

WINDOW, RATE, BATCH = 16000, 16000, 128
REAL, MADE = 2560, 4096  # clips an epoch
HOW = sound.SoundAugment(
    shift_s=0.15, speed=0.08, noisy=0.7, snr_db=(0.0, 25.0), gain_db=15.0, silence=0.05, warp_mel=0.06, warp_time=0.08,
    colour=0.5, gap_time=8, gap_mel=6,
)  # fmt: skip
NOISE = "noise"


class Batches:
    """Real and synthetic clips of an epoch, each changed."""

    def __init__(self, real, made, bank, front_end, names, rng):
        self.real, self.made, self.bank, self.front_end, self.rng = real, made, bank, front_end, rng
        self.names, self.labels = names, len(names)
        count = Counter(real[1].tolist())
        self.chance = np.array([count[i] ** -0.5 for i in real[1].tolist()])
        self.chance /= self.chance.sum()
        self.size = BATCH
        self.steps = (REAL + MADE + int(HOW.silence * (REAL + MADE))) // BATCH

    def draw(self):
        rng = self.rng
        a = rng.choice(len(self.real[0]), REAL, p=self.chance)
        b = rng.choice(len(self.made[1]), MADE, replace=len(self.made[1]) < MADE)
        x = np.concatenate([self.real[0][a], placed(rng, self.made, b)])
        y = np.concatenate([self.real[1][a], self.made[1][b]])
        x = in_rooms(rng, x, 0.3)
        return sound.draw(rng, x, y, self.bank, HOW, self.names.index(NOISE), RATE)

    def epoch(self):
        x, y = self.draw()
        order = self.rng.permutation(len(x))[: self.steps * self.size]
        seen = features(x[order][..., None], self.front_end)
        return sound.vary(self.rng, seen, HOW, self.front_end.scale), np.eye(self.labels, dtype=np.float32)[y[order]]

    def keep(self, epoch):
        done = epoch * self.steps
        return min(0.998, (1 + done) / (10 + done))

    def class_weights(self):
        return np.ones(self.labels, np.float32)


def placed(rng, made, rows):
    """Synthetic clips somewhere in a second, at the loudness of real ones."""
    clips, _ = made
    out = np.zeros((len(rows), WINDOW), np.float32)
    for i, row in enumerate(rows):
        clip = clips[row][:WINDOW]
        first = rng.integers(0, WINDOW - len(clip) + 1)
        out[i, first : first + len(clip)] = clip * 10 ** (rng.uniform(-20, 0) / 20)
    return np.rint(out).astype(np.int16)


def in_rooms(rng, x, share):
    """Some clips with the echo of a room: noise that dies away over 0.1 to 0.5 s."""
    some = np.flatnonzero(rng.random(len(x)) < share)
    t = np.arange(RATE // 2) / RATE
    out = x.astype(np.float32)
    decay = rng.uniform(0.1, 0.5, size=(len(some), 1)) / 6.9
    tail = rng.normal(size=(len(some), len(t))).astype(np.float32) * np.exp(-t / decay).astype(np.float32)
    tail /= np.sqrt((tail**2).sum(axis=1, keepdims=True))
    tail *= rng.uniform(0.1, 0.8, size=(len(some), 1)).astype(np.float32)
    tail[:, 0] = 1.0
    for at in range(0, len(some), 256):
        rows = some[at : at + 256]
        out[rows] = fftconvolve(out[rows], tail[at : at + 256], axes=1)[:, :WINDOW]
    return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def real_words(folder, side, kept_out):
    """Clips int16 (n, WINDOW), their words and their speakers."""
    some = [r for r in open_dataset(folder) if r.split == side and r.label not in kept_out]
    clips = np.stack([fit_length(r.counts()[:, 0], WINDOW) for r in some])
    return clips, [r.label for r in some], [r.person for r in some]


def synthetic(path, kept_out):
    """Clips as a list of int16 arrays, and their words."""
    with np.load(path) as file:
        samples, ends, words = file["samples"], np.cumsum(file["lengths"]), file["words"].tolist()
        made_by = file["versions"].tolist()
    clips = np.split(samples, ends[:-1])
    kept = [i for i, w in enumerate(words) if w not in kept_out]
    return [clips[i] for i in kept], [words[i] for i in kept], made_by


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True, help="Speech Commands, noise beside or in it")
    parser.add_argument("--synthetic", type=Path, required=True, help="what speak.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="go on from this backbone instead of from random weights")
    parser.add_argument("--also-out", default="", help="further words to keep out, for experiments: bed,eight")
    parser.add_argument("--stock", type=int, default=2400, help="windows in the stock")
    args = parser.parse_args()
    kept_out = {*KEPT_OUT, *filter(None, args.also_out.split(","))}
    started = time.time()
    clips, words, persons = real_words(args.speech, "training", kept_out)
    made, made_words, made_by = synthetic(args.synthetic, kept_out)
    names = [NOISE, *sorted({*words, *made_words})]
    number = {w: i for i, w in enumerate(names)}
    real = clips, np.array([number[w] for w in words])
    made = made, np.array([number[w] for w in made_words])
    rng = fit.seeded(args.seed)
    recorded = [r.samples[:, 0] for r in open_noise(args.speech) if r.split == "training"]
    babble = np.concatenate([clips[::4], placed(rng, made, rng.choice(len(made[1]), min(500, len(made[1]))))])
    bank = noises.bank(rng, recorded, babble)
    batches = Batches(real, made, bank, None, names, rng)
    front_end = measured(MelFrontEnd(), batches.draw()[0][:2000])
    batches.front_end = front_end
    base = backbone.network(front_end.rows(WINDOW), len(front_end.features))
    before = backbone.load(args.start) if args.start else None
    if before:
        base.set_weights(before.network.get_weights())
        batches.front_end = front_end = before.front_end
    print(f"{len(clips)} real clips of {len(set(words))} words, {len(made[1])} synthetic of {len(set(made_words))}; "
          f"{base.count_params():,} weights", flush=True)  # fmt: skip
    k = keras()
    x = k.layers.Dropout(0.1)(base.output)
    whole = k.Model(base.input, k.layers.Dense(len(names), activation="softmax")(x))
    say = lambda done, of, text: print(f"{done}/{of} {text} {time.time() - started:.0f} s", flush=True)  # noqa: E731
    history = fit.fit(whole, batches, args.epochs, None, say, keep=batches.keep)

    held, held_words, _ = real_words(args.speech, "validation", kept_out)
    p = fit.outputs(whole, features(held[..., None], front_end))
    truth = np.array([number[w] for w in held_words])
    made_backbone = backbone.Backbone(base, front_end)
    stock, stock_words = stock_of(made_backbone, real, made, bank, names, rng, args.stock)
    card = {
        "what": "49 x 40 log-mel to 96 numbers; trained to tell words apart",
        "heard": {
            "real": " ".join(f"{word} {n}" for word, n in sorted(Counter(words).items())),
            "synthetic": f"{len(set(made_words))} words of words.txt, 12 voices each",
        },
        "words": " ".join(sorted({*words, *made_words})),
        "kept_out": sorted(kept_out),
        "speakers": len(set(persons)),
        "side": "training speakers of Speech Commands only, by the authors' hash rule",
        "licence": "CC BY 4.0 for what derives from Speech Commands (P. Warden, 2017/2018, arXiv:1804.03209)",
        "synthesisers": made_by,
        "validation": {
            "what": f"real words of speakers not heard, among {len(names)} classes",
            "clips": len(truth),
            "accuracy": round(float((p.argmax(1) == truth).mean()), 4),
        },
        "epochs": args.epochs + (before.card["epochs"] if before else 0),
        "seed": args.seed,
        "loss": history["loss"][-1],
        "seconds": round(time.time() - started),
        "versions": versions(),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    backbone.save(backbone.Backbone(base, front_end, stock, stock_words, card), args.out)
    print(f"validation accuracy {card['validation']['accuracy']:.3f} of {len(truth)}, {card['seconds']} s", flush=True)


def stock_of(trained, real, made, bank, names, rng, windows):
    """Embeddings of windows out of running speech: words at any place, cut, one after the other, under noise."""
    lengths = rng.integers(3000, 16000, size=windows)
    x, words = np.zeros((windows, WINDOW), np.float32), []
    chance = np.array([Counter(real[1].tolist())[i] ** -0.5 for i in real[1].tolist()])
    for i in range(windows):
        at, first = -int(rng.integers(0, 9000)), None
        while at < WINDOW:
            if i % 3:
                j = rng.choice(len(real[1]), p=chance / chance.sum())
                clip, word = edges_cut(real[0][j]), names[real[1][j]]
            else:
                j = rng.integers(len(made[1]))
                clip, word = made[0][j], names[made[1][j]]
            a, b = max(0, at), min(WINDOW, at + len(clip))
            if b > a:
                level = 2000 / (np.sqrt(np.mean(clip.astype(np.float32) ** 2)) + 1) * 10 ** (rng.uniform(-15, 10) / 20)
                x[i, a:b] += clip[a - at : b - at] * level
                first = first if first and b - a < WINDOW // 4 else word
            at += len(clip) + int(lengths[i])
        words.append(first or NOISE)
    x[: windows // 12] = 0
    words[: windows // 12] = [NOISE] * (windows // 12)
    loud = 10 ** rng.uniform(1.0, 3.2, size=windows)
    x += noises.pieces(rng, bank, windows, WINDOW) * loud[:, None].astype(np.float32)
    counts = np.clip(np.rint(x), -32768, 32767).astype(np.int16)
    return trained.embed(counts), np.array(words)


def edges_cut(clip):
    """A clip without the quiet at its ends."""
    level = np.convolve(np.abs(clip.astype(np.float32)), np.ones(400) / 400, "same")
    loud = np.flatnonzero(level > 0.1 * level.max())
    return clip[max(0, loud[0] - 800) : loud[-1] + 800] if len(loud) else clip


if __name__ == "__main__":
    main()
