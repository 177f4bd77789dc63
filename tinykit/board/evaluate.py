"""The board's own answers: for tensors, for windows, for a whole dataset."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from ..errors import DeviceError, LinkError, ModelError
from . import messages as m

_CHUNK = 508  # a payload less the offset
_BURSTS = 4  # attempts to send an input in long parts


@dataclass(frozen=True)
class RunTime:
    """How long the board took, in total: ``cycles`` (0: unknown; estimated on the virtual board),
    ``microseconds`` by its own clock, over ``runs`` runs."""

    runs: int
    cycles: int
    microseconds: int

    @property
    def cycles_per_run(self) -> float:
        """Mean cycles of a run; NaN when unknown."""
        return self.cycles / self.runs if self.cycles and self.runs else float("nan")


@dataclass(frozen=True)
class Ends:
    """What a network takes and gives: values in an example (None: not known), types of both ends."""

    size: int | None = None
    takes: str = "int8"
    gives: str = "int8"


def check_tensors(x, ends: Ends) -> np.ndarray:
    """``x`` as an array of shape (n, ...) that the network takes.

    Raises
    ------
    ModelError
        It is something else.
    """
    x, size = np.asarray(x), ends.size
    if x.dtype != np.dtype(ends.takes) or x.ndim < 2:
        raise ModelError(
            f"board.run takes {ends.takes} of shape (n, ...), got {x.dtype} of shape {x.shape}.",
            "Quantise the input: tinykit.features.quantized, or one example as x[None].",
        )
    if not len(x):
        raise ModelError("There are no examples in x.", "Give at least one.")
    if size is not None and x[0].size != size:
        raise ModelError(
            f"The board's network takes {size} values an example, x has {x[0].size} (shape {x.shape[1:]}).",
            "Give the network's own input shape.",
        )
    return x


def check_windows(counts, pipeline) -> np.ndarray:
    """Windows as the pipeline (None: not known) takes them: int16 (n, window, channels).

    Raises
    ------
    ModelError
        They are something else.
    """
    counts = np.asarray(counts)
    if counts.dtype != np.int16 or counts.ndim != 3 or not len(counts):
        raise ModelError(
            f"Windows are int16 counts of shape (n, window, channels), got {counts.dtype} of shape {counts.shape}.",
            "Make them with dataset.windows(...).counts.",
        )
    if pipeline is not None:
        shape = (pipeline.window, len(pipeline.front_end.channels))
        if counts.shape[1:] != shape:
            raise ModelError(
                f"The board's pipeline takes windows of {shape[0]} samples of {shape[1]} channels, "
                f"got {counts.shape[1]} of {counts.shape[2]}.",
                f"Cut them so: dataset.windows({shape[0]}, channels={pipeline.front_end.channels}).",
            )
    return counts


def run_each(link, mode: int, inputs: np.ndarray, progress: bool, what: str) -> tuple[np.ndarray, RunTime]:
    """Write each input, run, read the output: int8 (n, output bytes), and how long it took.

    Parameters
    ----------
    mode : int
        ``messages.MODE_TENSOR``: as the network takes it. ``messages.MODE_WINDOW``: int16
        counts through the board's front end.
    inputs : array of shape (n, ...)
    """
    from tqdm.auto import tqdm

    answers, cycles, microseconds = [], 0, 0
    for one in tqdm(inputs, desc=what, disable=not progress, leave=False):
        one = np.ascontiguousarray(one)
        data = one.astype(one.dtype.newbyteorder("<"), copy=False).tobytes()
        answer, c, us = run_one(link, mode, data)
        answers.append(answer)
        cycles, microseconds = cycles + c, microseconds + us
    return np.stack(answers), RunTime(len(answers), cycles, microseconds)


def run_one(link, mode: int, data: bytes) -> tuple[np.ndarray, int, int]:
    """One run: int8 output, cycles (0 unknown), microseconds."""
    while True:
        reconnects = link.counters.reconnects
        answer = _run_once(link, mode, data)
        # A board that lost power in between has forgotten what was written before.
        if link.counters.reconnects == reconnects:
            return answer


def _run_once(link, mode: int, data: bytes) -> tuple[np.ndarray, int, int]:
    write_input(link, data)
    cycles, microseconds, size = struct.unpack("<III", link.request(m.RUN, bytes((mode,)), timeout=5.0, tries=4))
    output = b""
    while len(output) < size:
        n = min(512, size - len(output))
        output += link.request(m.TENSOR_READ, struct.pack("<IH", len(output), n))
    return np.frombuffer(output, np.int8), cycles, microseconds


def write_input(link, data: bytes) -> None:
    """Put an input on the board: all parts in a row, then once more those that were lost."""
    parts = range(0, len(data), _CHUNK)
    for _ in range(_BURSTS):
        lost = []
        for i in range(0, len(parts), 100):
            some = parts[i : i + 100]
            replies = link.burst([(m.TENSOR_WRITE, struct.pack("<I", at) + data[at : at + _CHUNK]) for at in some])
            lost += [at for at, reply in zip(some, replies, strict=True) if reply is None]
        if not lost:
            return
        parts = lost
    for at in parts:  # a line that damages most long frames, or a board that says no
        offset, end, chunk = at, min(at + _CHUNK, len(data)), _CHUNK
        while offset < end:
            piece = data[offset : min(offset + chunk, end)]
            try:
                reply = link.request(m.TENSOR_WRITE, struct.pack("<I", offset) + piece, tries=3 if chunk > 32 else 20)
                offset = struct.unpack("<I", reply)[0]
            except LinkError:
                if chunk <= 32:
                    raise
                chunk = max(32, chunk // 2 & ~3)


@dataclass(frozen=True)
class Agreement:
    """Board and host compared over the same windows.

    Parameters
    ----------
    windows : int
        How many windows both answered.
    equal : int
        Windows whose int8 outputs are the same in every bit.
    same_label : int
        Windows with the same best label.
    largest_difference : int
        Largest difference of one output, in steps of int8.
    """

    windows: int
    equal: int
    same_label: int
    largest_difference: int

    @property
    def exact(self) -> bool:
        """Whether all outputs are the same, bit for bit."""
        return self.equal == self.windows

    def as_dict(self) -> dict:
        """For JSON."""
        return {**self.__dict__, "exact": self.exact}

    def __str__(self) -> str:
        return f"{self.equal} of {self.windows} windows answered bit for bit as on the host"


def agreement(board: np.ndarray, host: np.ndarray) -> Agreement:
    """Compare int8 answers of shape (n, labels).

    Raises
    ------
    ModelError
        The shapes differ.
    """
    if board.shape != host.shape:
        raise ModelError(
            f"The board gave answers of shape {board.shape}, the host {host.shape}.",
            "Deploy the pipeline again: the board runs another one.",
        )
    difference = np.abs(board.astype(int) - host.astype(int))
    return Agreement(
        windows=len(board),
        equal=int((difference.max(axis=1, initial=0) == 0).sum()),
        same_label=int((board.argmax(1) == host.argmax(1)).sum()) if board.shape[1] else len(board),
        largest_difference=int(difference.max(initial=0)),
    )


def evaluate(board, dataset, progress: bool):
    """What ``Board.evaluate`` says it does."""
    from ..engine import answers
    from ..models import Report, test_windows

    pipeline = board.pipeline
    if pipeline is None:
        name = "no_plan" if board.active is None else "no_pipeline"
        raise DeviceError(name, "The board has no pipeline to evaluate.", "Deploy one: board.deploy(pipeline).")
    windows = test_windows(pipeline, dataset)
    own = board.answers(windows.counts, progress)
    extra = {}
    if pipeline.int8_model:
        extra["agreement"] = agreement(own, answers(pipeline, windows.counts)).as_dict()
    return Report.of(windows, own, f"{pipeline.name} on {board.info.board}", **extra)
