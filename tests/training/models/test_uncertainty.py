import numpy as np
from scipy.special import expit, logit

from training.models.uncertainty import Uncertainty


def _learnt(users: int, drift: float = 0.0) -> Uncertainty:
    rng = np.random.default_rng(1)
    raw = rng.normal(size=users)
    return Uncertainty.fit(raw, rng.random(users) < expit(raw), drift)


def _width(uncertainty: Uncertainty, spread: float = 0.0) -> float:
    members = np.array([[0.5 - spread], [0.5 + spread]])
    low, high = uncertainty.interval(np.array([0.5]), members)
    assert low[0] < expit(0.5) < high[0]
    return float(logit(high[0]) - logit(low[0]))


def test_each_error_widens_the_interval() -> None:
    base = _width(_learnt(20_000))
    assert _width(_learnt(1_000)) > base
    assert _width(_learnt(20_000, drift=0.2)) > base
    assert _width(_learnt(20_000), spread=0.3) > base


def test_calibration_error_covers_the_rate_of_new_users() -> None:
    uncertainty = _learnt(2_000)
    rng = np.random.default_rng(2)
    raw = np.repeat(np.linspace(-1.5, 1.5, 20), 5_000)
    rate = (rng.random(len(raw)) < expit(raw)).reshape(20, -1).mean(axis=1)
    knots = raw.reshape(20, -1)[:, 0]
    low, high = uncertainty.interval(knots, knots[None, :])
    assert np.mean((rate >= low) & (rate <= high)) >= 0.9


def test_the_array_form_is_the_same() -> None:
    uncertainty = _learnt(5_000, drift=0.1)
    again = Uncertainty.from_array(uncertainty.to_array())
    odds, members = np.array([-2.0, 0.0, 4.0]), np.array([[-2.0, 0.1, 4.0], [-2.2, 0.0, 4.4]])
    np.testing.assert_array_equal(again.interval(odds, members), uncertainty.interval(odds, members))
