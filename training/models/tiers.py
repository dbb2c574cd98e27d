"""Where tiers begin: at the probabilities from which contacting is expected to pay.

Verbraken, Verbeke & Baesens (2013), "A novel profit maximizing metric for measuring classification performance of
customer churn prediction models", IEEE TKDE 25(5), section 3: contacting a user who would leave keeps him with
probability γ, worth his value less the offer; one who would stay takes the offer all the same. γ ~ Beta is not known
exactly: *yellow* are those whose contact pays at its mean, *red* those whose contact pays even where it is low (its
5 % quantile), no more of them than can be contacted at once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from training.models.churn_config import TierPolicy, TierThresholds

Float64 = npt.NDArray[np.float64]

#: Costs that are not given, as a share of the mean value: those of the paper's experiments.
_CONTACT_SHARE: Final = 0.005
_OFFER_SHARE: Final = 0.05
_LOW: Final = 0.05
#: Bounds stay this far from 0, from 1 and from each other.
_EDGE: Final = 1e-4


@dataclass(frozen=True)
class Stakes:
    """What contacting costs and brings, with every number known."""

    value: Float64  # (n,) of each user, currency
    contact_cost: float
    offer_cost: float
    alpha: float  # of the Beta distribution of the success rate
    beta: float

    @classmethod
    def of(cls, policy: TierPolicy, spend: Float64) -> "Stakes":
        """``spend`` (n,) is what users are worth who stay, where the policy names no value."""
        value = np.full(len(spend), policy.value) if policy.value is not None else np.maximum(spend, 0.0)
        mean = float(value.mean()) if len(value) else 0.0
        return cls(
            value=value,
            contact_cost=_CONTACT_SHARE * mean if policy.contact_cost is None else policy.contact_cost,
            offer_cost=_OFFER_SHARE * mean if policy.offer_cost is None else policy.offer_cost,
            alpha=policy.success_rate * policy.success_certainty,
            beta=(1.0 - policy.success_rate) * policy.success_certainty,
        )

    @property
    def mean_rate(self) -> float:
        return self.alpha / (self.alpha + self.beta)

    @property
    def low_rate(self) -> float:
        """The success rate that is fallen short of once in twenty times."""
        return float(betaincinv(self.alpha, self.beta, _LOW))

    def profit(self, probability: Float64, rate: float) -> Float64:
        """(n,) expected profit of contacting each user when a share of ``rate`` is kept, currency."""
        kept = probability * rate
        return np.asarray(
            kept * (self.value - self.offer_cost) - (1.0 - probability) * self.offer_cost - self.contact_cost
        )


def tier_bounds(policy: TierPolicy, probability: Float64, spend: Float64) -> TierThresholds:
    """The bounds for users of these calibrated churn probabilities (n,); ``spend`` (n,): of each if he stays.

    Not what he is expected to spend: that is next to nothing for whoever is about to leave, so that nobody would be
    worth a contact.
    """
    if policy.red is not None and policy.yellow is not None:
        return TierThresholds(red=policy.red, yellow=policy.yellow)
    if not len(probability):
        return TierThresholds()
    stakes = Stakes.of(policy, spend)
    yellow = _bound(probability, stakes.profit(probability, stakes.mean_rate))
    red = _bound(probability, stakes.profit(probability, stakes.low_rate))
    if policy.capacity is not None:
        red = max(red, float(np.quantile(probability, 1.0 - policy.capacity)))
    yellow = float(np.clip(yellow, _EDGE, 1.0 - 2 * _EDGE))
    return TierThresholds(red=float(np.clip(red, yellow + _EDGE, 1.0 - _EDGE)), yellow=yellow)


def profit_curve(probability: Float64, profit: Float64) -> Float64:
    """(n + 1,) expected profit of contacting the first so many users by falling probability."""
    return np.concatenate([[0.0], np.cumsum(profit[np.argsort(-probability, kind="stable")])])


def _bound(probability: Float64, profit: Float64) -> float:
    """The probability at which the expected-profit curve is highest; 1 when contacting nobody is best."""
    best = int(np.argmax(profit_curve(probability, profit)))
    return 1.0 if best == 0 else float(np.sort(probability)[::-1][best - 1])
