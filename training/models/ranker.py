"""The learnt order of candidates: LightGBM over the features of :mod:`training.models.ranker_features`.

Burges, "From RankNet to LambdaRank to LambdaMART" (2010); Bruch, "An Alternative Cross Entropy Loss for
Learning-to-Rank" (WWW 2021); Ke et al., "LightGBM" (NeurIPS 2017).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import lightgbm as lgb
import numpy as np
from pydantic import Field

from features.contracts.config import Config
from features.contracts.errors import BundleError
from training.interactions import Float32, Int64
from training.models.ensemble_selection import select_parts
from training.models.ragged import Float64

#: The kinds of booster: what each learns by, and whether with small trees of few features.
KINDS = {
    "lambdarank": ("lambdarank", False),  # looks at the top of the lists; good where a user has few hits
    "xendcg": ("rank_xendcg", False),  # a whole list at a time; good where he has many
    "classifier": ("binary", False),  # learns from every pair
    "small_classifier": ("binary", True),
}
#: The kinds that a ranker has when nothing was validated.
_USUAL = ("lambdarank", "classifier")
#: Pairs that a booster's spread is measured on.
_SPREAD_PAIRS = 50_000
#: Fewer pairs than this are scored by one thread: starting more costs longer.
_ONE_THREAD_PAIRS = 5000


class RankerConfig(Config):
    """Settings of :class:`Ranker`: small trees, much regularisation; rounds and mixture are found on validation."""

    rounds: int = Field(default=150, gt=0)
    """Most boosting rounds."""
    patience: int = Field(default=15, gt=0)
    """Rounds without a better validation NDCG@10 after which boosting stops."""
    learning_rate: float = Field(default=0.08, gt=0)
    leaves: int = Field(default=31, gt=1)
    min_leaf: int = Field(default=100, gt=0)
    """Candidate pairs in a leaf at least; less when there are few pairs."""
    feature_fraction: float = Field(default=0.6, gt=0, le=1)
    """Part of the features that each tree may use."""
    l2: float = Field(default=10.0, ge=0)
    truncation: int = Field(default=30, gt=0)
    """Places at the top that LambdaRank cares for."""
    seed: int = 0
    threads: int = Field(default=0, ge=0)
    """Threads of the fit; 0 means all cores."""


@dataclass(frozen=True)
class Examples:
    """Candidate pairs of many users with what came true. Pairs of one group stand together."""

    names: tuple[str, ...]  # (f,) of the features
    features: Float32  # (c, f)
    hit: Float32  # (c,) 1 where the user took the item, else 0
    groups: Int64  # (g,) pairs per user, in order

    @classmethod
    def join(cls, parts: Sequence["Examples"]) -> "Examples":
        """All pairs of several sets over the same features."""
        return cls(
            parts[0].names,
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.hit for part in parts]),
            np.concatenate([part.groups for part in parts]),
        )


@dataclass(frozen=True)
class Portion:
    """How one member of a ranker is made."""

    kind: str  # of :data:`KINDS`
    rounds: int  # boosting rounds
    weight: float  # of its scores, in units of their spread


@dataclass(frozen=True)
class Member:
    """One booster of a ranker."""

    booster: lgb.Booster
    scale: float  # spread of its scores over the examples of the fit, by which they are divided
    weight: float = 1.0  # of the scaled scores in the sum

    @classmethod
    def of(cls, booster: lgb.Booster, examples: Examples, weight: float = 1.0) -> Self:
        """Measure the spread on a part of the examples."""
        scores = booster.predict(examples.features[:_SPREAD_PAIRS], raw_score=True)
        return cls(booster, max(float(np.std(scores)), 1e-9), weight)

    def scores(self, features: Float32, threads: int) -> Float64:
        """(c,) weighted scores in units of their spread."""
        raw = self.booster.predict(features, num_threads=threads, raw_score=True)
        scaled: Float64 = np.asarray(raw, dtype=np.float64) * (self.weight / self.scale)
        return scaled


class Ranker:
    """Boosters of different kinds added up, each in units of its own spread: their errors differ."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = tuple(members)
        self.names: tuple[str, ...] = tuple(self._members[0].booster.feature_name())

    @classmethod
    def fit(cls, examples: Examples, config: RankerConfig, recipe: Sequence[Portion] | None = None) -> Self:
        """Boost on all examples as ``recipe`` says, by default the usual kinds for the most rounds that are allowed."""
        data = _dataset(examples)
        return cls(
            [
                Member.of(lgb.train(_parameters(p.kind, examples, config), data, p.rounds), examples, p.weight)
                for p in recipe or usual_recipe(config.rounds)
            ]
        )

    @classmethod
    def fit_validated(
        cls, examples: Examples, validation: Examples, config: RankerConfig
    ) -> tuple[Self, tuple[Portion, ...]]:
        """Boost each kind until NDCG@10 on ``validation`` stops growing and sum what makes the best lists there.

        Gives the ranker and the recipe by which it is made again.
        """
        train = _dataset(examples)
        judge = _dataset(validation, train)
        members, rounds = [], []
        for kind in KINDS:
            booster = lgb.train(
                _parameters(kind, examples, config),
                train,
                config.rounds,
                valid_sets=[judge],
                callbacks=[lgb.early_stopping(config.patience, verbose=False)],
            )
            rounds.append(max(booster.best_iteration, 1))
            best = lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds[-1]))
            members.append(Member.of(best, examples))
        scores = [member.scores(validation.features, config.threads) for member in members]
        parts = select_parts(scores, validation.hit, validation.groups)
        made = [(k, part) for k, part in enumerate(parts) if part]
        kinds = tuple(KINDS)
        return (
            cls([replace(members[k], weight=float(part)) for k, part in made]),
            tuple(Portion(kinds[k], rounds[k], float(part)) for k, part in made),
        )

    def predict(self, names: tuple[str, ...], features: Float32) -> Float64:
        """(c,) score of each pair, comparable within one user; ``names`` must be those of the fit.

        Raises :class:`BundleError` when they are not: the code and the model are of different versions.
        """
        if names != self.names:
            odd = sorted(set(names) ^ set(self.names))
            raise BundleError(f"the ranker was trained on other features than this code computes: {', '.join(odd)}")
        total: Float64 = np.zeros(len(features))
        if len(features):
            threads = 1 if len(features) < _ONE_THREAD_PAIRS else 0
            for member in self._members:
                total += member.scores(features, threads)
        return total

    def importance(self) -> dict[str, float]:
        """Share of the total gain per feature, averaged over the boosters by weight, largest first."""
        gains = [member.booster.feature_importance("gain") for member in self._members]
        weights = [member.weight for member in self._members]
        share = np.average([gain / max(gain.sum(), 1e-12) for gain in gains], axis=0, weights=weights)
        return {self.names[i]: float(share[i]) for i in np.argsort(-share, kind="stable")}

    def to_text(self) -> str:
        """JSON that holds the boosters in LightGBM's text format."""
        members = [{"scale": m.scale, "weight": m.weight, "model": m.booster.model_to_string()} for m in self._members]
        return json.dumps({"members": members}, indent=1)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of :meth:`to_text`. Raises :class:`BundleError` on text that is no model."""
        try:
            plain = json.loads(text)
            return cls(
                [
                    Member(lgb.Booster(model_str=m["model"]), float(m["scale"]), float(m["weight"]))
                    for m in plain["members"]
                ]
            )
        except (ValueError, KeyError, TypeError, IndexError, lgb.basic.LightGBMError) as error:
            raise BundleError(f"the ranker cannot be read: {error}") from error


def usual_recipe(rounds: int) -> tuple[Portion, ...]:
    """The usual kinds in equal parts."""
    return tuple(Portion(kind, rounds, 1.0) for kind in _USUAL)


def _dataset(examples: Examples, reference: lgb.Dataset | None = None) -> lgb.Dataset:
    return lgb.Dataset(
        examples.features,
        examples.hit,
        group=examples.groups,
        feature_name=list(examples.names),
        reference=reference,
        free_raw_data=True,
    )


def _parameters(kind: str, examples: Examples, config: RankerConfig) -> dict[str, object]:
    objective, small = KINDS[kind]
    return {
        "objective": objective,
        "lambdarank_truncation_level": config.truncation,
        "metric": "ndcg",
        "eval_at": [10],
        "learning_rate": config.learning_rate,
        "num_leaves": max(config.leaves // 2, 2) if small else config.leaves,
        "min_data_in_leaf": min(config.min_leaf, max(len(examples.hit) // 100, 1)),
        "feature_fraction": config.feature_fraction / 2 if small else config.feature_fraction,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": config.l2,
        "max_bin": 127,
        "seed": config.seed,
        "num_threads": config.threads,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
