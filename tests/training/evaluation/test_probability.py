import numpy as np
import pytest
from sklearn import metrics as reference

from training.evaluation import probability as ours


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    label = rng.random(2_000) < 0.3
    return label, np.round(np.clip(0.3 + 0.2 * label + rng.normal(0, 0.2, 2_000), 0.01, 0.99), 2)  # with many ties


def test_metrics_agree_with_scikit_learn(sample: tuple[np.ndarray, np.ndarray]) -> None:
    label, probability = sample
    assert ours.auc(label, probability) == pytest.approx(reference.roc_auc_score(label, probability))
    assert ours.average_precision(label, probability) == pytest.approx(
        reference.average_precision_score(label, probability)
    )
    assert ours.log_loss(label, probability) == pytest.approx(reference.log_loss(label, probability))
    assert ours.brier(label, probability) == pytest.approx(reference.brier_score_loss(label, probability))


def test_calibration_error_by_hand() -> None:
    probability = np.repeat([0.1, 0.9], 10)
    label = np.array([True] * 3 + [False] * 7 + [True] * 9 + [False])
    assert ours.calibration_error(label, probability, bins=2) == pytest.approx((0.2 + 0.0) / 2)
    table = ours.reliability(label, probability, bins=2)
    np.testing.assert_allclose(table.observed, [0.3, 0.9])
    np.testing.assert_array_equal(table.users, [10, 10])


def test_bins_hold_equal_numbers_of_users(sample: tuple[np.ndarray, np.ndarray]) -> None:
    assert set(ours.reliability(*sample).users.tolist()) == {200}


def test_lift_by_hand_and_ties_do_not_depend_on_order() -> None:
    label = np.array([True, True, False, False, False, False, False, False, False, False])
    assert ours.lift(label, np.linspace(1, 0, 10), 0.2) == pytest.approx(5.0)
    flat = np.full(10, 0.5)
    assert ours.lift(label, flat, 0.2) == pytest.approx(1.0)
    assert ours.lift(label[::-1], flat, 0.2) == pytest.approx(1.0)


def test_one_class_has_no_auc_but_finite_losses() -> None:
    label, probability = np.ones(5, dtype=bool), np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    values = ours.probability_metrics(label, probability)
    assert np.isnan(values["auc"])
    assert np.isfinite(values["log_loss"])


def test_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one user"):
        ours.probability_metrics(np.empty(0, dtype=bool), np.empty(0))
