"""From where on what is seen is an alarm."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from features.contracts.config import Config
from features.contracts.durations import Duration


class Bounds(Config):
    """From which value on each level begins; all in the unit of what is measured."""

    blue: float = Field(ge=0)
    """Worth a look."""
    yellow: float = Field(ge=0)
    """Train again soon."""
    red: float = Field(ge=0)
    """Do not act on the scores before somebody has looked."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.blue <= self.yellow <= self.red:
            raise ValueError(f"bounds must rise: blue {self.blue}, yellow {self.yellow}, red {self.red}")
        return self


class MonitorConfig(Config):
    """Every bound of watching."""

    input_drift: Bounds = Bounds(blue=0.05, yellow=0.1, red=0.25)
    """Of what the model reads: PSI beyond chance, weighted by each tag's share of importance."""
    tag_drift: Bounds = Bounds(blue=0.1, yellow=0.25, red=1.0)
    """Of a single tag that carries at least ``tag_importance``: PSI beyond chance."""
    tag_importance: float = Field(default=0.02, ge=0, le=1)
    """A tag below this share of importance is listed and never an alarm of its own (share)."""
    score_drift: Bounds = Bounds(blue=0.1, yellow=0.25, red=0.5)
    """Of the probabilities: PSI beyond chance."""
    calibration: Bounds = Bounds(blue=0.02, yellow=0.04, red=0.08)
    """Mean probability less the share that left, beyond its interval, once labels are closed (share)."""
    auc_loss: Bounds = Bounds(blue=0.02, yellow=0.04, red=0.08)
    """AUC at training less AUC once labels are closed, beyond its interval."""
    segment_churn: float = Field(default=0.2, gt=0, lt=1)
    """A segment of which more than this left raises a yellow alarm, of which twice as much a red one (share)."""
    least_users: int = Field(default=200, ge=50)
    """Users that a judgement needs; hold-out users judge alone where there are so many (count)."""
    most_users: int = Field(default=100_000, ge=1_000)
    """Users whose inputs are compared; of more, every k-th (count)."""
    season_history: Duration = timedelta(days=90)
    """History that must lie before the same day of last year for it to say what the season is like: ``90d``."""
    model_age: Bounds = Bounds(blue=45, yellow=90, red=180)
    """Days from the end of the data that the model was fitted on to the moment of the scores."""
    closed: int = Field(default=3, ge=1, le=24)
    """Closed snapshots that are judged, the newest (count)."""
