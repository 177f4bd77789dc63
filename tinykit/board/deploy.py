"""Deploying: a plan is compiled here, sent into the board's free slot, checked there, switched to."""

from __future__ import annotations

import json
import struct
import threading
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import DeviceError, LinkError, ModelError
from ..pipeline import Pipeline
from . import messages as m

_SMALLEST_CHUNK = 32
_CHECK_TIMEOUT_S = 2.0  # the board reads a whole slot


@dataclass
class Deployment:
    """What ``board.deploy`` did.

    Parameters
    ----------
    version : int
        Counts what was deployed to this board: v1, v2, ...
    name, fingerprint : str
        Of the pipeline; a bare network has the CRC of its plan as fingerprint.
    slot : str
        ``"A"`` or ``"B"``.
    plan_bytes, arena_bytes : int
        Flash and RAM that it needs.
    seconds : float
        From the call to the board's answer that it has switched over (measured).
    first_prediction_s : float or None
        From the call to the first live prediction that arrived here (measured); None before it.
    repeated : int
        Requests that had to be sent again.
    """

    version: int
    name: str
    fingerprint: str
    slot: str
    plan_bytes: int
    arena_bytes: int
    seconds: float
    first_prediction_s: float | None = None
    repeated: int = 0
    began: float = 0.0

    def as_dict(self) -> dict:
        """For JSON."""
        facts = asdict(self)
        del facts["began"]
        return facts

    def __repr__(self) -> str:
        return (
            f"<Deployment v{self.version} {self.name} {self.fingerprint} -> slot {self.slot} "
            f"in {self.seconds:.2f} s, {self.plan_bytes:,} bytes>"
        )

    def _repr_html_(self) -> str:
        from .. import look

        first = None if self.first_prediction_s is None else look.number(self.first_prediction_s, "s", 2)
        facts = {
            "Pipeline": self.name,
            "Fingerprint": look.mono(self.fingerprint),
            "Plan": look.kilobytes(self.plan_bytes) + " of flash",
            "Arena": look.kilobytes(self.arena_bytes) + " of RAM",
            "First live prediction": first,
        }
        return look.card(
            f"v{self.version} → slot {self.slot}", f"in {self.seconds:.2f} s", look.facts(facts),
            state=("ok", "deployed"), pad=True,
        )  # fmt: skip


def plan_of(model):
    """A plan of a pipeline, or the plan itself.

    Raises
    ------
    ModelError
        Neither, or a pipeline without an int8 network.
    """
    from ..engine import Plan, compile_plan

    if isinstance(model, Pipeline):
        if not model.int8_model:
            raise ModelError(
                f"{model.name} has no int8 network, and the board computes in int8.",
                "Quantise it first: small = tk.quantize(pipeline, train), then board.deploy(small).",
            )
        return compile_plan(model)
    if isinstance(model, Plan):
        return model
    raise ModelError(
        f"board.deploy takes a pipeline, got {type(model).__name__}.",
        "Give what tk.quantize returned, or tk.Pipeline.load('name.tk').",
    )


def upload(link, data: bytes, slot: int = m.INACTIVE_SLOT, on_progress=lambda done: None) -> int:
    """Send a plan into a slot and switch over; returns the slot's index.

    Chunks get smaller when a noisy line loses them. Whatever happens, the board keeps the old
    pipeline until the last byte of the new one has been checked.

    Raises
    ------
    DeviceError, BoardGone, LinkError
    """
    crc = zlib.crc32(data)
    for attempt in range(3):
        begun = link.request(m.UPLOAD_BEGIN, struct.pack("<B3xII", slot, len(data), crc))
        _, chunk = struct.unpack_from("<BxH", begun)
        try:
            _send(link, data, chunk, on_progress)
            return link.request(m.UPLOAD_END, timeout=_CHECK_TIMEOUT_S)[0]
        except DeviceError as error:
            # The board started anew meanwhile, or bytes it took in were damaged: once more from the start.
            if error.name not in ("no_upload", "bad_crc", "bad_state") or attempt == 2:
                raise
    raise AssertionError("unreachable")


def _send(link, data: bytes, chunk: int, on_progress) -> None:
    offset = 0
    while offset < len(data):
        piece = data[offset : offset + chunk]
        tries = 3 if chunk > _SMALLEST_CHUNK else 20
        try:
            reply = link.request(m.UPLOAD_DATA, struct.pack("<I", offset) + piece, 0.25, tries)
            offset = struct.unpack_from("<I", reply)[0]
        except DeviceError as error:
            if error.name != "bad_offset" or error.detail > len(data):
                raise
            offset = error.detail
        except LinkError:
            if chunk <= _SMALLEST_CHUNK:
                raise
            chunk = max(_SMALLEST_CHUNK, chunk // 2 & ~3)  # the flash takes words
        on_progress(offset)


def read_section(link) -> Pipeline | None:
    """What the board says of the pipeline it runs, without the networks; None for a bare network."""
    from ..features import unpack_section

    section = b""
    try:
        while piece := link.request(m.SECTION_READ, struct.pack("<IH", len(section), 512)):
            section += piece
    except DeviceError as error:
        if error.name not in ("no_pipeline", "no_plan"):
            raise
        return None
    return unpack_section(section)


def memory_of(board_id: str) -> Path | None:
    """Folder in the user's cache for what was deployed to this board; None for a board without an id."""
    if not board_id:
        return None
    from ..toolchain import cache_dir

    return cache_dir() / "boards" / "".join(c if c.isalnum() else "-" for c in board_id)


class Versions:
    """What was deployed to a board, by the CRC of its plan; kept in a folder so that the next
    session still knows the labels of what the board runs.

    Parameters
    ----------
    folder : path or None
        None: for this session only.
    """

    def __init__(self, folder: Path | None = None):
        self._folder = folder
        self._entries: list[dict] = []
        self._pipelines: dict[int, Pipeline] = {}
        self._lock = threading.Lock()
        if folder is not None and (folder / "versions.json").exists():
            try:
                self._entries = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self._entries = []  # only a memory aid: the board itself is what counts

    def add(self, crc: int, name: str, fingerprint: str, pipeline: Pipeline | None) -> int:
        """Note a deployment; returns its version (that of the same plan before, if there was one)."""
        with self._lock:
            if pipeline is not None:
                self._pipelines[crc] = pipeline
            for entry in self._entries:
                if entry["crc"] == crc:
                    return entry["version"]
            version = 1 + max((entry["version"] for entry in self._entries), default=0)
            when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            self._entries.append(
                {"version": version, "crc": crc, "name": name, "fingerprint": fingerprint, "deployed_at": when}
            )
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / "versions.json").write_text(json.dumps(self._entries, indent=1), encoding="utf-8")
                if pipeline is not None:
                    pipeline.save(self._folder / f"{crc:08x}.tk")
            return version

    def forget(self) -> None:
        """The board is empty: count from 1 again."""
        with self._lock:
            self._entries = []

    def entry(self, crc: int) -> dict | None:
        """What is known of a plan: version, name, fingerprint, deployed_at."""
        return next((entry for entry in self._entries if entry["crc"] == crc), None)

    def pipeline(self, crc: int) -> Pipeline | None:
        """The pipeline behind a plan, or None when another computer deployed it."""
        if crc not in self._pipelines and self._folder is not None and self.entry(crc):
            path = self._folder / f"{crc:08x}.tk"
            if path.exists():
                self._pipelines[crc] = Pipeline.load(path)
        return self._pipelines.get(crc)

    def __iter__(self):
        return iter(list(self._entries))
