import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from training.evaluation.profit import ALPHA, BETA, CONTACT, OFFER, expected_maximum_profit

RANDOM = np.random.default_rng(2)
LABEL = RANDOM.random(600) < 0.3
SCORE = np.clip(0.3 + 0.25 * LABEL + RANDOM.normal(0, 0.2, 600), 0, 1).round(2)


def by_integration(label: np.ndarray, score: np.ndarray) -> float:
    """The definition: for every success rate the best cut, weighted by its density."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(label) - 1) + 1
    churners = np.concatenate([[0], np.cumsum(label[order])[ends - 1]]) / len(label)
    others = np.concatenate([[0], ends]) / len(label) - churners

    def best(rate: float) -> float:
        return float(np.max(churners * (rate * (1 - OFFER) - CONTACT) - others * (OFFER + CONTACT)))

    return float(quad(lambda rate: best(rate) * beta.pdf(rate, ALPHA, BETA), 0, 1, limit=500)[0])


def test_it_is_the_integral_that_defines_it() -> None:
    assert expected_maximum_profit(LABEL, SCORE).per_user == pytest.approx(by_integration(LABEL, SCORE), rel=1e-4)


def test_a_perfect_order_earns_what_can_be_earned_and_a_random_one_less() -> None:
    perfect = expected_maximum_profit(LABEL, LABEL.astype(float))
    mean = ALPHA / (ALPHA + BETA)
    assert perfect.per_user == pytest.approx(LABEL.mean() * (mean * (1 - OFFER) - CONTACT), rel=1e-3)
    assert perfect.contacted == pytest.approx(LABEL.mean(), rel=1e-3)
    ours = expected_maximum_profit(LABEL, SCORE)
    chance = expected_maximum_profit(LABEL, RANDOM.random(600))
    assert chance.per_user < ours.per_user < perfect.per_user


def test_one_class_only_has_no_profit_to_speak_of() -> None:
    assert np.isnan(expected_maximum_profit(np.ones(5, dtype=bool), np.arange(5.0)).per_user)
