"""Recordings to datasets, splits and windows; readers for others' formats; audits."""

from .audio import read_audio, sound
from .audit import Audit, audit
from .dataset import Dataset
from .keywords import keywords
from .leakage import Leakage, check_leakage
from .movements import split_movements
from .noise import mix, open_noise
from .readers import open_dataset
from .recording import Recording
from .registry import fetch, public
from .samples import sample
from .scene import Event, Scene, compose_scene, read_events
from .segments import Segments, split_words
from .split import Fold, Split
from .take import Limits, Quality, take_quality
from .windows import Windows

__all__ = [
    "Audit",
    "Dataset",
    "Event",
    "Fold",
    "Leakage",
    "Limits",
    "Quality",
    "Recording",
    "Scene",
    "Segments",
    "Split",
    "Windows",
    "audit",
    "check_leakage",
    "compose_scene",
    "fetch",
    "keywords",
    "mix",
    "open_dataset",
    "open_noise",
    "public",
    "read_audio",
    "read_events",
    "sample",
    "sound",
    "split_movements",
    "split_words",
    "take_quality",
]
