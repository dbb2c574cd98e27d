"""How good foretold effects of contacting are, on users for whom chance decided whether they were contacted.

Every user gets a *score* whose mean over any group is the effect in that group: the difference of outcomes weighted by
the inverse probability of the arm, centred at the mean outcome of each arm so that it varies less. Order is judged by
the Qini curve (Radcliffe 2007): what contacting the first share of users would have added, by falling foretold effect,
above the same share taken at random.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.evaluation.paired import Paired, paired_bootstrap_statistic
from training.evaluation.ranks import weighted_ranks

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

SHARE = 0.3
_DRAWS = 500


@dataclass(frozen=True)
class QiniCurve:
    """What contacting the first ``share`` of all users adds, per user of all; arrays of one length, from 0 to 1."""

    share: Float64
    gain: Float64


def effect_scores(treated: Bool, propensity: Float64, outcome: Float64) -> Float64:
    """(n,) scores whose mean over a group estimates the effect in it. ``propensity`` lies between 0 and 1."""
    inverse, other = treated / propensity, ~treated / (1.0 - propensity)
    mean = float(np.average(outcome, weights=inverse))
    mean_other = float(np.average(outcome, weights=other))
    return np.asarray(inverse * (outcome - mean) - other * (outcome - mean_other) + mean - mean_other)


def weighted_qini(score: Float64, effect: Float64, weights: Float64) -> Float64:
    """(d,) area between the Qini curve and the straight line under every row of ``weights`` (d, n).

    That area is the covariance of score and rank; users of one foretold effect share their rank.
    """
    ranks = weighted_ranks(effect, weights)
    return np.asarray((weights * score * (ranks - 0.5)).sum(axis=1) / weights.sum(axis=1))


def weighted_uplift_at(score: Float64, effect: Float64, weights: Float64) -> Float64:
    """(d,) mean effect among the 30 % of users with the highest foretold effect."""
    order = np.argsort(-effect, kind="stable")
    ordered = weights[:, order]
    before = np.cumsum(ordered, axis=1) - ordered
    limit = SHARE * weights.sum(axis=1, keepdims=True)
    taken = np.clip(limit - before, 0.0, ordered)
    return np.asarray((taken * score[order]).sum(axis=1) / taken.sum(axis=1))


def qini(score: Float64, effect: Float64, *, seed: int = 0) -> Paired:
    """The Qini coefficient with its interval; a random order has 0."""
    return paired_bootstrap_statistic(weighted_qini, score, effect, np.zeros(len(effect)), draws=_DRAWS, seed=seed)


def uplift_at(score: Float64, effect: Float64, *, seed: int = 0) -> Paired:
    """The effect among the 30 % with the highest foretold effect, with its interval."""
    nothing = np.zeros(len(effect))

    def against_none(scores: Float64, effects: Float64, weights: Float64) -> Float64:
        return weighted_uplift_at(scores, effects, weights) if effects is effect else np.zeros(len(weights))

    return paired_bootstrap_statistic(against_none, score, effect, nothing, draws=_DRAWS, seed=seed)


def mean_effect(score: Float64, *, seed: int = 0) -> Paired:
    """The effect on everybody, with its interval."""

    def mean(scores: Float64, who: Float64, weights: Float64) -> Float64:
        return np.asarray((weights * scores * who).sum(axis=1) / weights.sum(axis=1))

    return paired_bootstrap_statistic(mean, score, np.ones(len(score)), np.zeros(len(score)), draws=_DRAWS, seed=seed)


def qini_curve(score: Float64, effect: Float64, points: int = 101) -> QiniCurve:
    """The curve at ``points`` shares."""
    share = np.linspace(0.0, 1.0, points)
    gain = np.concatenate([[0.0], np.cumsum(score[np.argsort(-effect, kind="stable")])]) / len(score)
    return QiniCurve(share, np.interp(share * len(score), np.arange(len(score) + 1), gain))
