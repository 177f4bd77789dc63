"""Windows to answers: the zoo of networks, training, baselines and reports."""

from .augment import Augment
from .backend import keras
from .baselines import Baselines, baselines
from .predict import evaluate, predict, test_windows
from .report import Report
from .sound import SoundAugment
from .train import train
from .word import train_word

__all__ = [
    "Augment",
    "Baselines",
    "Report",
    "SoundAugment",
    "baselines",
    "evaluate",
    "keras",
    "predict",
    "test_windows",
    "train",
    "train_word",
]
