import numpy as np
import pytest

from training.evaluation.coverage import coverage

LEVEL = 0.9
QUANTILE = 1.644854


def _groups(error: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(foretold, true) rates of 200 groups of 100 users, foretold with this standard error."""
    rng = np.random.default_rng(seed)
    foretold = np.linspace(0.2, 0.8, 200)
    return np.repeat(foretold, 100), np.repeat(foretold + rng.normal(0, error, 200), 100)


def test_intervals_as_wide_as_the_error_hold_as_often_as_they_say() -> None:
    foretold, true = _groups(0.03)
    half = QUANTILE * 0.03
    found = coverage(true, foretold, foretold - half, foretold + half, LEVEL)
    assert found.covered == pytest.approx(LEVEL, abs=0.05)
    assert found.groups == 200
    assert found.width == pytest.approx(2 * half)


def test_labels_are_allowed_their_chance() -> None:
    foretold, true = _groups(0.03)
    label = np.random.default_rng(2).random(len(true)) < true
    half = QUANTILE * 0.03
    assert coverage(label, foretold, foretold - half, foretold + half, LEVEL).covered == pytest.approx(LEVEL, abs=0.05)


def test_intervals_that_are_too_narrow_are_found_out() -> None:
    foretold, true = _groups(0.1)
    half = QUANTILE * 0.02
    label = np.random.default_rng(2).random(len(true)) < true
    for rate in (true, label):
        assert coverage(rate, foretold, foretold - half, foretold + half, LEVEL).covered < 0.7


def test_a_few_users_are_one_group() -> None:
    found = coverage(np.array([True, False]), np.array([0.5, 0.5]), np.array([0.4, 0.4]), np.array([0.6, 0.6]), LEVEL)
    assert (found.groups, found.covered) == (1, 1.0)
