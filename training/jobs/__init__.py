"""What a data scientist runs: lake in, judged, drawn, tracked and registered model out."""

from training.jobs.churn import train_churn
from training.jobs.recommend import train_recommend
from training.jobs.report import TrainReport
from training.jobs.uplift import train_uplift
from training.jobs.value import train_value

__all__ = ["TrainReport", "train_churn", "train_recommend", "train_uplift", "train_value"]
