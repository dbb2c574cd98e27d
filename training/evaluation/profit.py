"""Expected maximum profit of a churn model: what the best use of its order brings, over what is not known of success.

EMPC of Verbraken, Verbeke & Baesens (2013), IEEE TKDE 25(5): the success rate of a contact is Beta(α, β), and for every
rate the best share of users is contacted. In shares of a user's value, per user, so that no currency is needed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import beta as beta_distribution

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: The paper's setting: Beta(6, 14), an offer of 5 % and a contact of 0.5 % of the value.
ALPHA: Final = 6.0
BETA: Final = 14.0
OFFER: Final = 0.05
CONTACT: Final = 0.005


@dataclass(frozen=True)
class ExpectedProfit:
    """What contacting brings at most."""

    per_user: float  # share of a user's value, over all users
    contacted: float  # share of users that it is best to contact, at the mean over success rates


def expected_maximum_profit(
    label: Labels,
    probability: Float64,
    *,
    alpha: float = ALPHA,
    beta: float = BETA,
    offer: float = OFFER,
    contact: float = CONTACT,
) -> ExpectedProfit:
    """EMPC of ``probability`` (n,) for users of whom ``label`` (n,) churned. NaN when only one class occurs.

    Only vertices of the convex hull of the ROC curve are ever best, each for an interval of success rates, over which
    the profit is linear: so the integral is a sum of incomplete beta functions.
    """
    churners = float(label.mean()) if len(label) else 0.0
    if churners in {0.0, 1.0}:
        return ExpectedProfit(float("nan"), float("nan"))
    found, disturbed = _hull(label, probability)  # shares of churners and of others who are contacted
    gain = churners * found * (1.0 - offer)  # profit per unit of the success rate
    cost = churners * found * contact + (1.0 - churners) * disturbed * (offer + contact)
    switch = np.diff(cost) / np.maximum(np.diff(gain), 1e-300)  # rates at which the next vertex becomes better
    edges = np.clip(np.concatenate([[0.0], switch, [1.0]]), 0.0, 1.0)
    mass = np.diff(beta_distribution.cdf(edges, alpha, beta))
    mean = alpha / (alpha + beta) * np.diff(beta_distribution.cdf(edges, alpha + 1.0, beta))
    share = churners * found + (1.0 - churners) * disturbed
    return ExpectedProfit(float((gain * mean - cost * mass).sum()), float((share * mass).sum()))


def _hull(label: Labels, probability: Float64) -> tuple[Float64, Float64]:
    """Vertices of the upper hull of the ROC curve from (0, 0) to (1, 1): shares of churners and of others found."""
    order = np.argsort(-probability, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(probability[order])), len(label) - 1)
    found = np.concatenate([[0], np.cumsum(label[order])[last_of_tie]]) / label.sum()
    disturbed = np.concatenate([[0], np.cumsum(~label[order])[last_of_tie]]) / (~label).sum()
    kept: list[int] = []
    for point in range(len(found)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            rise = (found[b] - found[a]) * (disturbed[point] - disturbed[a])
            if rise > (found[point] - found[a]) * (disturbed[b] - disturbed[a]):
                break
            kept.pop()
        kept.append(point)
    return found[kept], disturbed[kept]
