"""What the parity lens found: rows, where columns part, where int8 loses most, the answers."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .parting import COLUMNS, EXACT, FLOAT, TFLITE, Difference, LayerParity

_ROUNDS = ("TensorFlow's reference kernel rounds the sum of a dense layer once, tflite-micro and the board twice: "
           "where a value lies close to the middle between two steps they part by one step.")  # fmt: skip
_CUTS = ("The file states the shapes of a dilated convolution for a batch of 1 throughout, from which tflite-micro "
         "computes wrong answers.")  # fmt: skip
_BOARD = "Deploy again; if they still part, run tinykit doctor and report it."
_WIDTH, _MOST = 100, 12  # characters in a line; answers that are shown
_MUCH = 3.0  # decibels: twice the noise


@dataclass(frozen=True, eq=False)
class Parting:
    """Where two columns part: ``layer`` is a row of the lens, ``why`` the cause if it is known."""

    columns: tuple[str, str]
    layer: LayerParity
    difference: Difference
    why: str = ""

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    @property
    def index(self) -> tuple[int, ...]:
        """Where its first value that differs is."""
        return self.difference.index

    @property
    def values(self) -> tuple:
        """What the two columns have there."""
        return self.difference.values

    def __str__(self) -> str:
        d = self.difference
        at = ", ".join(map(str, d.index))
        return (
            f"{' and '.join(self.columns)} part in {_named(self.layer)}: {d.differ:,} of {d.of:,} values, "
            f"first at [{at}]: {d.values[0]:g} and {d.values[1]:g}"
        )


@dataclass(frozen=True, eq=False)
class Loss:
    """The layer where the quantisation error grows most: decibels of signal to noise before and behind it."""

    layer: LayerParity
    before: float
    after: float
    difference: Difference

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    def __str__(self) -> str:
        clipped = self.difference.clipped
        cut = f"; {clipped:,} of {self.difference.of:,} values lie beyond what its int8 can hold" if clipped else ""
        noise = f"{_named(self.layer)}: {self.before:.1f} dB before it, {self.after:.1f} dB behind{cut}"
        much = self.before - self.after >= _MUCH
        return f"int8 loses most in {noise}" if much else f"int8 loses little in every layer, most in {noise}"


@dataclass(frozen=True, eq=False)
class ParityReport:
    """One window through several computations of one network.

    Parameters
    ----------
    name, window : str
        The network, and what was given to it.
    rows : tuple of LayerParity
        The input, then every layer in running order.
    left_out : dict of str to str
        Columns that are not there, and why.
    notes : tuple of str
    labels : tuple of str
        Of a pipeline.
    output : int
        Row of the network's output.
    """

    name: str
    window: str
    rows: tuple[LayerParity, ...]
    left_out: dict
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    output: int = -1

    @property
    def columns(self) -> tuple[str, ...]:
        """What was computed: of float, TFLite, tflite-micro, host, board those that are there."""
        return tuple(c for c in COLUMNS if c not in self.left_out)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Neighbouring columns."""
        return tuple(zip(self.columns, self.columns[1:], strict=False))

    @cached_property
    def differences(self) -> dict:
        """Pair of columns -> one Difference a row (None: one of them has not this layer)."""
        return {pair: [row.difference(*pair) for row in self.rows] for pair in self.pairs}

    @cached_property
    def first(self) -> dict:
        """Pair of neighbouring columns -> Parting, or None where they are equal in every bit.

        Against the float network: the first value that is off by more than rounding.
        """
        found = {}
        for pair, differences in self.differences.items():
            at = next((i for i, d in enumerate(differences) if d is not None and not d.equal), None)
            found[pair] = None if at is None else self._parting(pair, at)
        return found

    @property
    def exact(self) -> bool:
        """Whether those of tflite-micro, host and board that are there are equal in every bit."""
        return all(self.first[pair] is None for pair in self.pairs if set(pair) <= set(EXACT))

    @cached_property
    def most_lost(self) -> Loss | None:
        """Where the quantisation error grows most; None without the float network."""
        pair = next((p for p in self.pairs if FLOAT in p), None)
        if pair is None:
            return None
        losses = []
        for row, d in zip(self.rows, self.differences[pair], strict=True):
            before = self._before(row, pair)
            if before is not None and d is not None and d.decibels is not None:
                losses.append(Loss(row, before, d.decibels, d))
        return max(losses, key=lambda loss: loss.before - loss.after, default=None)

    def _before(self, row: LayerParity, pair) -> float | None:
        """Decibels of the worst of a layer's inputs; of one that has no counterpart, of its own inputs."""
        found = []
        for number in row.sources:
            d = self.differences[pair][number]
            known = d.decibels if d is not None else self._before(self.rows[number], pair)
            if known is not None:
                found.append(known)
        return min(found, default=None)

    def _parting(self, pair, at: int) -> Parting:
        row, d = self.rows[at], self.differences[pair][at]
        why = ""
        if pair[0] == TFLITE and row.kind == "FULLY_CONNECTED" and d.largest <= 1:
            why = _ROUNDS
        elif "tflite-micro" in pair and any(r.kind == "SPACE_TO_BATCH_ND" for r in self.rows[: at + 1]):
            why = _CUTS
        elif pair[1] == "board":
            why = " ".join([*self.notes, _BOARD])
        return Parting(pair, row, d, why)

    @property
    def equal(self) -> list[tuple[tuple[str, ...], int, int]]:
        """Neighbours that are equal in every bit: columns, layers, values compared."""
        found, run = [], []
        for pair in [*self.pairs, None]:
            if pair is not None and FLOAT not in pair and self.first[pair] is None:
                run.append(pair)
                continue
            if run:
                layers = [ds for ds in zip(self.rows, *(self.differences[p] for p in run), strict=True) if all(ds)]
                layers = [ds[1].of for ds in layers if ds[0].kind]
                found.append(((run[0][0], *(p[1] for p in run)), len(layers), sum(layers)))
            run = []
        return found

    @property
    def answers(self) -> dict:
        """Column -> its answer: real values, 1-D."""
        row = self.rows[self.output]
        return {c: row.real(c).ravel() for c in self.columns if c in row.values}

    def as_dict(self) -> dict:
        """Numbers only, for JSON."""
        rows = []
        for i, row in enumerate(self.rows):
            between = {" / ".join(p): ds[i].as_dict() for p, ds in self.differences.items() if ds[i] is not None}
            rows.append({"layer": row.name, "operation": row.kind, "shape": list(row.shape), "dtype": row.dtype,
                         "no_step": row.why, "differences": between})  # fmt: skip
        first = {" / ".join(p): None if at is None else str(at) for p, at in self.first.items()}
        lost = self.most_lost
        return {
            "name": self.name,
            "window": self.window,
            "columns": list(self.columns),
            "left_out": self.left_out,
            "notes": list(self.notes),
            "exact": self.exact,
            "first": first,
            "most_lost": None if lost is None else {"layer": lost.name, "before": lost.before, "after": lost.after},
            "answers": {column: [float(v) for v in answer] for column, answer in self.answers.items()},
            "rows": rows,
        }

    # -- said -----------------------------------------------------------------------------------------

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """(kind, sentence): what was found, the most important first. Kinds: ok, bad, none."""
        said = []
        for pair, at in self.first.items():
            if FLOAT in pair or at is None:
                continue
            promised = set(pair) <= set(EXACT)
            said.append(("bad" if promised else "none", f"{at}." + (f" {at.why}" if at.why else "")))
        said.sort(key=lambda s: s[0] != "bad")
        for columns, layers, values in self.equal:
            said.append(("ok", f"{_list(columns)}: equal in every bit, {layers} layers, {values:,} values."))
        if self.most_lost is not None:
            said.append(("none", f"{self.most_lost}."))
        said += [("none", note) for note in self.notes if not any(note in s for _, s in said)]
        said += [("none", f"Left out: {column}. {why}") for column, why in self.left_out.items()]
        return said

    def __repr__(self) -> str:
        lines = [f"{self.name}, {self.window}: {_list(self.columns)}"]
        for _, sentence in self.sentences:
            lines += textwrap.wrap(sentence, _WIDTH - 2, initial_indent="- ", subsequent_indent="  ")
        return "\n".join([*lines, "", *self._table(), "", *self._answers()])

    def _table(self) -> list[str]:
        head = "".join(f"{_short(a) + ' / ' + _short(b):>15}" for a, b in self.pairs)
        lines = [f" {'#':>2} {'layer':17}{'operation':18}{head}"]
        for i, row in enumerate(self.rows):
            cells = "".join(f"{cell(self.differences[pair][i], row.why):>15}" for pair in self.pairs)
            lines.append(f" {i:>2} {_cut(row.name, 16):17}{_cut(row.kind.lower(), 17):18}{cells}".rstrip())
            if row.why:
                lines[-1] = f"{lines[-1]:<{max(40, len(lines[-1]))}}  {row.why}"[:_WIDTH]
        return lines

    def _answers(self) -> list[str]:
        answers = self.answers
        size = min(len(v) for v in answers.values())
        lines = [f" {'answer':20}" + "".join(f"{_short(c):>12}" for c in answers)]
        for i in range(min(size, _MOST)):
            label = self.labels[i] if i < len(self.labels) else f"[{i}]"
            lines.append(f" {_cut(label, 19):20}" + "".join(f"{v[i]:12.4f}" for v in answers.values()))
        return [*lines, f" and {size - _MOST} more"] if size > _MOST else lines

    def _repr_html_(self) -> str:
        from .. import look

        pairs = [
            (pair, [self._cell(pair, row, d) for row, d in zip(self.rows, differences, strict=True)])
            for pair, differences in self.differences.items()
        ]
        parted = [at for pair, at in self.first.items() if at is not None and FLOAT not in pair]
        pictures = sorted(map(self._drawn, parted), key=lambda picture: not picture.bad)
        return look.parity(
            self.name,
            f"{self.window}: {_list(self.columns)}",
            [(row.name, row.kind, row.shape, row.why) for row in self.rows],
            pairs,
            [(kind, re.sub(r"(?<=[ \[])-(?=\d)", "\u2212", text)) for kind, text in self.sentences],
            pictures,
            {column: answer[:_MOST].tolist() for column, answer in self.answers.items()},
            self.labels,
            None if self.most_lost is None else self.most_lost.layer.number,
        )

    @staticmethod
    def _cell(pair, row: LayerParity, d: Difference | None):
        from .. import look

        if d is None:
            return None
        drawn = d.decibels is None and not d.equal
        words = f"{d.differ:,} of {d.of:,}, up to {d.largest:.3g}" if drawn else cell(d)
        return look.ParityCell(words, d.equal, d.decibels, _matrix(_apart(row, pair)) if drawn else None)

    @staticmethod
    def _drawn(at: Parting):
        from .. import look

        a, b = (_matrix(at.layer.values[column].astype(float)) for column in at.columns)
        steps = _matrix(_apart(at.layer, at.columns))
        channel, place = np.argwhere(steps.T > 0)[0][::-1]  # the first in running order
        mark = ((place + 0.5) / steps.shape[1], (channel + 0.5) / steps.shape[0])
        return look.ParityPicture(at.name, at.columns, a, b, steps, mark, set(at.columns) <= set(EXACT))


def cell(d: Difference | None, why: str = "") -> str:
    """One difference in a few characters."""
    if d is None:
        return "" if why else "-"
    if d.decibels is not None:
        return f"{d.decibels:.1f} dB"
    return "equal" if d.equal else f"{d.differ:,}, max {d.largest:.3g}"


def _apart(row: LayerParity, pair) -> np.ndarray:
    a, b = (row.values[column].astype(float) for column in pair)
    return np.nan_to_num(np.abs(a - b), nan=1.0)


def _matrix(values: np.ndarray) -> np.ndarray:
    """A tensor as a picture: channels downwards, places to the right; a vector in one row."""
    return values.reshape(-1, values.shape[-1]).T if values.ndim > 1 else values.reshape(1, -1)


def _named(row: LayerParity) -> str:
    return f"layer {row.number}, {row.name} ({row.kind})" if row.kind else f"the {row.name}"


def _list(words) -> str:
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _short(column: str) -> str:
    return "micro" if column == "tflite-micro" else column


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else text[: n - 1] + "…"
