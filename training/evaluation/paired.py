"""Is A better than B on the same users? The difference with an interval, never two numbers side by side.

Users are drawn with replacement and both systems are judged on the same draw, so what is hard for both cancels out
(Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; Sakai, SIGIR 2006 for ranking metrics).
Intervals are the 2.5 and 97.5 percentiles. AUC is bootstrapped too rather than given DeLong's normal interval, so that
every comparison in a report rests on one method and on the same unit, the user.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

#: ``(labels (n,), scores (n,), weights (d, n)) -> (d,)``: a statistic under ``d`` weightings of the same users. Labels
#: are yes or no, or amounts.
WeightedStatistic = Callable[[npt.NDArray[Any], Float64, Float64], Float64]

_INTERVAL = (2.5, 97.5)
_CELLS = 4_000_000  # weights held at a time


@dataclass(frozen=True)
class Paired:
    """The difference ``a - b``: its mean over the users at hand and the 95 % interval of that mean."""

    mean: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """The whole interval lies above zero."""
        return self.low > 0


def paired_bootstrap(a: Float64, b: Float64, *, draws: int = 2000, seed: int = 0) -> Paired:
    """Difference of the means of a per-user metric, ``a`` and ``b`` (n,) aligned by user.

    Drawing ``n`` users with replacement is drawing how often each *distinct* difference comes up; ranking metrics take
    few distinct values, which makes a million users affordable.
    """
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError(f"a paired comparison needs two equally long, non-empty arrays, not {a.shape} and {b.shape}")
    difference = a - b
    values, counts = np.unique(difference, return_counts=True)
    share = counts / len(difference)
    rng = np.random.default_rng(seed)
    batch = max(1, _CELLS // len(values))
    means = np.concatenate(
        [
            rng.multinomial(len(difference), share, size=min(batch, draws - start)) @ values / len(difference)
            for start in range(0, draws, batch)
        ]
    )
    low, high = np.percentile(means, _INTERVAL)
    return Paired(float(difference.mean()), float(low), float(high))


def paired_bootstrap_statistic(
    statistic: WeightedStatistic,
    labels: npt.NDArray[Any],
    a: Float64,
    b: Float64,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Paired:
    """Difference of a statistic that is no mean over users, such as AUC: ``statistic(a) - statistic(b)``.

    ``labels``, ``a`` and ``b`` are (n,). A draw on which the statistic is not defined (NaN, say one class only) is
    left out; the result is NaN when that happens to all of them.
    """
    n = len(labels)
    if not n or len(a) != n or len(b) != n:
        raise ValueError(f"a paired comparison needs equally long arrays, not {n}, {len(a)} and {len(b)}")
    rng = np.random.default_rng(seed)
    batch = max(1, _CELLS // n)
    chunks = []
    for start in range(0, draws, batch):
        weights = np.stack(
            [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(min(batch, draws - start))]
        ).astype(np.float64)
        chunks.append(statistic(labels, a, weights) - statistic(labels, b, weights))
    differences = np.concatenate(chunks)
    defined = differences[~np.isnan(differences)]
    once = np.ones((1, n))
    mean = float(statistic(labels, a, once)[0] - statistic(labels, b, once)[0])
    if not len(defined):
        return Paired(mean, float("nan"), float("nan"))
    low, high = np.percentile(defined, _INTERVAL)
    return Paired(mean, float(low), float(high))


def weighted_auc(labels: npt.NDArray[np.bool_], scores: Float64, weights: Float64) -> Float64:
    """Area under the ROC curve by ranks for each row of ``weights`` (d, n); ties count half (Mann and Whitney, 1947).

    NaN where a row gives one of the classes no weight.
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))  # first of each run of equal scores
    positive = np.add.reduceat(weights[:, order] * labels[order], starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * ~labels[order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    won = (positive * (below + negative / 2)).sum(axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    area: Float64 = np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)
    return area
