"""Recordings to datasets, splits and windows; readers for others' formats; audits."""

from .dataset import Dataset
from .readers import open_dataset
from .recording import Recording
from .samples import sample
from .take import Limits, Quality, take_quality
from .windows import Windows

__all__ = ["Dataset", "Limits", "Quality", "Recording", "Windows", "open_dataset", "sample", "take_quality"]
