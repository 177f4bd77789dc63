"""The value that passes through all rooms: what is trained is what is deployed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from . import look
from .errors import ModelError
from .files import write_whole

FORMAT = 1
IMU_CHANNELS = ("aX", "aY", "aZ", "gX", "gY", "gZ")


@dataclass(frozen=True)
class ImuFrontEnd:
    """Raw IMU counts to features, in integers only, so that every machine agrees.

    Parameters
    ----------
    channels : tuple of str
        Sensor channels used, a subset of ``IMU_CHANNELS`` in that order.
    center : bool
        Subtract each channel's mean over the window (takes gravity's steady part away).
    magnitude : tuple of str
        Extra features after the channels: ``"a"`` the length of the acceleration vector,
        ``"g"`` of the angular rate; always from the values before centring.
    scale : tuple of float
        One factor per feature: counts times scale is what the network sees. About
        1 / standard deviation, so that all features have the same weight.
    """

    channels: tuple[str, ...] = IMU_CHANNELS
    center: bool = False
    magnitude: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()

    sensor = "imu"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, one per row entry of the network's input."""
        return self.channels + tuple(f"|{m}|" for m in self.magnitude)

    def rows(self, window: int) -> int:
        """Rows of features that a window of so many samples gives: one a sample."""
        return window


@dataclass(frozen=True)
class MelFrontEnd:
    """Sound to log-mel energies, or to MFCC: one row of features a hop, each computed once.

    A frame of ``frame`` samples (of full scale 1) times a periodic Hann window, zero-padded to the
    next power of two, gives a power spectrum; triangles on the HTK mel scale sum it into ``mels``
    bands; ``log(energy + floor)`` is a log-mel feature. MFCC are the first ``coefficients`` of its
    orthonormal DCT-II.

    Parameters
    ----------
    frame, hop : int
        Samples in a frame; samples from one frame to the next. 30 ms and 20 ms at 16 kHz.
    mels : int
        Bands.
    low_hz, high_hz : float
        Lower edge of the lowest band, upper edge of the highest.
    coefficients : int
        0: log-mel. Else the number of MFCC, at most ``mels``.
    floor : float
        Added to every energy before the logarithm: what is quieter than that looks alike.
    mean, scale : tuple of float
        One per feature: the network sees ``(feature - mean) * scale``. Empty: the feature itself.
    """

    frame: int = 480
    hop: int = 320
    mels: int = 40
    low_hz: float = 60.0
    high_hz: float = 7600.0
    coefficients: int = 0
    floor: float = 1e-4
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    sensor = "mic"
    channels = ("audio",)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, one per row entry of the network's input."""
        if self.coefficients:
            return tuple(f"mfcc {i}" for i in range(self.coefficients))
        return tuple(f"mel {i}" for i in range(self.mels))

    def rows(self, window: int) -> int:
        """Frames that lie whole in a window of so many samples."""
        return max(0, 1 + (window - self.frame) // self.hop)


@dataclass(frozen=True)
class Decision:
    """From answers to a decision, on the device.

    Parameters
    ----------
    smoothing : int
        Mean over so many consecutive answers (1: none).
    threshold : float
        Smoothed probability that the best label must reach, 0 to 1; below it: unsure.
    suppression_s : float
        After a decision, the same label is not announced again for so long.
    thresholds : tuple of float
        One per label, in place of ``threshold``; empty: the same for all.
    """

    smoothing: int = 3
    threshold: float = 0.7
    suppression_s: float = 0.5
    thresholds: tuple[float, ...] = ()

    def threshold_of(self, label: int) -> float:
        """The threshold of a label, by its place in the pipeline's labels."""
        return self.thresholds[label] if self.thresholds else self.threshold


@dataclass(frozen=True)
class Pipeline:
    """Sensor, window, front end, network, labels, decision rule, and where it came from.

    Parameters
    ----------
    name : str
        Short name, at most 31 bytes of UTF-8: it is written into the board's slot.
    kind : str
        ``"gesture"`` or ``"keyword"``.
    rate_hz : float
        Rate at which the network sees the sensor; the device resamples an IMU to it.
    window, hop : int
        Samples in a window; samples from one answer to the next, for sound a multiple of the
        front end's hop.
    front_end : ImuFrontEnd or MelFrontEnd
    labels : tuple of str
        In the order of the network's outputs.
    decision : Decision
    float_model : bytes or None
        The trained Keras network (HDF5).
    int8_model : bytes or None
        The quantised network (.tflite, int8 in and out). None before ``tk.quantize``.
    provenance : dict
        Dataset fingerprint, who was trained on, seed, metrics, code version.
    """

    name: str
    kind: str
    rate_hz: float
    window: int
    hop: int
    front_end: ImuFrontEnd | MelFrontEnd
    labels: tuple[str, ...]
    decision: Decision = field(default_factory=Decision)
    float_model: bytes | None = None
    int8_model: bytes | None = None
    provenance: dict = field(default_factory=dict)

    @property
    def sensor(self) -> str:
        """``"imu"`` or ``"mic"``."""
        return self.front_end.sensor

    @property
    def input_shape(self) -> tuple[int, int]:
        """Rows and features of the network's input."""
        return self.front_end.rows(self.window), len(self.front_end.features)

    @property
    def fingerprint(self) -> str:
        """First 12 hex digits of SHA-256 over everything that changes an answer."""
        digest = hashlib.sha256(json.dumps(self._card(provenance=False), sort_keys=True).encode())
        digest.update(self.int8_model or b"")
        digest.update(self.float_model or b"")
        return digest.hexdigest()[:12]

    def with_(self, **changes) -> Pipeline:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def save(self, path) -> Path:
        """Write everything to one file (a zip; by custom ``NAME.tk``) and return its path.

        Raises
        ------
        TinykitError
            The disk did not take it; a file that was there before is unharmed.
        """
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            _put(archive, "pipeline.json", json.dumps(self._card(), indent=1).encode())
            if self.float_model:
                _put(archive, "float.h5", self.float_model)
            if self.int8_model:
                _put(archive, "int8.tflite", self.int8_model)
        return write_whole(path, buffer.getvalue())

    @classmethod
    def load(cls, path) -> Pipeline:
        """Read what ``save`` wrote.

        Raises
        ------
        ModelError
            The file is missing, is not a tinykit pipeline, or comes from a newer version.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"There is no file {path}.", "Check the name, or train a pipeline first.")
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                card = json.loads(archive.read("pipeline.json"))
                float_model = archive.read("float.h5") if "float.h5" in names else None
                int8_model = archive.read("int8.tflite") if "int8.tflite" in names else None
        except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, RuntimeError) as error:
            raise ModelError(
                f"{path} is not a tinykit pipeline ({error}).",
                "Give a .tk file that tinykit train or Pipeline.save wrote.",
            ) from None
        if not isinstance(card, dict) or "format" not in card:
            raise ModelError(f"{path} is damaged: its card has no format.", "Train again.")
        if card["format"] != FORMAT:
            raise ModelError(
                f"{path} has pipeline format {card['format']}, this tinykit reads {FORMAT}.",
                "Update tinykit, or train again.",
            )
        try:
            _check_card(card)
            return cls._from_card(card, float_model, int8_model)
        except KeyError as error:
            raise ModelError(f"{path} is damaged: its card lacks {error}.", "Train again.") from None
        except (TypeError, ValueError) as error:
            raise ModelError(f"{path} is damaged: {error}.", "Train again.") from None

    def _card(self, provenance: bool = True) -> dict:
        card = {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind,
            "rate_hz": self.rate_hz,
            "window": self.window,
            "hop": self.hop,
            "front_end": asdict(self.front_end),
            "labels": list(self.labels),
            "decision": asdict(self.decision),
        }
        if provenance:
            card["provenance"] = self.provenance
        return card

    @classmethod
    def _from_card(cls, card: dict, float_model, int8_model) -> Pipeline:
        front_end = {k: tuple(v) if isinstance(v, list) else v for k, v in card["front_end"].items()}
        decision = {k: tuple(v) if isinstance(v, list) else v for k, v in card["decision"].items()}
        return cls(
            name=card["name"],
            kind=card["kind"],
            rate_hz=card["rate_hz"],
            window=card["window"],
            hop=card["hop"],
            front_end=(MelFrontEnd if "mels" in front_end else ImuFrontEnd)(**front_end),
            labels=tuple(card["labels"]),
            decision=Decision(**decision),
            float_model=float_model,
            int8_model=int8_model,
            provenance=card.get("provenance", {}),
        )

    def __repr__(self) -> str:
        state = "int8" if self.int8_model else "float" if self.float_model else "no network"
        return (
            f"<Pipeline {self.name} {self.fingerprint}: {self.kind}, {len(self.labels)} labels, "
            f"{self.window} samples at {self.rate_hz:g} Hz, {state}>"
        )

    def _repr_html_(self) -> str:
        state = ("none", "no network")
        if self.int8_model:
            state = ("ok", "int8: ready for a board")
        elif self.float_model:
            state = ("none", "float: not yet for a board")
        told = look.mono(self.fingerprint)
        return look.card(self.name, look.Html(f"pipeline {told}"), look.facts(self._facts()), state=state)

    _repr_pretty_ = look.shown

    def _facts(self) -> dict:
        """What its card says, in words."""
        rate, rule, origin = self.rate_hz, self.decision, self.provenance
        if self.sensor == "imu":
            seen = f"{', '.join(self.front_end.features)}{', centred' if self.front_end.center else ''}"
        else:
            kind = "MFCC" if self.front_end.coefficients else "log-mel energies"
            frame, hop = (look.number(1000 * n / rate, "ms") for n in (self.front_end.frame, self.front_end.hop))
            seen = f"{len(self.front_end.features)} {kind} every {hop}, frames of {frame}"
        window = look.number(self.window / rate, "s", 2)
        levels = {rule.threshold_of(i) for i in range(len(self.labels))} or {rule.threshold}
        level = " to ".join(dict.fromkeys(f"{v:.2f}" for v in (min(levels), max(levels))))
        sizes = {"float": self.float_model, "int8": self.int8_model}
        sizes = [f"{name} {look.kilobytes(len(data))}" for name, data in sizes.items() if data]
        takes, persons = origin.get("takes") or {}, origin.get("persons") or ()
        trained = f"{sum(takes.values()):,} takes of {len(persons)} person{'s' if len(persons) != 1 else ''}"
        return {
            "labels": ", ".join(self.labels),
            "window": f"{window} = {self.window:,} samples at {look.number(rate, 'Hz', 0)}",
            "answers": f"one every {look.number(self.hop / rate, 's', 2)}",
            "network sees": seen,
            "decision": f"mean of {rule.smoothing} answers, at least {level}; then {rule.suppression_s:g} s of rest",
            "network": (f"{origin['weights']:,} weights, " if "weights" in origin else "") + (
                ", ".join(sizes) or "none"
            ),
            "trained on": f"{origin.get('dataset', '')}, {trained}{', synthetic' if origin.get('synthetic') else ''}"
            if takes else None,
        }  # fmt: skip


def _check_card(card: dict) -> None:
    """Raise ValueError for a value of the wrong kind: later it would fail far from its cause."""
    front, rule, whole = card["front_end"], card["decision"], (int,)
    number, words = (int, float), (str,)

    def texts(v):
        return isinstance(v, list) and all(isinstance(x, str) for x in v)

    def numbers(v):
        return isinstance(v, list) and all(isinstance(x, number) for x in v)

    for key, value, kinds in (
        ("front_end", front, (dict,)), ("decision", rule, (dict,)), ("name", card["name"], words),
        ("kind", card["kind"], words), ("rate_hz", card["rate_hz"], number), ("window", card["window"], whole),
        ("hop", card["hop"], whole), ("provenance", card.get("provenance", {}), (dict,)),
    ):  # fmt: skip
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(f"its {key} is {value!r}")
    if not texts(card["labels"]):
        raise ValueError(f"its labels are {card['labels']!r}")
    fit = {"channels": texts, "magnitude": texts, "mean": numbers, "scale": numbers}
    for key, value in front.items():
        if not fit.get(key, lambda v: isinstance(v, number))(value):
            raise ValueError(f"its {key} is {value!r}")
    for key in ("rate_hz", "window", "hop"):
        if not card[key] > 0:
            raise ValueError(f"its {key} is {card[key]!r}")
    for key, value in rule.items():
        if not (numbers(value) if key == "thresholds" else isinstance(value, number)):
            raise ValueError(f"its {key} is {value!r}")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date, so that the same pipeline is the same file.
    info = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)
