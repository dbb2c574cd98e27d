"""Learners of the effect of contacting: T, X and DR on LightGBM, for outcomes that are yes or no.

Künzel, Sekhon, Bickel & Yu (2019), "Metalearners for estimating heterogeneous treatment effects using machine
learning", PNAS 116(10): T and X. Kennedy (2020), "Optimal doubly robust estimation of heterogeneous causal effects",
arXiv 2004.14497: DR.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from training.models.boosting import Objective, Recipe, grow, log_odds

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


class LearnerKind(StrEnum):
    """How an effect is learnt, simplest first."""

    CONSTANT = "constant"  # everybody the mean effect
    T = "t_learner"  # one model per arm, and their difference
    X = "x_learner"  # effects imputed by the other arm's model, learnt and mixed by the propensity
    DR = "dr_learner"  # doubly robust scores, learnt


@dataclass(frozen=True)
class Trial:
    """Users for whom chance decided, with a known probability, whether they were contacted."""

    names: tuple[str, ...]
    columns: Float32  # (n, f), NaN where unknown
    treated: Bool
    propensity: Float64  # (n,) probability of being contacted, between 0 and 1
    outcome: Bool

    def __len__(self) -> int:
        return len(self.treated)

    def take(self, rows: npt.NDArray[np.int64] | Bool) -> "Trial":
        """The users at ``rows``."""
        return Trial(self.names, self.columns[rows], self.treated[rows], self.propensity[rows], self.outcome[rows])


@dataclass(frozen=True)
class Arms:
    """A model of the outcome in each arm."""

    treated: lgb.Booster
    control: lgb.Booster

    @classmethod
    def fit(cls, trial: Trial, recipe: Recipe, seed: int) -> "Arms":
        """Each on its own arm."""
        mine = trial.treated
        return cls(
            grow(trial.columns[mine], trial.outcome[mine], None, recipe, seed),
            grow(trial.columns[~mine], trial.outcome[~mine], None, recipe, seed + 1),
        )

    def outcomes(self, columns: Float32) -> tuple[Float64, Float64]:
        """(n,) probability of the outcome if contacted, and if not."""
        return expit(log_odds(self.treated, columns)), expit(log_odds(self.control, columns))

    def scores(self, trial: Trial) -> Float64:
        """(n,) doubly robust scores of users that the arms have not seen: their mean over a group is its effect."""
        one, none = self.outcomes(trial.columns)
        e, t = trial.propensity, trial.treated
        return np.asarray(one - none + t * (trial.outcome - one) / e - ~t * (trial.outcome - none) / (1.0 - e))


@dataclass(frozen=True)
class Learner:
    """A fitted learner."""

    kind: LearnerKind
    boosters: tuple[lgb.Booster, ...]
    share: float  # mean propensity

    @classmethod
    def fit(cls, kind: LearnerKind, trial: Trial, recipe: Recipe, seed: int, arms: Arms) -> "Learner":
        """``arms`` were fitted on the same trial; T is nothing but them, X imputes from them."""
        share = float(trial.propensity.mean())
        if kind is LearnerKind.T:
            return cls(kind, (arms.treated, arms.control), share)
        effects = Recipe(**{**vars(recipe), "objective": Objective.ANY})
        if kind is LearnerKind.X:
            one, none = arms.outcomes(trial.columns)
            mine = trial.treated
            from_treated = grow(trial.columns[mine], (trial.outcome - none)[mine], None, effects, seed + 2)
            from_control = grow(trial.columns[~mine], (one - trial.outcome)[~mine], None, effects, seed + 3)
            return cls(kind, (from_treated, from_control), share)
        if kind is LearnerKind.DR:
            return cls(kind, (grow(trial.columns, _crossed(trial, recipe, seed), None, effects, seed + 4),), share)
        return cls(kind, (), share)

    def effect(self, columns: Float32) -> Float64:
        """(n,) change of the outcome's probability by contacting, before calibration."""
        raw = [log_odds(booster, columns) for booster in self.boosters]
        if self.kind is LearnerKind.T:
            return np.asarray(expit(raw[0]) - expit(raw[1]))
        if self.kind is LearnerKind.X:
            return np.asarray((1.0 - self.share) * raw[0] + self.share * raw[1])
        return raw[0] if raw else np.zeros(len(columns))

    def to_texts(self) -> dict[str, str]:
        """The trees by file name."""
        return {f"trees_{i}.txt": booster.model_to_string() for i, booster in enumerate(self.boosters)}

    @classmethod
    def from_texts(cls, kind: str, texts: Sequence[str], share: float) -> "Learner":
        return cls(LearnerKind(kind), tuple(lgb.Booster(model_str=text) for text in texts), share)


def _crossed(trial: Trial, recipe: Recipe, seed: int) -> Float64:
    """(n,) doubly robust scores, each half by arms that were fitted on the other (Kennedy's sample splitting)."""
    half = np.random.default_rng(seed).permutation(len(trial)) % 2 == 0
    scores = np.empty(len(trial))
    for mine in (half, ~half):
        scores[mine] = Arms.fit(trial.take(~mine), recipe, seed + 5).scores(trial.take(mine))
    return scores
