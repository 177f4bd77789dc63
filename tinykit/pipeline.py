"""The value that passes through all rooms: what is trained is what is deployed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

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

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, one per row entry of the network's input."""
        return self.channels + tuple(f"|{m}|" for m in self.magnitude)


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
    """

    smoothing: int = 3
    threshold: float = 0.7
    suppression_s: float = 0.5


@dataclass(frozen=True)
class Pipeline:
    """Sensor, window, front end, network, labels, decision rule, and where it came from.

    Parameters
    ----------
    name : str
        Short name, at most 31 bytes of UTF-8: it is written into the board's slot.
    kind : str
        ``"gesture"`` so far.
    rate_hz : float
        Rate at which the network sees the sensor; the device resamples to it.
    window, hop : int
        Samples in a window; samples from one answer to the next.
    front_end : ImuFrontEnd
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
    front_end: ImuFrontEnd
    labels: tuple[str, ...]
    decision: Decision = field(default_factory=Decision)
    float_model: bytes | None = None
    int8_model: bytes | None = None
    provenance: dict = field(default_factory=dict)

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
        return cls(
            name=card["name"],
            kind=card["kind"],
            rate_hz=card["rate_hz"],
            window=card["window"],
            hop=card["hop"],
            front_end=ImuFrontEnd(**front_end),
            labels=tuple(card["labels"]),
            decision=Decision(**card["decision"]),
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


def _check_card(card: dict) -> None:
    """Raise ValueError for a value of the wrong kind: later it would fail far from its cause."""
    front, rule, whole = card["front_end"], card["decision"], (int,)
    number, words, texts = (int, float), (str,), lambda v: isinstance(v, list) and all(isinstance(x, str) for x in v)
    for key, value, kinds in (
        ("front_end", front, (dict,)), ("decision", rule, (dict,)), ("name", card["name"], words),
        ("kind", card["kind"], words), ("rate_hz", card["rate_hz"], number), ("window", card["window"], whole),
        ("hop", card["hop"], whole), ("provenance", card.get("provenance", {}), (dict,)),
    ):  # fmt: skip
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(f"its {key} is {value!r}")
    lists = (("labels", card["labels"]), *((k, front[k]) for k in ("channels", "magnitude")))
    for key, value in lists:
        if not texts(value):
            raise ValueError(f"its {key} are {value!r}")
    scale = front["scale"]
    if not isinstance(scale, list) or not all(isinstance(x, number) for x in scale):
        raise ValueError(f"its scale is {scale!r}")
    for key in ("rate_hz", "window", "hop"):
        if not card[key] > 0:
            raise ValueError(f"its {key} is {card[key]!r}")
    for key, value in rule.items():
        if not isinstance(value, number):
            raise ValueError(f"its {key} is {value!r}")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date, so that the same pipeline is the same file.
    info = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)
