import numpy as np
import pytest
from scipy.stats import spearmanr

from training.evaluation.ranks import weighted_ranks
from training.evaluation.spend import (
    deciles,
    deviance,
    normalised_gini,
    spearman,
    spend_metrics,
    weighted_gini,
    weighted_spearman,
)

RANDOM = np.random.default_rng(3)
ACTUAL = np.where(RANDOM.random(400) < 0.7, 0.0, RANDOM.gamma(2, 20, 400))
FORETOLD = np.round(0.3 * ACTUAL + RANDOM.gamma(1, 5, 400), 0)


def test_spearman_is_scipys_with_ties() -> None:
    assert spearman(ACTUAL, FORETOLD) == pytest.approx(spearmanr(ACTUAL, FORETOLD).statistic)
    assert np.isnan(spearman(ACTUAL, np.ones(400)))


def test_weights_are_repetitions() -> None:
    weights = RANDOM.integers(0, 4, (3, 400)).astype(np.float64)
    for row in range(3):
        times = weights[row].astype(int)
        a, b = np.repeat(ACTUAL, times), np.repeat(FORETOLD, times)
        assert weighted_spearman(ACTUAL, FORETOLD, weights)[row] == pytest.approx(spearman(a, b))
        assert weighted_gini(ACTUAL, FORETOLD, weights)[row] == pytest.approx(normalised_gini(a, b))


def test_ranks_of_equal_values_are_shared() -> None:
    assert weighted_ranks(np.array([5.0, 1.0, 5.0]), np.ones((1, 3)))[0] == pytest.approx([2 / 3, 1 / 6, 2 / 3])


def test_gini_is_one_for_the_best_order_and_zero_for_none_whatever_the_row_order() -> None:
    assert normalised_gini(ACTUAL, ACTUAL**2) == pytest.approx(1.0)
    assert normalised_gini(ACTUAL, np.zeros(400)) == pytest.approx(0.0)
    assert normalised_gini(ACTUAL[::-1], FORETOLD[::-1]) == pytest.approx(normalised_gini(ACTUAL, FORETOLD))
    assert np.isnan(normalised_gini(np.zeros(5), np.arange(5.0)))


def test_the_deviance_is_least_at_the_mean_and_knows_no_currency() -> None:
    losses = {factor: deviance(ACTUAL, np.full(400, factor * ACTUAL.mean())) for factor in (0.7, 1.0, 1.4)}
    assert min(losses, key=losses.__getitem__) == 1.0
    assert deviance(100 * ACTUAL, 100 * FORETOLD) == pytest.approx(deviance(ACTUAL, FORETOLD))


def test_deciles_hold_everybody_once() -> None:
    table = deciles(ACTUAL, FORETOLD)
    assert table.users.sum() == 400
    assert (np.diff(table.foretold) >= 0).all()
    assert float(table.actual @ table.users) == pytest.approx(ACTUAL.sum())


def test_a_perfect_forecast_has_no_error() -> None:
    metrics = spend_metrics(ACTUAL, ACTUAL)
    assert (metrics["mae"], metrics["rmsle"], metrics["decile_error"]) == (0, 0, 0)
    assert (metrics["level"], metrics["gini"]) == pytest.approx((1, 1))
    with pytest.raises(ValueError, match="at least one"):
        spend_metrics(np.empty(0), np.empty(0))
