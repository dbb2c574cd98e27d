"""Gamma-Gamma: what a customer spends on a purchase day, from his mean so far and how many days it is the mean of.

Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing
Research 42(4); Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value". Spend on one purchase day is
Gamma(p, ν), and ν varies over customers as Gamma(q, γ). A mean of few days is drawn towards that of everybody, a mean
of many is taken as it is. How much and how often are taken as independent.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy  # scipy.optimize is imported when a fit calls it; an answer does not
from scipy.special import gammaln

Float64 = npt.NDArray[np.float64]

#: Natural logarithms of the parameters stay within these bounds (money scaled to its mean). q above 1 has a mean.
_LOG_BOUNDS = ((-4.0, 6.0), (0.01, 6.0), (-8.0, 8.0))
_START = (3.0, 3.0, 1.0)
#: Fewer customers than this tell nothing of how customers differ.
_FEWEST = 10
#: More customers than this change the estimate less than its own error; a fixed sample is taken.
_MOST_CUSTOMERS = 60_000


@dataclass(frozen=True)
class GammaGamma:
    """A fitted model. ``gamma`` carries the unit of money of what it was fitted on."""

    p: float
    q: float
    gamma: float

    @classmethod
    def fit(cls, days: Float64, mean: Float64) -> Self:
        """Maximum likelihood over customers with ``days`` (n,) purchase days of ``mean`` (n,) spend. Deterministic.

        Customers without a day, or of no positive mean, are left out. From too few everybody is taken to spend the
        same mean; from none at all, nothing.
        """
        told = (days > 0) & (mean > 0)
        x, m = days[told], mean[told]
        if len(x) < _FEWEST:
            everybody = float(np.average(m, weights=x)) if len(x) else 0.0
            p, q = 1.0, float(np.exp(_LOG_BOUNDS[1][1]))
            return cls(p, q, everybody * (q - 1.0) / p)
        if len(x) > _MOST_CUSTOMERS:
            rows = np.linspace(0, len(x) - 1, _MOST_CUSTOMERS).astype(np.int64)
            x, m = x[rows], m[rows]
        scale = float(m.mean())

        def loss(logs: Float64) -> float:
            return -float(_log_likelihood(np.exp(logs), x, m / scale).mean())

        found = scipy.optimize.minimize(
            loss, np.log(_START), method="L-BFGS-B", bounds=_LOG_BOUNDS, options={"ftol": 1e-12}
        )
        p, q, gamma = (float(v) for v in np.exp(found.x))
        return cls(p, q, gamma * scale)

    def expected(self, days: Float64, mean: Float64) -> Float64:
        """(n,) expected spend on a further purchase day (equation 5 of the paper); that of everybody without any."""
        told = (days > 0) & (mean > 0)
        x, m = np.where(told, days, 0.0), np.where(told, mean, 0.0)
        return np.asarray(self.p * (self.gamma + x * m) / (self.p * x + self.q - 1.0), dtype=np.float64)

    def to_array(self) -> Float64:
        return np.array([self.p, self.q, self.gamma])

    @classmethod
    def from_array(cls, values: Float64) -> Self:
        p, q, gamma = (float(v) for v in values)
        return cls(p, q, gamma)


def _log_likelihood(parameters: Float64, x: Float64, m: Float64) -> Float64:
    """Per customer (equation 1a of Fader & Hardie 2013)."""
    p, q, gamma = parameters
    return np.asarray(
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(gamma)
        + (p * x - 1.0) * np.log(m)
        + p * x * np.log(x)
        - (p * x + q) * np.log(gamma + m * x),
        dtype=np.float64,
    )
