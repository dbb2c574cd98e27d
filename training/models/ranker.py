"""The learnt order of candidates: LightGBM over the features of :mod:`training.models.ranker_features`.

Burges, "From RankNet to LambdaRank to LambdaMART" (2010); Ke et al., "LightGBM" (NeurIPS 2017).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import lightgbm as lgb
import numpy as np
from pydantic import Field

from features.contracts.config import Config
from features.contracts.errors import BundleError
from training.interactions import Float32, Int64
from training.models.forest import Forest
from training.models.ragged import Float64

#: What the boosters of a ranker learn by.
OBJECTIVES = ("lambdarank", "binary")
#: Pairs that a booster's spread is measured on.
_SPREAD_PAIRS = 50_000
#: Fewer pairs than this are scored by one thread: starting more costs longer.
_ONE_THREAD_PAIRS = 5000


class RankerConfig(Config):
    """Settings of :class:`Ranker`: small trees, much regularisation; the number of rounds is found on validation."""

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
class Member:
    """One booster of a ranker."""

    booster: lgb.Booster
    scale: float  # spread of its scores over the examples of the fit, by which they are divided
    forest: Forest | None = field(init=False)  # the booster laid out for speed; None where that cannot be

    def __post_init__(self) -> None:
        object.__setattr__(self, "forest", Forest.of(self.booster))

    def scores(self, features: Float32) -> Float64:
        """(c,) raw scores in units of the spread."""
        if self.forest is not None:
            return self.forest.scores(np.ascontiguousarray(features)) / self.scale
        threads = 1 if len(features) < _ONE_THREAD_PAIRS else 0
        raw: Float64 = self.booster.predict(features, num_threads=threads, raw_score=True)
        return raw / self.scale

    @classmethod
    def of(cls, booster: lgb.Booster, examples: Examples) -> Self:
        """Measure the spread on a part of the examples."""
        scores = booster.predict(examples.features[:_SPREAD_PAIRS], raw_score=True)
        return cls(booster, max(float(np.std(scores)), 1e-9))


class Ranker:
    """Two boosters added up, each in units of its own spread.

    LambdaRank looks at the top of the lists, a classifier learns from every pair; their errors differ.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = tuple(members)
        self.names: tuple[str, ...] = tuple(self._members[0].booster.feature_name())

    @classmethod
    def fit(cls, examples: Examples, config: RankerConfig, *, rounds: Sequence[int] | None = None) -> Self:
        """Boost for ``rounds`` per objective (default: the most that the configuration allows) on all examples."""
        data = _dataset(examples)
        counts = rounds or [config.rounds] * len(OBJECTIVES)
        return cls(
            [
                Member.of(lgb.train(_parameters(objective, examples, config), data, count), examples)
                for objective, count in zip(OBJECTIVES, counts, strict=True)
            ]
        )

    @classmethod
    def fit_validated(
        cls, examples: Examples, validation: Examples, config: RankerConfig
    ) -> tuple[Self, tuple[int, ...]]:
        """Boost until NDCG@10 on ``validation`` stops growing; the ranker and the rounds per objective."""
        train = _dataset(examples)
        judge = _dataset(validation, train)
        members, rounds = [], []
        for objective in OBJECTIVES:
            booster = lgb.train(
                _parameters(objective, examples, config),
                train,
                config.rounds,
                valid_sets=[judge],
                callbacks=[lgb.early_stopping(config.patience, verbose=False)],
            )
            rounds.append(max(booster.best_iteration, 1))
            best = lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds[-1]))
            members.append(Member.of(best, examples))
        return cls(members), tuple(rounds)

    def predict(self, names: tuple[str, ...], features: Float32) -> Float64:
        """(c,) score of each pair, comparable within one user; ``names`` must be those of the fit.

        Raises :class:`BundleError` when they are not: the code and the model are of different versions.
        """
        if names != self.names:
            odd = sorted(set(names) ^ set(self.names))
            raise BundleError(f"the ranker was trained on other features than this code computes: {', '.join(odd)}")
        total: Float64 = np.zeros(len(features))
        if len(features):
            for member in self._members:
                total += member.scores(features)
        return total

    def importance(self) -> dict[str, float]:
        """Share of the total gain per feature, averaged over the boosters, largest first."""
        gains = [member.booster.feature_importance("gain") for member in self._members]
        share = np.mean([gain / max(gain.sum(), 1e-12) for gain in gains], axis=0)
        return {self.names[i]: float(share[i]) for i in np.argsort(-share, kind="stable")}

    def to_text(self) -> str:
        """JSON that holds the boosters in LightGBM's text format."""
        members = [{"scale": m.scale, "model": m.booster.model_to_string()} for m in self._members]
        return json.dumps({"members": members}, indent=1)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of :meth:`to_text`. Raises :class:`BundleError` on text that is no model."""
        try:
            plain = json.loads(text)
            return cls([Member(lgb.Booster(model_str=m["model"]), float(m["scale"])) for m in plain["members"]])
        except (ValueError, KeyError, TypeError, IndexError, lgb.basic.LightGBMError) as error:
            raise BundleError(f"the ranker cannot be read: {error}") from error


def _dataset(examples: Examples, reference: lgb.Dataset | None = None) -> lgb.Dataset:
    return lgb.Dataset(
        examples.features,
        examples.hit,
        group=examples.groups,
        feature_name=list(examples.names),
        reference=reference,
        free_raw_data=True,
    )


def _parameters(objective: str, examples: Examples, config: RankerConfig) -> dict[str, object]:
    return {
        "objective": objective,
        "lambdarank_truncation_level": config.truncation,
        "metric": "ndcg",
        "eval_at": [10],
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": min(config.min_leaf, max(len(examples.hit) // 100, 1)),
        "feature_fraction": config.feature_fraction,
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
