"""Logistic regression on standardised columns, fitted by Newton's method, as three small arrays."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

_MOST_STEPS = 50
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Logistic:
    """log-odds = intercept + Σ weight · (column - centre) / scale."""

    centre: Float64  # (f,)
    scale: Float64  # (f,)
    weight: Float64  # (f,)
    intercept: float

    @classmethod
    def fit(cls, columns: Float64, label: Labels, ridge: float = 1.0) -> Self:
        """Penalised maximum likelihood; ``ridge`` is the penalty on squared weights, the intercept is free.

        ``columns`` is (n, f) and finite; both classes must occur. Deterministic.
        """
        centre = columns.mean(axis=0)
        scale = columns.std(axis=0)
        scale = np.where(scale > 1e-12, scale, 1.0)
        design = np.column_stack([np.ones(len(columns)), (columns - centre) / scale])
        penalty = np.full(design.shape[1], ridge)
        penalty[0] = 0.0
        base = float(np.clip(label.mean(), 1e-6, 1 - 1e-6))
        beta = np.zeros(design.shape[1])
        beta[0] = np.log(base / (1.0 - base))

        def loss(candidate: Float64) -> float:
            odds = design @ candidate
            return float(np.sum(np.logaddexp(0.0, odds) - label * odds) + 0.5 * np.sum(penalty * candidate**2))

        current = loss(beta)
        for _ in range(_MOST_STEPS):
            p = expit(design @ beta)
            gradient = design.T @ (p - label) + penalty * beta
            curvature = (design * (p * (1.0 - p))[:, None]).T @ design + np.diag(penalty + 1e-9)
            step = np.linalg.solve(curvature, gradient)
            size = 1.0
            while (proposed := loss(beta - size * step)) > current and size > 1e-4:
                size /= 2.0  # a full Newton step can overshoot where the classes nearly separate
            if proposed > current:
                break
            beta = beta - size * step
            gained, current = current - proposed, proposed
            if gained < _TOLERANCE * (1.0 + abs(current)):
                break
        return cls(centre=centre, scale=scale, weight=beta[1:], intercept=float(beta[0]))

    def only(self, kept: Labels) -> Self:
        """The same, with no weight at columns that are not ``kept`` (f,)."""
        return type(self)(self.centre, self.scale, self.weight * kept, self.intercept)

    def moved(self, shift: float) -> Self:
        """The same with ``shift`` added to all log-odds."""
        return replace(self, intercept=self.intercept + shift)

    def parts(self, columns: Float64) -> Float64:
        """(n, f) what each column adds to the log-odds."""
        return (columns - self.centre) / self.scale * self.weight

    def log_odds(self, columns: Float64) -> Float64:
        """(n,)"""
        return np.asarray(self.parts(columns).sum(axis=1) + self.intercept, dtype=np.float64)

    def probability(self, columns: Float64) -> Float64:
        """(n,)"""
        return np.asarray(expit(self.log_odds(columns)), dtype=np.float64)

    def to_array(self) -> Float64:
        """(3, f + 1): centre, scale and weight per column; the intercept in the last column of the third row."""
        return np.array([[*self.centre, 0.0], [*self.scale, 1.0], [*self.weight, self.intercept]])

    @classmethod
    def from_array(cls, values: Float64) -> Self:
        return cls(
            centre=np.array(values[0, :-1]),
            scale=np.array(values[1, :-1]),
            weight=np.array(values[2, :-1]),
            intercept=float(values[2, -1]),
        )
