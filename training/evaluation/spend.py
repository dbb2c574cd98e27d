"""How good foretold amounts are: order (Spearman, Gini), size (MAE, RMSLE, deviance) and honesty (deciles).

Arrays in, values out. ``actual`` and ``foretold`` are (n,) amounts, not negative; most of ``actual`` is 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from training.evaluation.ranks import weighted_ranks

Float64 = npt.NDArray[np.float64]

#: Variance grows with this power of the mean: between Poisson (1) and gamma (2), for sums with many zeros.
_POWER = 1.5
#: A foretold amount is at least this share of the mean; an impossible zero would make the deviance infinite.
_FLOOR = 1e-3
DECILES = 10


@dataclass(frozen=True)
class Deciles:
    """Groups of equal size by rising foretold amount, arrays of one length."""

    users: npt.NDArray[np.int64]
    foretold: Float64  # mean
    actual: Float64  # mean


def spearman(actual: Float64, foretold: Float64) -> float:
    """Rank correlation with mean ranks for ties. NaN when one side is constant."""
    a, b = rankdata(actual), rankdata(foretold)
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def weighted_spearman(actual: Float64, foretold: Float64, weights: Float64) -> Float64:
    """:func:`spearman` under every row of ``weights`` (d, n); ranks are taken anew within each draw."""
    a, b = weighted_ranks(actual, weights), weighted_ranks(foretold, weights)
    total = weights.sum(axis=1, keepdims=True)
    a = a - (weights * a).sum(axis=1, keepdims=True) / total
    b = b - (weights * b).sum(axis=1, keepdims=True) / total
    both = (weights * a * b).sum(axis=1)
    alone = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    return np.asarray(np.divide(both, alone, out=np.full(len(both), np.nan), where=alone > 0))


def weighted_gini(actual: Float64, foretold: Float64, weights: Float64) -> Float64:
    """:func:`normalised_gini` under every row of ``weights`` (d, n)."""
    by_foretold, by_actual = (_lorenz(actual, ranks, weights) for ranks in (foretold, actual))
    return np.asarray(np.divide(by_foretold, by_actual, out=np.full(len(by_actual), np.nan), where=by_actual > 1e-12))


def normalised_gini(actual: Float64, foretold: Float64) -> float:
    """How much of the spend comes from those with a high foretold amount: 1 is the best order, 0 a random one.

    The covariance of spend and rank over that of the best order (Lerman & Yitzhaki 1984), mean ranks for ties; unlike
    Spearman's correlation it does not rise because many foretold amounts are equal where many actual ones are 0.
    """
    return float(weighted_gini(actual, foretold, np.ones((1, len(actual))))[0])


def deviance(actual: Float64, foretold: Float64) -> float:
    """Mean Tweedie deviance of power 1.5: the mean minimises it, and large amounts do not outweigh all others.

    Over the mean of ``actual`` to the power .5, so that the unit of money does not matter.
    """
    mean = max(float(actual.mean()), 1e-12)
    mu = np.maximum(foretold, _FLOOR * mean)
    y = np.maximum(actual, 0.0)
    each = y ** (2 - _POWER) / ((1 - _POWER) * (2 - _POWER)) - y * mu ** (1 - _POWER) / (1 - _POWER)
    each = each + mu ** (2 - _POWER) / (2 - _POWER)
    return float(2.0 * each.mean() / mean ** (2 - _POWER))


def deciles(actual: Float64, foretold: Float64, groups: int = DECILES) -> Deciles:
    """Foretold against actual in ``groups`` of equal size (ties are kept in the order given)."""
    parts = np.array_split(np.argsort(foretold, kind="stable"), min(groups, max(len(actual), 1)))
    return Deciles(
        users=np.array([len(p) for p in parts], dtype=np.int64),
        foretold=np.array([foretold[p].mean() for p in parts]),
        actual=np.array([actual[p].mean() for p in parts]),
    )


def spend_metrics(actual: Float64, foretold: Float64) -> dict[str, float]:
    """All metrics by the names used in benchmark results.

    ``level`` is the foretold sum over the actual one; ``decile_error`` the mean |foretold - actual| over deciles, over
    the mean of ``actual``.
    """
    if not len(actual):
        raise ValueError("metrics need at least one user")
    table = deciles(actual, foretold)
    mean = max(float(actual.mean()), 1e-12)
    logs = np.log1p(np.maximum(foretold, 0.0)) - np.log1p(np.maximum(actual, 0.0))
    return {
        "spearman": spearman(actual, foretold),
        "gini": normalised_gini(actual, foretold),
        "mae": float(np.abs(foretold - actual).mean()),
        "rmsle": float(np.sqrt(np.mean(logs**2))),
        "deviance": deviance(actual, foretold),
        "level": float(foretold.mean()) / mean,
        "decile_error": float(np.average(np.abs(table.foretold - table.actual), weights=table.users)) / mean,
    }


def decile_rows(actual: Float64, foretold: Float64) -> list[dict[str, Any]]:
    """:func:`deciles` as rows of a result."""
    table = deciles(actual, foretold)
    return [
        {"users": int(n), "foretold": float(f), "actual": float(a)}
        for n, f, a in zip(table.users, table.foretold, table.actual, strict=True)
    ]


def _lorenz(actual: Float64, order_by: Float64, weights: Float64) -> Float64:
    """(d,) covariance of ``actual`` with the rank by ``order_by``, both over their totals."""
    ranks = weighted_ranks(order_by, weights)
    spend = weights * actual
    return np.asarray((spend * (ranks - 0.5)).sum(axis=1) / np.maximum(spend.sum(axis=1), 1e-12))
