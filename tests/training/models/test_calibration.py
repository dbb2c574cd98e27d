import numpy as np
import pytest
from scipy.special import expit

from training.evaluation.probability import calibration_error, log_loss
from training.models.calibration import Calibrator, Kind, base_rate_shift


def _sample(seed: int, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(1.5, 1.2, n)
    return truth, rng.random(n) < expit(truth)


@pytest.mark.parametrize("kind", [Kind.PLATT, Kind.ISOTONIC, Kind.VENN_ABERS])
def test_a_stretched_score_is_set_right_for_other_users(kind: Kind) -> None:
    truth, label = _sample(1)
    calibrator = Calibrator.fit(kind, truth * 0.5 - 1, label)
    other, other_label = _sample(2)
    probability = calibrator.probability(other * 0.5 - 1)
    assert calibration_error(other_label, probability) < 0.015
    assert log_loss(other_label, probability) < log_loss(other_label, expit(other)) + 0.003


def test_a_level_moves_the_base_rate_and_nothing_else() -> None:
    truth, label = _sample(3)
    shift = base_rate_shift(truth - 0.7, label)
    assert shift == pytest.approx(0.7, abs=0.05)
    moved = Calibrator.fit(Kind.ISOTONIC, truth, label).moved(shift)
    np.testing.assert_allclose(
        moved.log_odds(truth[:5]), Calibrator.fit(Kind.ISOTONIC, truth, label).log_odds(truth[:5]) + shift
    )


def test_venn_abers_lies_between_its_two_answers_and_stays_off_certainty() -> None:
    odds = np.repeat(np.linspace(-2, 2, 10), 100)
    label = odds > 0  # told apart without a mistake: isotonic regression would say 0 and 1
    low, high = Calibrator.fit(Kind.VENN_ABERS, odds, label).probability(np.array([-2.0, 2.0]))
    # Of 500 on one side none left: with one more who did it is 1 in 501.
    assert low == pytest.approx(1 / 502, rel=0.01)
    assert high == pytest.approx(501 / 502, rel=0.01)


def test_none_changes_nothing() -> None:
    odds = np.linspace(-8, 8, 9)
    np.testing.assert_allclose(Calibrator.identity().log_odds(odds), odds)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_rises_and_travels_as_an_array(kind: Kind) -> None:
    truth, label = _sample(4, 3_000)
    calibrator = Calibrator.fit(kind, truth, label)
    again = Calibrator.from_array(str(kind), calibrator.to_array())
    grid = np.linspace(-12, 12, 500)
    np.testing.assert_array_equal(again.log_odds(grid), calibrator.log_odds(grid))
    assert (np.diff(calibrator.log_odds(grid)) >= 0).all()
    assert ((calibrator.probability(grid) > 0) & (calibrator.probability(grid) < 1)).all()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("label", [np.zeros(30, dtype=bool), np.ones(30, dtype=bool)])
def test_one_class_stays_finite(kind: Kind, label: np.ndarray) -> None:
    odds = np.linspace(-1, 1, 30)
    assert np.isfinite(Calibrator.fit(kind, odds, label).log_odds(odds)).all()


def test_equal_scores_do_not_break_the_isotonic_fit() -> None:
    label = np.arange(1_000) % 4 > 0
    calibrator = Calibrator.fit(Kind.ISOTONIC, np.zeros(1_000), label)
    assert calibrator.probability(np.zeros(1))[0] == pytest.approx(0.75, abs=0.03)
