"""Fit an effect on a trial: refuse what is no experiment, choose the learner on held-out folds, calibrate, fit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm

from features.contracts.errors import NotEnoughDataError
from features.contracts.progress import track
from training.evaluation.uplift import weighted_qini
from training.models.boosting import Recipe
from training.models.uplift import Effect
from training.models.uplift_config import UpliftConfig
from training.models.uplift_learners import Arms, Learner, LearnerKind, Trial

Float64 = npt.NDArray[np.float64]

#: A column counts as unbalanced when the arms' means differ by more than this many standard deviations as well.
_LEAST_IMBALANCE = 0.1
_KINDS = tuple(LearnerKind)
#: A leaf speaks for at least this share of the users: the effect in a smaller group drowns in noise.
_LEAF_SHARE = 1 / 24


@dataclass(frozen=True)
class FittedUplift:
    """An effect and what chose it."""

    effect: Effect
    choices: dict[str, Any]


def check_trial(trial: Trial, config: UpliftConfig) -> None:
    """Raise :class:`NotEnoughDataError` that says what is missing of an experiment.

    Arms that are too small or see too few outcomes; probabilities that are 0 or 1; arms whose sizes contradict the
    probabilities (sample ratio mismatch, chi-square); columns whose means differ between the arms (Bonferroni).
    """
    mine = trial.treated
    for name, rows in (("contacted", mine), ("not contacted", ~mine)):
        users, outcomes = int(rows.sum()), int(trial.outcome[rows].sum())
        if not users:
            raise NotEnoughDataError(f"there is no randomised arm: no user was {name}; an effect cannot be learnt")
        if users < config.least_of_arm:
            raise NotEnoughDataError(f"{users} users were {name}; at least {config.least_of_arm} are needed")
        if min(outcomes, users - outcomes) < config.least_outcomes:
            raise NotEnoughDataError(
                f"of {users} users who were {name} {outcomes} have the outcome; at least {config.least_outcomes} with "
                "it, and without it, are needed"
            )
    if not ((trial.propensity > 0) & (trial.propensity < 1)).all():
        raise NotEnoughDataError("propensity unknown: it must lie between 0 and 1 for every user")
    levels, level = np.unique(np.round(trial.propensity, 6), return_inverse=True)
    sent = np.bincount(level, weights=mine, minlength=len(levels))
    users_of = np.bincount(level, minlength=len(levels))
    statistic = float(np.sum((sent - users_of * levels) ** 2 / (users_of * levels * (1 - levels))))
    p = float(chi2.sf(statistic, len(levels)))
    if p < config.imbalance_p:
        raise NotEnoughDataError(
            f"the arms are not random: {int(sent.sum()):,} users were contacted where the logged probabilities make it "
            f"{float(users_of @ levels):,.0f} (p = {p:.2g}, limit {config.imbalance_p:g})"
        )
    _check_balance(trial, config)


def _check_balance(trial: Trial, config: UpliftConfig) -> None:
    weight = np.where(trial.treated, 1 / trial.propensity, 1 / (1 - trial.propensity))
    limit = float(norm.isf(config.imbalance_p / (2 * trial.columns.shape[1])))
    for place, name in enumerate(trial.names):
        values = trial.columns[:, place].astype(np.float64)
        known = np.isfinite(values)
        arms = [known & trial.treated, known & ~trial.treated]
        if min(int(arm.sum()) for arm in arms) < config.least_of_arm:
            continue
        spread = float(values[known].std())
        if spread == 0:
            continue
        means = [float(np.average(values[arm], weights=weight[arm])) for arm in arms]
        size = [float(weight[arm].sum() ** 2 / (weight[arm] ** 2).sum()) for arm in arms]
        apart = abs(means[0] - means[1]) / spread
        if apart > _LEAST_IMBALANCE and apart / np.sqrt(1 / size[0] + 1 / size[1]) > limit:
            raise NotEnoughDataError(
                f"the arms are not alike: '{name}' differs by {apart:.2f} standard deviations between users who were "
                "contacted and users who were not"
            )


def recipe_of(trial: Trial, config: UpliftConfig) -> Recipe:
    """How every tree of an effect is grown: small, since effects are small beside noise."""
    return Recipe(
        leaves=config.boosting.leaves[0],
        rounds=config.boosting.rounds[0],
        learning_rate=config.boosting.learning_rate,
        threads=config.boosting.threads,
        directions=(0,) * len(trial.names),
        least_in_leaf=max(20, int(len(trial) * _LEAF_SHARE)),
    )


def fit_uplift(trial: Trial, config: UpliftConfig) -> FittedUplift:
    """The effect of contacting, by the learner whose effects explain most of users it had not seen.

    Raises :class:`NotEnoughDataError` as :func:`check_trial` does.
    """
    check_trial(trial, config)
    recipe = recipe_of(trial, config)
    fold = np.random.default_rng(config.seed).permutation(len(trial)) % config.folds
    held = {kind: np.zeros(len(trial)) for kind in _KINDS}
    scores = np.empty(len(trial))
    for number in track(list(range(config.folds)), "choosing the uplift learner", unit="folds"):
        mine = fold == number
        fit, judge = trial.take(~mine), trial.take(mine)
        arms = Arms.fit(fit, recipe, config.seed)
        scores[mine] = arms.scores(judge)
        for kind in _KINDS:
            held[kind][mine] = Learner.fit(kind, fit, recipe, config.seed, arms).effect(judge.columns)
    once = np.ones((1, len(trial)))
    lines = {kind: _line(held[kind], scores) for kind in _KINDS}
    best = min(_KINDS, key=lambda kind: lines[kind].loss)
    line = lines[best]
    learner = Learner.fit(best, trial, recipe, config.seed, Arms.fit(trial, recipe, config.seed))
    choices = {
        "learner": str(best),
        "mean_effect": float(scores.mean()),
        "slope": line.slope,
        "heterogeneity_z": line.z,
        "dr_loss": {str(kind): lines[kind].loss for kind in _KINDS},
        "qini": {str(kind): float(weighted_qini(scores, held[kind], once)[0]) for kind in _KINDS},
        "users": len(trial),
        "contacted": int(trial.treated.sum()),
        "columns": list(trial.names),
    }
    return FittedUplift(Effect(learner, line.intercept, line.slope), choices)


@dataclass(frozen=True)
class _Line:
    intercept: float
    slope: float
    z: float  # slope over its standard error: do the foretold differences exist?
    loss: float  # mean squared distance from the scores


def _line(effect: Float64, scores: Float64) -> _Line:
    """Best linear predictor of the effect (Chernozhukov, Demirer, Duflo & Fernández-Val 2018, section 3).

    A slope below 0 would turn the order around, one above 1 would trust noise: it stays between.
    """
    centred = effect - effect.mean()
    spread = float(centred @ centred)
    slope, z = 0.0, 0.0
    if spread > 0:
        free = float(centred @ scores) / spread
        rest = scores - scores.mean() - free * centred
        z = free / max(float(np.sqrt(np.sum((centred * rest) ** 2))) / spread, 1e-12)
        slope = float(np.clip(free, 0.0, 1.0))
    intercept = float(scores.mean() - slope * effect.mean())
    return _Line(intercept, slope, z, float(np.mean((scores - intercept - slope * effect) ** 2)))
