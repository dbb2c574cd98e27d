"""BG/NBD: how often customers buy and when they have stopped, from three numbers per customer.

Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD Model",
Marketing Science 24(2). While active a customer buys at a Poisson rate λ ~ Gamma(r, α); after each purchase the
customer drops out for good with probability p ~ Beta(a, b).

P(alive) is 1 for everyone who bought once, so it ranks one-time buyers first; risk is ranked here by the probability of
no purchase within a horizon instead, which also weighs how often a customer buys.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy  # scipy.optimize is imported when a fit calls it; an answer does not
from scipy.special import betaln, gammaln, hyp2f1

Float64 = npt.NDArray[np.float64]

#: Natural logarithms of the parameters stay within these bounds (time scaled to the longest observation).
_LOG_BOUNDS = (-8.0, 8.0)
#: Where the search starts: (r, α, a, b) for a purchase rate of about one per half observation period.
_STARTS = ((0.5, 0.5, 0.5, 1.5), (2.0, 0.1, 0.1, 2.0))
#: More customers than this change the estimate less than its own error; a fixed sample is taken.
_MOST_CUSTOMERS = 60_000


@dataclass(frozen=True)
class PurchaseHistory:
    """Repeat-purchase summary of ``n`` customers; a day with several purchases counts once."""

    frequency: Float64  # (n,) purchase days after the first one
    recency: Float64  # (n,) time from the first to the last purchase
    age: Float64  # (n,) time from the first purchase to the end of observation

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "PurchaseHistory":
        """The customers at ``rows``."""
        return PurchaseHistory(self.frequency[rows], self.recency[rows], self.age[rows])

    def sample(self, most: int) -> "PurchaseHistory":
        """Evenly spaced customers, at most ``most``: the same ones every time."""
        if len(self.age) <= most:
            return self
        return self.take(np.linspace(0, len(self.age) - 1, most).astype(np.int64))


@dataclass(frozen=True)
class BgNbd:
    """A fitted model. ``alpha`` carries the unit of time of the histories it was fitted on."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, history: PurchaseHistory) -> Self:
        """Maximum likelihood over the four parameters. Deterministic. Without any customer, where the search starts."""
        if not len(history.age):
            return cls(*_STARTS[0])
        data = history.sample(_MOST_CUSTOMERS)
        scale = float(np.max(data.age, initial=0.0)) or 1.0
        rows, weight = np.unique(
            np.column_stack([data.frequency, data.recency / scale, data.age / scale]), axis=0, return_counts=True
        )
        scaled = PurchaseHistory(rows[:, 0], rows[:, 1], rows[:, 2])

        def loss(logs: Float64) -> float:
            each = _log_likelihood(np.exp(logs), scaled)
            return -float(each @ weight) / float(weight.sum())

        found = min(
            (
                scipy.optimize.minimize(
                    loss, np.log(start), method="L-BFGS-B", bounds=[_LOG_BOUNDS] * 4, options={"ftol": 1e-12}
                )
                for start in _STARTS
            ),
            key=lambda result: float(result.fun),
        )
        r, alpha, a, b = (float(v) for v in np.exp(found.x))
        return cls(r=r, alpha=alpha * scale, a=a, b=b)

    def log_likelihood(self, history: PurchaseHistory) -> float:
        """Of all customers together, in the histories' unit of time (equation 19 of the paper)."""
        return float(_log_likelihood(np.array([self.r, self.alpha, self.a, self.b]), history).sum())

    def alive(self, history: PurchaseHistory) -> Float64:
        """P(still active at the end of observation). Not a ranking of risk: it is 1 for one-time buyers."""
        x = history.frequency
        log_odds = (
            np.log(self.a)
            - np.log(self.b + np.maximum(x, 1.0) - 1.0)
            + (self.r + x) * (np.log(self.alpha + history.age) - np.log(self.alpha + history.recency))
        )
        dead = np.where(x > 0, np.exp(np.minimum(log_odds, 700.0)), 0.0)
        return 1.0 / (1.0 + dead)

    def no_purchase(self, history: PurchaseHistory, horizon: float) -> Float64:
        """P(no purchase within ``horizon`` after the end of observation).

        A customer who is active stays so until the next purchase, and λ given x purchases in T and being active is
        Gamma(r + x, α + T): P = 1 - P(alive) (1 - ((α + T) / (α + T + h))^(r + x)).
        """
        waited = self.alpha + history.age
        silent = np.exp((self.r + history.frequency) * (np.log(waited) - np.log(waited + horizon)))
        return np.asarray(1.0 - self.alive(history) * (1.0 - silent), dtype=np.float64)

    def expected_purchases(self, history: PurchaseHistory, horizon: float) -> Float64:
        """Expected purchase days within ``horizon`` after the end of observation (equation 10 of the paper).

        The hypergeometric function is taken after Euler's transformation, which leaves the frequency in its third
        parameter only, so that customers with thousands of purchases do not overflow. Where hardly anybody drops out it
        can still leave what numbers can hold; then the rate of those who have not dropped out by now goes on, which is
        an upper bound everywhere.
        """
        a = self.a if abs(self.a - 1.0) > 1e-6 else 1.0 + 1e-6  # a removable singularity
        total = a + self.b + history.frequency - 1.0
        total = np.where(np.abs(total) > 1e-9, total, 1e-9)
        waited = self.alpha + history.age
        z = horizon / (waited + horizon)
        with np.errstate(invalid="ignore", over="ignore"):
            series = hyp2f1(a + self.b - 1.0 - self.r, a - 1.0, total, z)
            growth = total / (a - 1.0) * (1.0 - (1.0 - z) ** (a - 1.0) * series)
        steady = (self.r + history.frequency) / waited * horizon
        growth = np.where(np.isfinite(growth), np.clip(growth, 0.0, steady), steady)
        return np.asarray(growth * self.alive(history), dtype=np.float64)

    def to_array(self) -> Float64:
        return np.array([self.r, self.alpha, self.a, self.b])

    @classmethod
    def from_array(cls, values: Float64) -> Self:
        r, alpha, a, b = (float(v) for v in values)
        return cls(r=r, alpha=alpha, a=a, b=b)


def _log_likelihood(parameters: Float64, history: PurchaseHistory) -> Float64:
    """Per customer."""
    r, alpha, a, b = parameters
    x = history.frequency
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    active = -(r + x) * np.log(alpha + history.age)
    left = np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + history.recency)
    return np.asarray(shared + np.where(x > 0, np.logaddexp(active, left), active), dtype=np.float64)
