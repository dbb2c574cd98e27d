"""Runs, pictures and the model registry. The only package that imports MLflow; nobody outside sees its types."""

from training.tracking.names import ALIASES, CHALLENGER, CHAMPION, KINDS
from training.tracking.promotion import Comparison
from training.tracking.registry import RegisteredModel
from training.tracking.run import TrackedRun
from training.tracking.store import quiet_environment
from training.tracking.tracker import Tracker

__all__ = [
    "ALIASES",
    "CHALLENGER",
    "CHAMPION",
    "KINDS",
    "Comparison",
    "RegisteredModel",
    "TrackedRun",
    "Tracker",
    "quiet_environment",
]
