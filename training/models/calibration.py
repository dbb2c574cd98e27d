"""From raw log-odds to probabilities that mean what they say.

A calibrator is a rising piecewise-linear map of log-odds to log-odds, so every kind is two arrays: ``none`` is the
identity, ``platt`` stretches (Platt 1999), ``isotonic`` follows the data (Zadrozny & Elkan, KDD 2002), smoothed by
joining the middles of its steps so that the ranking keeps no new ties, and ``venn_abers`` asks isotonic regression
twice about each user, once as if he were to leave and once as if he were to stay (Vovk & Petej, UAI 2014). The level
is a matter of its own: :meth:`Calibrator.moved`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy  # scipy.optimize is imported when a fit calls it; an answer does not
from scipy.special import expit, logit

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: Log-odds beyond this are as good as certain; nobody is ever certain.
_FARTHEST = 9.0
#: Isotonic steps are made of bins with at least this many users, and of at most this many bins.
_LEAST_IN_BIN = 100
_MOST_BINS = 40
#: A calibrated slope outside these bounds says more about a small sample than about the model.
_SLOPES = (0.25, 4.0)


class Kind(StrEnum):
    """How far a calibrator may go, simplest first."""

    NONE = "none"
    PLATT = "platt"
    ISOTONIC = "isotonic"
    VENN_ABERS = "venn_abers"


@dataclass(frozen=True)
class Calibrator:
    """``x`` (k,) rising raw log-odds, ``y`` (k,) rising calibrated log-odds, k >= 2; ends continue with slope 1."""

    kind: Kind
    x: Float64
    y: Float64

    @classmethod
    def fit(cls, kind: Kind, log_odds: Float64, label: Labels) -> Self:
        """Learn from predictions for users that the model had not seen, later than what it was fitted on."""
        if kind in (Kind.ISOTONIC, Kind.VENN_ABERS):
            return cls(kind, *(_isotonic if kind is Kind.ISOTONIC else _venn_abers)(log_odds, label))
        intercept, slope = 0.0, 1.0
        if kind is Kind.PLATT and label.any() and not label.all():
            intercept, slope = _platt(log_odds, label, free_slope=True)
        ends = np.array([-_FARTHEST, _FARTHEST])
        return cls(kind, ends, intercept + slope * ends)

    @classmethod
    def identity(cls) -> Self:
        return cls.fit(Kind.NONE, np.empty(0), np.empty(0, dtype=np.bool_))

    def moved(self, shift: float) -> Self:
        """The same shape at another level: ``shift`` is added to all log-odds."""
        return replace(self, y=self.y + shift)

    def log_odds(self, raw: Float64) -> Float64:
        """(n,) calibrated log-odds."""
        inside = np.interp(raw, self.x, self.y)
        beyond = np.minimum(raw - self.x[0], 0.0) + np.maximum(raw - self.x[-1], 0.0)
        return np.asarray(np.clip(inside + beyond, -_FARTHEST, _FARTHEST), dtype=np.float64)

    def probability(self, raw: Float64) -> Float64:
        """(n,) calibrated probabilities."""
        return np.asarray(expit(self.log_odds(raw)), dtype=np.float64)

    def to_array(self) -> Float64:
        return np.stack([self.x, self.y])

    @classmethod
    def from_array(cls, kind: str, values: Float64) -> Self:
        return cls(Kind(kind), np.array(values[0]), np.array(values[1]))


def base_rate_shift(log_odds: Float64, label: Labels) -> float:
    """What must be added to all log-odds so that they sum to the observed number of labels."""
    return _platt(log_odds, label, free_slope=False)[0]


def _platt(log_odds: Float64, label: Labels, *, free_slope: bool) -> tuple[float, float]:
    """Newton's method on intercept and slope, one observation of each class added so that neither runs away."""
    x = np.concatenate([log_odds, np.median(log_odds, keepdims=True), np.median(log_odds, keepdims=True)])
    y = np.concatenate([label, [0.0, 1.0]])
    intercept, slope = 0.0, 1.0
    for _ in range(50):
        p = expit(intercept + slope * x)
        weight = np.maximum(p * (1.0 - p), 1e-9)
        error = p - y
        if not free_slope:
            step = float(error.sum() / weight.sum())
            intercept -= float(np.clip(step, -1.0, 1.0))
            if abs(step) < 1e-9:
                break
            continue
        curvature = np.array([[weight.sum(), weight @ x], [weight @ x, weight @ (x * x)]]) + 1e-9 * np.eye(2)
        move = np.clip(np.linalg.solve(curvature, np.array([error.sum(), error @ x])), -1.0, 1.0)
        intercept, slope = intercept - float(move[0]), slope - float(move[1])
        if float(np.abs(move).max()) < 1e-9:
            break
    if free_slope and not _SLOPES[0] <= slope <= _SLOPES[1]:
        return _platt(log_odds, label, free_slope=False)
    return intercept, slope


def _isotonic(log_odds: Float64, label: Labels) -> tuple[Float64, Float64]:
    """Pool adjacent violators over bins of equal size; each pooled step becomes one knot at its middle."""
    x, size, hits = _binned(log_odds, label)
    starts = scipy.optimize.isotonic_regression(hits / size, weights=size).blocks[:-1]
    users = np.add.reduceat(size, starts)
    middle = np.add.reduceat(x * size, starts) / users
    return _rising(middle, logit((np.add.reduceat(hits, starts) + 0.5) / (users + 1.0)))


def _venn_abers(log_odds: Float64, label: Labels) -> tuple[Float64, Float64]:
    """At the middle of each bin, of equal size: what two regressions say that count one user more there.

    One of them counts him as 1, the other as 0; their answers p1 and p0 become p1 / (1 - p0 + p1), which is the
    probability with the least regret in log-loss (Vovk, Petej & Fedorova, NIPS 2015, section 5).
    """
    x, size, hits = _binned(log_odds, label)
    p = np.empty((2, len(x)))
    for outcome, at in product((0, 1), range(len(x))):
        more = np.arange(len(x)) == at
        users = size + more
        p[outcome, at] = scipy.optimize.isotonic_regression((hits + outcome * more) / users, weights=users).x[at]
    return _rising(x, logit(np.clip(p[1] / (1.0 - p[0] + p[1]), 1e-6, 1.0 - 1e-6)))


def _binned(log_odds: Float64, label: Labels) -> tuple[Float64, Float64, Float64]:
    """Mean log-odds, users and positive labels of bins of equal size, by rising log-odds."""
    order = np.argsort(log_odds, kind="stable")
    bins = np.array_split(order, int(np.clip(len(order) // _LEAST_IN_BIN, 2, _MOST_BINS)))
    size = np.array([float(len(b)) for b in bins])
    hits = np.array([float(label[b].sum()) for b in bins])
    return np.array([log_odds[b].mean() for b in bins]), size, hits


def _rising(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """The same knots, strictly rising, two at the least."""
    y = np.maximum.accumulate(y) + 1e-9 * np.arange(len(y))
    apart = np.concatenate([[True], np.diff(x) > 1e-9])  # users with equal scores may fill several bins
    x, y = x[apart], y[apart]
    if len(x) < 2:
        return np.array([x[0] - 1.0, x[0] + 1.0]), np.array([y[0] - 1.0, y[0] + 1.0])
    return x, y
