import numpy as np
import pytest

from features.contracts.config import parse_config
from features.contracts.errors import ConfigError
from training.models.churn_config import TierPolicy
from training.models.tiers import Stakes, profit_curve, tier_bounds

PROBABILITY = np.linspace(0.001, 0.999, 999)
SPEND = np.full(999, 100.0)


def test_yellow_begins_where_contacting_pays_at_the_mean_rate() -> None:
    policy = TierPolicy(capacity=None)
    bounds = tier_bounds(policy, PROBABILITY, SPEND)
    stakes = Stakes.of(policy, SPEND)
    at = stakes.profit(PROBABILITY, stakes.mean_rate)
    assert (at[bounds.yellow <= PROBABILITY] > 0).all()
    assert (at[bounds.yellow > PROBABILITY] <= 0).all()
    # (offer + contact) / (rate (value - offer) + offer), offer 5 and contact 0.5 of 100
    assert bounds.yellow == pytest.approx(5.5 / (0.3 * 95 + 5), abs=0.002)
    assert bounds.red > bounds.yellow


def test_no_more_users_are_red_than_can_be_contacted() -> None:
    bounds = tier_bounds(TierPolicy(capacity=0.1), PROBABILITY, SPEND)
    assert (bounds.red <= PROBABILITY).mean() == pytest.approx(0.1, abs=0.005)


def test_a_dearer_contact_makes_fewer_yellow_and_one_that_never_pays_nobody() -> None:
    cheap, dear, hopeless = (
        tier_bounds(TierPolicy(contact_cost=cost, offer_cost=0.0), PROBABILITY, SPEND) for cost in (1.0, 10.0, 1e6)
    )
    assert cheap.yellow < dear.yellow < hopeless.yellow
    assert not (hopeless.yellow <= PROBABILITY).any()


def test_given_bounds_override_and_must_make_sense() -> None:
    bounds = tier_bounds(TierPolicy(red=0.8, yellow=0.6), PROBABILITY, SPEND)
    assert (bounds.red, bounds.yellow) == (0.8, 0.6)
    with pytest.raises(ConfigError, match="red and yellow, or neither"):
        parse_config(TierPolicy, "red: 0.8", "churn.yaml")
    with pytest.raises(ConfigError, match="must be below"):
        parse_config(TierPolicy, "{red: 0.3, yellow: 0.6}", "churn.yaml")


def test_nobody_to_ask_about_leaves_the_defaults() -> None:
    assert tier_bounds(TierPolicy(), np.empty(0), np.empty(0)).red == 0.75


def test_the_profit_curve_starts_with_nobody() -> None:
    assert profit_curve(np.array([0.2, 0.9]), np.array([-1.0, 3.0])).tolist() == [0.0, 3.0, 2.0]
