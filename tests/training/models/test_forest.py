"""Trees laid out for speed score like the booster that they come from, to the bit."""

import lightgbm as lgb
import numpy as np
import pytest

from training.models.forest import Forest


def _pairs(n: int, *, unknown: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(n, 7)).astype(np.float32)
    features[:, 1] = rng.integers(0, 3, n)
    features[rng.random(features.shape) < unknown] = np.nan
    return features


def _booster(features: np.ndarray, rounds: int = 12, **parameters: object) -> lgb.Booster:
    rng = np.random.default_rng(6)
    hit = (np.nan_to_num(features[:, 0]) * features[:, 2] + rng.normal(size=len(features)) > 0).astype(np.float32)
    settings = {"objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    return lgb.train({**settings, **parameters}, lgb.Dataset(features, hit), rounds)


def _by_lightgbm(booster: lgb.Booster, features: np.ndarray) -> np.ndarray:
    return np.asarray(booster.predict(features, raw_score=True, num_threads=1))


@pytest.mark.parametrize("unknown_in_fit", [0.0, 0.2])
@pytest.mark.parametrize("pairs", [1, 63, 64, 65, 1000])
def test_scores_equal_those_of_the_booster(unknown_in_fit: float, pairs: int) -> None:
    booster = _booster(_pairs(3000, unknown=unknown_in_fit))
    forest = Forest.of(booster)
    assert forest is not None
    asked = _pairs(3000, unknown=0.1)[-pairs:]  # unknown values also where the fit met none
    assert np.array_equal(forest.scores(asked), _by_lightgbm(booster, asked))


def test_values_at_a_threshold_go_the_same_way() -> None:
    booster = _booster(_pairs(3000))
    forest = Forest.of(booster)
    assert forest is not None
    asked = np.repeat(forest.threshold[:, None], 7, axis=1)
    near = np.concatenate([asked, np.nextafter(asked, np.float32(np.inf)), np.nextafter(asked, np.float32(-np.inf))])
    near = np.concatenate([near, np.zeros((1, 7), np.float32), np.full((1, 7), np.inf, np.float32), -near])
    assert np.array_equal(forest.scores(near), _by_lightgbm(booster, near))


def test_a_tree_that_never_splits_is_its_only_leaf() -> None:
    features = _pairs(40)
    booster = _booster(features, rounds=2, min_data_in_leaf=1000)
    forest = Forest.of(booster)
    assert forest is not None
    assert np.array_equal(forest.scores(features), _by_lightgbm(booster, features))


def test_nothing_is_scored_of_no_pairs() -> None:
    forest = Forest.of(_booster(_pairs(500)))
    assert forest is not None
    assert forest.scores(_pairs(500)[:0]).shape == (0,)


def test_larger_trees_are_left_to_the_booster() -> None:
    assert Forest.of(_booster(_pairs(3000), num_leaves=64)) is None


def test_splits_into_categories_are_left_to_the_booster() -> None:
    features = _pairs(3000)
    hit = (features[:, 1] == 1).astype(np.float32)
    data = lgb.Dataset(features, hit, categorical_feature=[1])
    booster = lgb.train({"objective": "binary", "num_threads": 1, "verbosity": -1}, data, 3)
    assert Forest.of(booster) is None
