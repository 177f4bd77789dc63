"""Recordings to datasets, splits and windows; readers for others' formats; audits."""

from .dataset import Dataset
from .readers import open_dataset
from .recording import Recording
from .windows import Windows

__all__ = ["Dataset", "Recording", "Windows", "open_dataset"]
