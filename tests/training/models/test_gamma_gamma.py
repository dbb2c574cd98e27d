import numpy as np
import pytest

from training.models.gamma_gamma import GammaGamma


def test_it_finds_the_parameters_that_money_was_drawn_from() -> None:
    random = np.random.default_rng(5)
    p, q, gamma = 4.0, 4.0, 30.0
    days = random.integers(1, 20, 20_000).astype(np.float64)
    rate = random.gamma(q, 1 / gamma, len(days))
    mean = random.gamma(p * days, 1 / (rate * days))
    fitted = GammaGamma.fit(days, mean)
    assert (fitted.p, fitted.q, fitted.gamma) == pytest.approx((p, q, gamma), rel=0.1)


def test_a_mean_of_few_days_is_drawn_towards_everybodys_and_one_of_many_is_kept() -> None:
    model = GammaGamma(p=6.25, q=3.74, gamma=15.44)  # CDNOW, Fader, Hardie & Lee (2005)
    everybody = model.p * model.gamma / (model.q - 1)
    told = model.expected(np.array([0.0, 1.0, 500.0]), np.array([0.0, 100.0, 100.0]))
    assert told[0] == pytest.approx(everybody)
    assert everybody < told[1] < told[2] < 100.0
    assert told[2] == pytest.approx(100.0, rel=0.01)


def test_the_unit_of_money_does_not_matter() -> None:
    random = np.random.default_rng(6)
    days, mean = random.integers(1, 9, 500).astype(np.float64), random.gamma(3, 12, 500)
    one, hundred = GammaGamma.fit(days, mean), GammaGamma.fit(days, 100 * mean)
    assert hundred.expected(days, 100 * mean) == pytest.approx(100 * one.expected(days, mean), rel=1e-3)


def test_few_customers_are_taken_to_be_alike_and_none_to_spend_nothing() -> None:
    few = GammaGamma.fit(np.array([1.0, 3.0]), np.array([10.0, 30.0]))
    assert few.expected(np.array([0.0]), np.array([0.0]))[0] == pytest.approx(25.0)
    nobody = GammaGamma.fit(np.empty(0), np.empty(0))
    assert nobody.expected(np.array([0.0]), np.array([0.0]))[0] == 0
    again = GammaGamma.from_array(few.to_array())
    assert again == few
