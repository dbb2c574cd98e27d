import numpy as np
import pytest

from training.evaluation.uplift import effect_scores, mean_effect, qini, qini_curve, uplift_at

RANDOM = np.random.default_rng(11)
N = 20_000
EFFECT = RANDOM.choice([0.0, 0.2], N)
PROPENSITY = RANDOM.choice([0.3, 0.7], N)
TREATED = RANDOM.random(N) < PROPENSITY
OUTCOME = (RANDOM.random(N) < 0.1 + EFFECT * TREATED).astype(np.float64)
SCORE = effect_scores(TREATED, PROPENSITY, OUTCOME)


def test_scores_average_to_the_effect_of_every_group() -> None:
    assert SCORE.mean() == pytest.approx(0.1, abs=0.02)
    assert SCORE[EFFECT > 0].mean() == pytest.approx(0.2, abs=0.03)
    assert SCORE[EFFECT == 0].mean() == pytest.approx(0.0, abs=0.03)
    told = mean_effect(SCORE)
    assert told.low < 0.1 < told.high


def test_the_true_order_has_a_qini_above_zero_and_a_random_one_none() -> None:
    good, bad, none = (qini(SCORE, order) for order in (EFFECT, -EFFECT, np.zeros(N)))
    assert good.low > 0 > bad.high
    assert good.mean == pytest.approx(-bad.mean)
    assert (none.mean, none.low, none.high) == pytest.approx((0, 0, 0))
    chance = qini(SCORE, RANDOM.random(N))
    assert abs(chance.mean) < good.mean / 5


def test_the_first_thirty_percent_have_the_effect_of_those_who_are_in_it() -> None:
    top = uplift_at(SCORE, EFFECT)
    assert top.low < 0.2 < top.high
    assert top.low > mean_effect(SCORE).high


def test_the_curve_ends_at_the_mean_effect_and_lies_above_the_line_by_the_qini() -> None:
    curve = qini_curve(SCORE, EFFECT + 1e-9 * RANDOM.random(N), points=2001)
    assert curve.gain[0] == 0
    assert curve.gain[-1] == pytest.approx(SCORE.mean())
    area = float(np.trapezoid(curve.gain - curve.share * curve.gain[-1], curve.share))
    assert area == pytest.approx(qini(SCORE, EFFECT).mean, abs=2e-3)
