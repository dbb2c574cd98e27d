"""Pictures of how good a model is. Each takes arrays or rows, returns a ``Figure`` and touches nothing else."""

from training.pictures.calibration import calibration
from training.pictures.gain import gain_and_lift
from training.pictures.importance import importance
from training.pictures.leaderboard import Standing, leaderboard
from training.pictures.profit import profit, qini
from training.pictures.slices import Slice, slices
from training.pictures.sources import source_recall

__all__ = [
    "Slice",
    "Standing",
    "calibration",
    "gain_and_lift",
    "importance",
    "leaderboard",
    "profit",
    "qini",
    "slices",
    "source_recall",
]
