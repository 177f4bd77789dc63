"""Deploying: a plan is compiled here, sent into the board's free slot, checked there, switched to."""

from __future__ import annotations

import struct
import zlib
from dataclasses import asdict, dataclass

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
