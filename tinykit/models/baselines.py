"""What simple methods reach on the same recordings: the mark that a deep model has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import look
from ..data import units
from ..data.keywords import keywords
from ..features import features
from ..pipeline import MelFrontEnd
from . import defaults, keyword
from .report import Report


def summary(counts) -> np.ndarray:
    """Summary features of windows.

    Per channel: mean, standard deviation, minimum, maximum, quartiles, mean absolute step,
    energy in four bands of frequency, and the mean of each third; between channels: the
    correlations; of each sensor: mean and standard deviation of the vector's length.

    Parameters
    ----------
    counts : array of shape (n, window, c)

    Returns
    -------
    float64 array of shape (n, features)
    """
    x = np.asarray(counts, np.float64)
    n, window, c = x.shape
    parts = [x.mean(1), x.std(1), x.min(1), x.max(1), np.abs(np.diff(x, axis=1)).mean(1)]
    parts += list(np.percentile(x, [25, 50, 75], axis=1))
    parts += [third.mean(1) for third in np.array_split(x, 3, axis=1)]
    power = np.abs(np.fft.rfft(x - x.mean(1, keepdims=True), axis=1))[:, 1:] ** 2
    edges = np.unique(np.geomspace(1, power.shape[1] + 1, 5).astype(int))
    parts += [np.log1p(power[:, a - 1 : b - 1].sum(1)) for a, b in zip(edges, edges[1:], strict=False)]
    unit = (x - x.mean(1, keepdims=True)) / (x.std(1, keepdims=True) + 1e-9)
    parts += [(unit[..., i] * unit[..., j]).mean(1)[:, None] for i in range(c) for j in range(i)]
    for first in range(0, c - 2, 3):
        size = np.linalg.norm(x[..., first : first + 3], axis=2)
        parts += [size.mean(1)[:, None], size.std(1)[:, None]]
    return np.concatenate(parts, axis=1)


def sound_summary(counts, bins: int = 10) -> np.ndarray:
    """Summary features of clips of sound: statistics of MFCC, and their means in stretches of time.

    Parameters
    ----------
    counts : int16 array of shape (n, window, 1)
    bins : int
        Stretches.

    Returns
    -------
    float64 array of shape (n, features)
        Of each of 13 MFCC: mean, standard deviation, minimum, maximum, quartiles, mean absolute
        step, and the mean in each stretch; what is loud in the clip is brought to its middle.
    """
    x = features(_centred(counts), MelFrontEnd(coefficients=13)).astype(np.float64)
    parts = [x.mean(1), x.std(1), x.min(1), x.max(1), np.abs(np.diff(x, axis=1)).mean(1)]
    parts += list(np.percentile(x, [25, 50, 75], axis=1))
    parts += [stretch.mean(1) for stretch in np.array_split(x, bins, axis=1)]
    return np.concatenate(parts, axis=1)


def _centred(counts, step: int = 80) -> np.ndarray:
    """Clips turned round, by whole ``step`` samples, so that what is loud is in the middle."""
    n, window = counts.shape[:2]
    steps = window // step
    energy = (counts[:, : steps * step, 0].astype(np.float64) ** 2).reshape(n, steps, step).sum(axis=2)
    near = np.fft.rfft(np.roll(np.hanning(steps), -(steps // 2)))  # of a point: most weight on what is close
    loudest = np.argmax(np.fft.irfft(np.fft.rfft(energy, axis=1) * near.conj(), steps, axis=1), axis=1)
    at = (np.arange(window) + (loudest[:, None] * step - window // 2)) % window
    return np.take_along_axis(counts, at[..., None], axis=1)


@dataclass(frozen=True, eq=False)
class Baselines:
    """Reports of the simple methods on one test set.

    Parameters
    ----------
    reports : dict of str to Report
    """

    reports: dict[str, Report]

    def __getitem__(self, name: str) -> Report:
        return self.reports[name]

    @property
    def best(self) -> tuple[str, Report]:
        """The one with the highest accuracy."""
        return max(self.reports.items(), key=lambda item: item[1].accuracy)

    def verdict(self, report: Report) -> str:
        """One sentence: whether a deep model beat the simple ones on the same test."""
        name, other = self.best
        gain = report.right - other.right
        unit = f"{report.unit}{'s' if abs(gain) != 1 else ''}"
        scores = f"{report.accuracy:.3f} against {other.accuracy:.3f}"
        if gain > 0:
            return f"The network beats the {name} by {gain} {unit} of {len(report)}: {scores}."
        if gain == 0:
            return f"The network does not beat the {name}: both {scores.split()[0]}. The simple method is enough here."
        return f"The network does not beat the {name}: {scores}, {-gain} {unit} fewer of {len(report)}."

    def as_dict(self) -> dict:
        """Plain numbers, for JSON."""
        return {name: report.as_dict() for name, report in self.reports.items()}

    def __repr__(self) -> str:
        return "\n".join(
            f"{name}: accuracy {r.accuracy:.3f} ({r.right} of {len(r)} {r.unit}s), macro F1 {r.macro_f1:.3f}"
            for name, r in self.reports.items()
        )

    def _repr_html_(self) -> str:
        rows = [
            (name, look.bar(r.accuracy), look.percent(r.accuracy), f"{r.right} of {len(r)}", f"{r.macro_f1:.3f}")
            for name, r in self.reports.items()
        ]
        first = next(iter(self.reports.values()))
        return str(
            look.card(
                "Baselines",
                f"on summary features, {len(first)} {first.unit}s",
                look.table(rows, ["method", "", "accuracy", "", "macro F1"], "llrrr", "Accuracy of the simple methods"),
            )
        )


def baselines(
    train, test, *, seed: int = 0, window_s=None, rate_hz=None, channels=None, words=None, noise=None
) -> Baselines:
    """Logistic regression and a random forest on summary features.

    The windows, the labels and the scoring are those of ``train`` and of every other test
    here: a take's answer is the mean of its windows' probabilities.

    Parameters
    ----------
    train, test : Dataset
    seed : int
    window_s, rate_hz, channels, words, noise : optional
        As in ``tinykit.train``. Recordings of sound are a keyword task; ``test`` has its labels
        (``tinykit.data.keywords``), or each other word in it becomes ``"unknown"``.

    Returns
    -------
    Baselines

    Raises
    ------
    DataError
        As ``tinykit.train``.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if tuple(train.channels) == units.SOUND:
        sides, describe, weights = _words(train, test, words, noise, seed), sound_summary, None
        strength = 0.1
    else:
        defaults.check(train, window_s)
        chosen = defaults.choose(train, window_s=window_s, rate_hz=rate_hz, channels=channels)
        sides = [
            side.windows(chosen.window, None, chosen.rate_hz, chosen.channels, train.labels) for side in (train, test)
        ]
        describe, weights, strength = summary, "balanced", 0.3
    known = sides[0].select(sides[0].labels >= 0)
    x, z = describe(known.counts), describe(sides[1].counts)
    methods = {
        "logistic regression": make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, max_iter=3000, class_weight=weights)
        ),
        "random forest": RandomForestClassifier(300, class_weight="balanced_subsample", random_state=seed),
    }
    reports = {}
    for name, method in methods.items():
        method.fit(x, known.labels)
        answers = np.zeros((len(z), len(known.names)))
        answers[:, method.classes_] = method.predict_proba(z)
        reports[name] = Report.of(sides[1], answers, name)
    return Baselines(reports)


def _words(train, test, words, noise, seed):
    """Windows of both sides of a keyword task."""
    train = keyword.task(train, words, keyword.recorded_noise(train, noise), seed)
    if any(r.label not in train.labels for r in test):
        test = keywords(test, train.card["words"], unknown_share=None, silence_share=0)
    labels = (*keyword.BACKGROUND, *train.card["words"])
    return [side.windows(keyword.WINDOW, None, keyword.RATE_HZ, units.SOUND, labels) for side in (train, test)]
