"""What a churn model must beat: recency, frequency, an RFM logistic regression, BG/NBD and Pareto/NBD.

Each is fitted on the same past snapshots as the model, and each gives probabilities (through a logistic regression on
its one number or few), so that log-loss, Brier score and calibration compare like with like.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.models.bgnbd import PurchaseHistory
from training.models.btyd import Btyd
from training.models.logistic import Logistic

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

RECENCY = "recency"
FREQUENCY = "frequency"
RFM = "rfm_logistic"
BG_NBD = "bg_nbd"
PARETO_NBD = "pareto_nbd"
NAMES = (RECENCY, FREQUENCY, RFM, BG_NBD, PARETO_NBD)


@dataclass(frozen=True)
class CustomerSummary:
    """Recency, frequency and money of ``n`` users at one moment, straight from their events."""

    history: PurchaseHistory  # in days
    silence: Float64  # (n,) days since the last event
    spend: Float64  # (n,) amounts of all events, 0 where none is given

    def take(self, rows: npt.NDArray[np.int64]) -> "CustomerSummary":
        """The users at ``rows``."""
        return CustomerSummary(self.history.take(rows), self.silence[rows], self.spend[rows])

    def columns(self, name: str, rhythm: Btyd, horizon_days: float) -> Float64:
        """(n, f) what baseline ``name`` reads. ``rhythm`` is fitted on what is known at this summary's moment."""
        recency = np.log1p(self.silence)
        frequency = np.log1p(self.history.frequency)
        if name == RECENCY:
            return recency[:, None]
        if name == FREQUENCY:
            return frequency[:, None]
        if name == RFM:
            return np.column_stack([recency, frequency, np.log1p(np.maximum(self.spend, 0.0))])
        model = rhythm.bg_nbd if name == BG_NBD else rhythm.pareto_nbd
        expected = model.expected_purchases(self.history, horizon_days)
        return np.log(np.maximum(expected, 1e-9))[:, None]


@dataclass(frozen=True)
class ChurnBaseline:
    """One fitted baseline."""

    name: str
    logistic: Logistic
    horizon_days: float

    @classmethod
    def fit(cls, name: str, past: list[tuple[CustomerSummary, Btyd, Labels]], horizon_days: float) -> "ChurnBaseline":
        """``past`` holds the summary, both fits of the rhythm and the labels of each snapshot."""
        columns = np.concatenate([summary.columns(name, rhythm, horizon_days) for summary, rhythm, _ in past])
        labels = np.concatenate([label for _, _, label in past])
        return cls(name, Logistic.fit(columns, labels), horizon_days)

    def probability(self, summary: CustomerSummary, rhythm: Btyd) -> Float64:
        """(n,) probability of churn."""
        return self.logistic.probability(summary.columns(self.name, rhythm, self.horizon_days))
