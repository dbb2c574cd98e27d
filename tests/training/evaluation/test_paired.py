"""Paired intervals: right in the cases whose answer is known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.evaluation.paired import paired_bootstrap, paired_bootstrap_statistic, weighted_auc


def test_a_constant_difference_has_no_spread() -> None:
    b = np.random.default_rng(1).random(300)
    paired = paired_bootstrap(b + 0.25, b, seed=3)
    assert (paired.mean, paired.low, paired.high) == pytest.approx((0.25, 0.25, 0.25))
    assert paired.better


def test_interval_is_close_to_the_normal_one_for_many_users() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, 4000).astype(float), rng.integers(0, 2, 4000).astype(float)
    paired = paired_bootstrap(a, b, seed=0)
    half = 1.96 * (a - b).std() / np.sqrt(len(a))
    assert paired.low == pytest.approx(paired.mean - half, abs=0.1 * half)
    assert paired.high == pytest.approx(paired.mean + half, abs=0.1 * half)
    assert not paired.better


def test_same_seed_same_interval_and_swapping_mirrors_the_mean() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.random(50), rng.random(50)
    assert paired_bootstrap(a, b, seed=9) == paired_bootstrap(a, b, seed=9)
    assert paired_bootstrap(a, b, seed=9).mean == pytest.approx(-paired_bootstrap(b, a, seed=9).mean)


def test_arrays_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="equally long"):
        paired_bootstrap(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="equally long"):
        paired_bootstrap_statistic(weighted_auc, np.zeros(3, bool), np.zeros(3), np.zeros(2))


@pytest.mark.parametrize("ties", [False, True])
def test_weighted_auc_is_the_area_that_sklearn_computes(ties: bool) -> None:
    rng = np.random.default_rng(5)
    labels = rng.random(400) < 0.3
    scores = rng.random(400) + 0.4 * labels
    if ties:
        scores = np.round(scores, 1)
    weights = rng.integers(0, 4, (3, 400)).astype(float)
    expected = [roc_auc_score(labels, scores, sample_weight=w) for w in weights]
    np.testing.assert_allclose(weighted_auc(labels, scores, weights), expected)


def test_auc_of_a_better_score_is_shown_to_be_better() -> None:
    rng = np.random.default_rng(6)
    labels = rng.random(3000) < 0.4
    noise = rng.random(3000)
    paired = paired_bootstrap_statistic(weighted_auc, labels, noise + labels, noise + 0.2 * labels, draws=200, seed=1)
    assert paired.better
    assert paired.low < paired.mean < paired.high


def test_one_class_gives_no_number_rather_than_a_wrong_one() -> None:
    paired = paired_bootstrap_statistic(weighted_auc, np.ones(20, bool), np.arange(20.0), np.zeros(20), draws=10)
    assert np.isnan([paired.mean, paired.low, paired.high]).all()
    assert not paired.better
