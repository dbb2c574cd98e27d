"""Churn over other horizons than the model's own: a small calibrated head for each.

A head is the logistic regression on rhythm and recency that the trees start from (see
:mod:`training.models.churn_features`), fitted to the labels of its own horizon. No time passes without a purchase in a
month and with one in its first week: probabilities fall as the horizon grows, and where a head says otherwise
than its neighbour nearer to the model's own horizon, the neighbour holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.models.logistic import Logistic
from training.models.uncertainty import Uncertainty

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """What was fitted for one horizon."""

    days: float
    linear: Logistic
    uncertainty: Uncertainty


@dataclass(frozen=True)
class Horizon:
    """What is said of ``n`` users over one horizon."""

    days: float
    probability: Float64  # (n,) of no event of the label's type within so many days
    low: Float64  # (n,) 90 % interval
    high: Float64

    def bounded(self, inner: "Horizon") -> "Horizon":
        """The same, with no probability on the wrong side of that of ``inner``, which is nearer to the model's own."""
        keep = np.maximum if self.days < inner.days else np.minimum
        parts = ("probability", "low", "high")
        return Horizon(self.days, *(keep(getattr(self, part), getattr(inner, part)) for part in parts))


def by_horizon(heads: Sequence[Head], columns: Sequence[Float64], own: Horizon) -> tuple[Horizon, ...]:
    """Every horizon, the shortest first, ``own`` among them; ``columns`` (n, linear columns) are those of each head."""
    said = {}
    for head, read in zip(heads, columns, strict=True):
        raw = head.linear.log_odds(read)
        low, high = head.uncertainty.interval(raw, raw[None, :])
        said[head.days] = Horizon(head.days, head.linear.probability(read), low, high)
    for days in (sorted(d for d in said if d > own.days), sorted((d for d in said if d < own.days), reverse=True)):
        inner = own
        for day in days:
            inner = said[day] = said[day].bounded(inner)
    return tuple(sorted([*said.values(), own], key=lambda horizon: horizon.days))
