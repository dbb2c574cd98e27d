"""How far a churn probability may be off: a 90 % interval for the churn rate among users like this one.

It speaks of the probability, not of the outcome, which is yes or no. Three independent errors are added as variances in
log-odds:

- members: the models that were grown with other seeds disagree about this user;
- calibration: few validation users had a score like this one's (binomial error of the bin);
- drift: the base rate moved between validation snapshots by more or less than the model foresaw.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: How often an interval holds, and the normal quantile for it.
LEVEL: Final = 0.9
_QUANTILE: Final = 1.644854
_MOST_BINS = 20
_LEAST_PER_BIN = 50


@dataclass(frozen=True)
class Uncertainty:
    """Learnt on validation snapshots: ``x`` (k,) rising raw log-odds, ``error`` (k,) standard errors in log-odds."""

    x: Float64
    error: Float64
    drift: float  # standard deviation of the base rate's unforeseen move, in log-odds

    @classmethod
    def fit(cls, raw: Float64, label: Labels, drift: float) -> Self:
        """From raw log-odds of users the model had not seen, and what they did."""
        bins = int(np.clip(len(raw) // _LEAST_PER_BIN, 1, _MOST_BINS))
        groups = np.array_split(np.argsort(raw, kind="stable"), bins)
        x = np.array([raw[g].mean() for g in groups]) + 1e-9 * np.arange(bins)
        rate = np.array([(label[g].sum() + 0.5) / (len(g) + 1.0) for g in groups])
        size = np.array([len(g) for g in groups])
        return cls(x=x, error=1.0 / np.sqrt(size * rate * (1.0 - rate)), drift=drift)

    def interval(self, calibrated: Float64, raw_by_member: Float64) -> tuple[Float64, Float64]:
        """Low and high (n,) probability around ``calibrated`` (n,) log-odds; ``raw_by_member`` is (m, n)."""
        raw = raw_by_member.mean(axis=0)
        members = raw_by_member.var(axis=0, ddof=1) if len(raw_by_member) > 1 else np.zeros_like(raw)
        width = _QUANTILE * np.sqrt(members + np.interp(raw, self.x, self.error) ** 2 + self.drift**2)
        return expit(calibrated - width), expit(calibrated + width)

    def to_array(self) -> Float64:
        """(2, k + 1): knots and errors, the drift in the last column."""
        return np.stack([np.append(self.x, np.inf), np.append(self.error, self.drift)])

    @classmethod
    def from_array(cls, values: Float64) -> Self:
        return cls(x=np.array(values[0, :-1]), error=np.array(values[1, :-1]), drift=float(values[1, -1]))
