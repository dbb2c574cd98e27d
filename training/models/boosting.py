"""LightGBM for a probability or an amount, with or without a head start: fitted trees travel as text, never pickled."""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: A leaf speaks for at least this share of the rows, within bounds.
_LEAF_SHARE = 1 / 500
_LEAF_BOUNDS = (20, 300)
#: Predictions for this many users and more use all cores.
_BATCH = 2_000


class Objective(StrEnum):
    """What is foretold, by LightGBM's name for it; :func:`log_odds` then gives the value on the scale said here."""

    PROBABILITY = "binary"  # log-odds
    POSITIVE = "gamma"  # the logarithm of the mean of positive amounts
    ANY = "regression"  # the mean itself


@dataclass(frozen=True)
class Recipe:
    """How one model is grown."""

    leaves: int
    rounds: int
    learning_rate: float
    threads: int
    directions: tuple[int, ...]  # one per column: 1 rising, -1 falling, 0 free
    objective: Objective = Objective.PROBABILITY
    least_in_leaf: int | None = None  # rows that a leaf speaks for; None: a share of all


def grow(columns: Float32, label: Labels | Float64, start: Float64 | None, recipe: Recipe, seed: int) -> lgb.Booster:
    """Fit trees to ``label`` given ``columns`` (n, f), from the log-odds ``start`` (n,) when given. Deterministic."""
    parameters: dict[str, Any] = {
        "objective": str(recipe.objective),
        "learning_rate": recipe.learning_rate,
        "num_leaves": recipe.leaves,
        "min_data_in_leaf": recipe.least_in_leaf or int(np.clip(len(label) * _LEAF_SHARE, *_LEAF_BOUNDS)),
        "feature_fraction": 0.6,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "max_bin": 127,
        "monotone_constraints": list(recipe.directions),
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": min(recipe.threads, os.cpu_count() or 1),
        "verbose": -1,
    }
    data = lgb.Dataset(columns, label=label.astype(np.float32), init_score=start, free_raw_data=True)
    return lgb.train(parameters, data, num_boost_round=recipe.rounds)


def log_odds(booster: lgb.Booster, columns: Float32, rounds: int | None = None) -> Float64:
    """(n,) what the trees add to the start, after ``rounds`` of them (default: all)."""
    if not len(columns):
        return np.empty(0)
    threads = _threads_for(columns)
    raw = booster.predict(columns, raw_score=True, num_iteration=rounds or -1, num_threads=threads)
    return np.asarray(raw, np.float64)


def contributions(booster: lgb.Booster, columns: Float32) -> Float64:
    """(n, f) SHAP values in log-odds (Lundberg et al. 2018, exact for trees), the base value left out."""
    if not len(columns):
        return np.empty(columns.shape)
    values = np.asarray(booster.predict(columns, pred_contrib=True, num_threads=_threads_for(columns)), np.float64)
    return values[:, :-1]


def _threads_for(columns: Float32) -> int:
    """One thread for the few users of a request: starting more costs more than it gains. Results do not differ."""
    return 1 if len(columns) < _BATCH else (os.cpu_count() or 1)
