"""How good probabilities are: ranking (AUC, PR-AUC, lift, profit) and honesty (log-loss, Brier, calibration error).

Arrays in, values out. ``label`` is 1 for the event that ``probability`` speaks of (here: churned).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from training.evaluation.profit import expected_maximum_profit

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: Probabilities are kept this far from 0 and 1 before a logarithm is taken.
_EDGE = 1e-15
#: Equal-mass bins of the calibration error and of the reliability table.
BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Equal-mass bins by rising probability, arrays of one length."""

    users: npt.NDArray[np.int64]
    predicted: Float64  # mean probability of the bin
    observed: Float64  # share of the bin with label 1


def auc(label: Labels, probability: Float64) -> float:
    """Area under the ROC curve; equal probabilities count half. NaN when only one class occurs."""
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(probability)
    return float((ranks[label].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(label: Labels, probability: Float64) -> float:
    """Area under the precision-recall curve as a step function; tied probabilities form one step."""
    positives = int(label.sum())
    if not positives:
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(label[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(probability[order])), len(label) - 1)
    found = hits[last_of_tie].astype(np.float64)
    precision = found / (last_of_tie + 1)
    return float(np.sum(np.diff(found, prepend=0.0) * precision) / positives)


def log_loss(label: Labels, probability: Float64) -> float:
    """Mean negative log-likelihood, in nats."""
    p = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return float(-np.mean(np.where(label, np.log(p), np.log1p(-p))))


def brier(label: Labels, probability: Float64) -> float:
    """Mean squared difference between probability and label."""
    return float(np.mean((probability - label) ** 2))


def reliability(label: Labels, probability: Float64, bins: int = BINS) -> Reliability:
    """Predicted against observed in ``bins`` groups of equal size (ties are kept in the order given)."""
    groups = np.array_split(np.argsort(probability, kind="stable"), min(bins, max(len(label), 1)))
    return Reliability(
        users=np.array([len(g) for g in groups], dtype=np.int64),
        predicted=np.array([probability[g].mean() for g in groups]),
        observed=np.array([label[g].mean() for g in groups]),
    )


def calibration_error(label: Labels, probability: Float64, bins: int = BINS) -> float:
    """Expected calibration error: mean |predicted - observed| over equal-mass bins, weighted by their users."""
    table = reliability(label, probability, bins)
    return float(np.average(np.abs(table.predicted - table.observed), weights=table.users))


def lift(label: Labels, probability: Float64, share: float = 0.1) -> float:
    """Label rate among the ``share`` of users with the highest probability, over the rate among all.

    Users tied at the edge count with the mean label of their tie, so the order of rows does not matter.
    """
    base = float(label.mean())
    if base == 0.0:
        return float("nan")
    taken = max(1, round(len(label) * share))
    edge = np.partition(probability, len(label) - taken)[len(label) - taken]
    above = probability > edge
    tied = probability == edge
    caught = float(label[above].sum()) + float(label[tied].mean()) * (taken - int(above.sum()))
    return caught / taken / base


def probability_metrics(label: Labels, probability: Float64) -> dict[str, float]:
    """All metrics by the names used in benchmark results."""
    if not len(label):
        raise ValueError("metrics need at least one user")
    return {
        "auc": auc(label, probability),
        "pr_auc": average_precision(label, probability),
        "log_loss": log_loss(label, probability),
        "brier": brier(label, probability),
        "ece": calibration_error(label, probability),
        "lift@10%": lift(label, probability),
        "emp": expected_maximum_profit(label, probability).per_user,
    }
