"""Pareto/NBD: how often customers buy and when they have stopped, when they may stop at any time.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do Next?", Management
Science 33(1). While active a customer buys at a Poisson rate λ ~ Gamma(r, α); he drops out for good after an
exponential time of rate μ ~ Gamma(s, β). The expressions are those of Fader & Hardie (2005), "A Note on Deriving the
Pareto/NBD Model and Related Expressions", whose Gaussian hypergeometric functions are

    s / (r + s + x) · A0 = ∫ s (α + y)^-(r + x) (β + y)^-(s + 1) dy,

with y from the last purchase to the end of observation.

The integral itself is taken here, by Gauss-Legendre over points that crowd where it decays: it neither overflows for
customers with hundreds of purchases nor needs the cases α < β and α > β told apart, and its gradient comes with it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy  # scipy.optimize is imported when a fit calls it; an answer does not
from scipy.special import digamma, gammaln, logsumexp

from training.models.bgnbd import PurchaseHistory

Float64 = npt.NDArray[np.float64]

#: Natural logarithms of the parameters stay within these bounds (time scaled to the longest observation).
_LOG_BOUNDS = (-6.0, 6.0)
#: Where the search starts: (r, α, s, β).
_STARTS = ((0.5, 0.5, 0.5, 0.5), (1.0, 0.2, 0.5, 2.0))
#: More customers than this change the estimate less than its own error; a fixed sample is taken.
_MOST_CUSTOMERS = 30_000

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(32)
#: Points and weights on [0, 1] after y = u³: what is integrated is steepest at 0.
_NODES = ((_POINTS + 1.0) / 2.0) ** 3
_NODE_WEIGHTS = _WEIGHTS / 2.0 * 3.0 * ((_POINTS + 1.0) / 2.0) ** 2


@dataclass(frozen=True)
class ParetoNbd:
    """A fitted model. ``alpha`` and ``beta`` carry the unit of time of the histories it was fitted on."""

    r: float
    alpha: float
    s: float
    beta: float

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
        x, last, age = rows.T
        gone = last[:, None] + (age - last)[:, None] * _NODES
        log_step = np.log(np.maximum((age - last)[:, None] * _NODE_WEIGHTS, 1e-300))

        def loss(logs: Float64) -> tuple[float, Float64]:
            r, alpha, s, beta = parameters = np.exp(logs)
            parts = _log_parts(parameters, x, gone, age, log_step)
            inside = logsumexp(parts, axis=1)
            share = np.exp(parts - inside[:, None])  # of each way of having gone, and of being active (the last)
            until = np.column_stack([gone, age])
            died = 1.0 - share[:, -1]
            value = gammaln(r + x) - gammaln(r) + r * logs[1] + s * logs[3] + inside
            gradient = np.stack(
                [
                    digamma(r + x) - digamma(r) + logs[1] - (share * np.log(alpha + until)).sum(axis=1),
                    r / alpha - (r + x) * (share / (alpha + until)).sum(axis=1),
                    logs[3] + died / s - (share * np.log(beta + until)).sum(axis=1),
                    s / beta - s * (share / (beta + until)).sum(axis=1) - (share[:, :-1] / (beta + gone)).sum(axis=1),
                ]
            )
            return -float(value @ weight) / len(data.age), -(gradient @ weight) * parameters / len(data.age)

        found = min(
            (
                scipy.optimize.minimize(
                    loss, np.log(start), jac=True, method="L-BFGS-B", bounds=[_LOG_BOUNDS] * 4, options={"ftol": 1e-12}
                )
                for start in _STARTS
            ),
            key=lambda result: float(result.fun),
        )
        r, alpha, s, beta = (float(v) for v in np.exp(found.x))
        return cls(r=r, alpha=alpha * scale, s=s, beta=beta * scale)

    def log_likelihood(self, history: PurchaseHistory) -> float:
        """Of all customers together, in the histories' unit of time."""
        x = history.frequency
        shared = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha) + self.s * np.log(self.beta)
        return float(np.sum(shared + logsumexp(self._log_parts(history), axis=1)))

    def alive(self, history: PurchaseHistory) -> Float64:
        """P(still active at the end of observation). Not a ranking of risk: it says nothing of how often one buys."""
        parts = self._log_parts(history)
        return np.asarray(np.exp(parts[:, -1] - logsumexp(parts, axis=1)), dtype=np.float64)

    def no_purchase(self, history: PurchaseHistory, horizon: float) -> Float64:
        """P(no purchase within ``horizon`` after the end of observation).

        λ and μ of a customer who is active at T are Gamma(r + x, α + T) and Gamma(s, β + T); a purchase comes first at
        T + u with density λ exp(-(λ + μ) u). Integrated over the share v of those who would have bought by u if nobody
        dropped out, which leaves a smooth curve: P = 1 - P(alive) ∫ ((β + T) / (β + T + u(v)))^s dv.
        """
        shape = (self.r + history.frequency)[:, None]
        waited, held = (self.alpha + history.age)[:, None], (self.beta + history.age)[:, None]
        bought = -np.expm1(-shape * np.log1p(horizon / waited))
        share = bought * (_POINTS + 1.0) / 2.0
        moment = waited * np.expm1(-np.log1p(-np.minimum(share, 1.0 - 1e-12)) / shape)
        kept = np.exp(-self.s * np.log1p(np.minimum(moment, horizon) / held))
        reached = (bought[:, 0] / 2.0) * (kept @ _WEIGHTS)
        return np.asarray(1.0 - self.alive(history) * reached, dtype=np.float64)

    def expected_purchases(self, history: PurchaseHistory, horizon: float) -> Float64:
        """Expected purchases within ``horizon`` after the end of observation (equation 41 of the note of 2005)."""
        s = self.s if abs(self.s - 1.0) > 1e-6 else 1.0 + 1e-6  # a removable singularity
        held = self.beta + history.age
        rate = (self.r + history.frequency) / (self.alpha + history.age)
        time = held / (s - 1.0) * -np.expm1(-(s - 1.0) * np.log1p(horizon / held))
        return np.asarray(rate * time * self.alive(history), dtype=np.float64)

    def to_array(self) -> Float64:
        return np.array([self.r, self.alpha, self.s, self.beta])

    @classmethod
    def from_array(cls, values: Float64) -> Self:
        r, alpha, s, beta = (float(v) for v in values)
        return cls(r=r, alpha=alpha, s=s, beta=beta)

    def _log_parts(self, history: PurchaseHistory) -> Float64:
        wait = (history.age - history.recency)[:, None]
        gone = history.recency[:, None] + wait * _NODES
        log_step = np.log(np.maximum(wait * _NODE_WEIGHTS, 1e-300))
        return _log_parts(self.to_array(), history.frequency, gone, history.age, log_step)


def _log_parts(parameters: Float64, x: Float64, gone: Float64, age: Float64, log_step: Float64) -> Float64:
    """(n, nodes + 1) logarithms of the ways to have been silent since the last purchase.

    Having dropped out about each moment of ``gone`` (n, nodes), and being active to the end, which is the last column.
    """
    r, alpha, s, beta = parameters
    shape = r + x
    died = np.log(s) - shape[:, None] * np.log(alpha + gone) - (s + 1.0) * np.log(beta + gone) + log_step
    active = -shape * np.log(alpha + age) - s * np.log(beta + age)
    return np.column_stack([died, active])
