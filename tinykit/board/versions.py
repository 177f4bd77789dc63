"""What was deployed to a board from this computer, kept from one session to the next."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from ..pipeline import Pipeline


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
            entry = next((entry for entry in self._entries if entry["crc"] == crc), None)
            if entry is None:
                version = 1 + max((entry["version"] for entry in self._entries), default=0)
                entry = {"version": version, "crc": crc, "name": name, "fingerprint": fingerprint}
                self._entries.append(entry)
            entry["deployed_at"] = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            if pipeline is not None or "classes" not in entry:
                entry["classes"] = len(pipeline.labels) if pipeline is not None else 0
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / "versions.json").write_text(json.dumps(self._entries, indent=1), encoding="utf-8")
                if pipeline is not None:
                    pipeline.save(self._folder / f"{crc:08x}.tk")
            return entry["version"]

    def forget(self) -> None:
        """The board is empty: count from 1 again."""
        with self._lock:
            self._entries = []

    def entry(self, crc: int) -> dict | None:
        """What is known of a plan: version, name, fingerprint, deployed_at (the last time), classes."""
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
