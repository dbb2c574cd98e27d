"""Whether intervals around probabilities hold as often as they say.

An interval speaks of the rate among users like this one, so it is judged on groups of users with nearly the same
probability. The rate of a group is known only up to chance, unless the true probabilities are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: Users of a group, and groups, at most: few enough to be alike, enough of them to count.
_USERS: Final = 100
_GROUPS: Final = 200


@dataclass(frozen=True)
class Coverage:
    """Of intervals that should hold at ``level``."""

    level: float
    groups: int
    covered: float  # share of groups
    width: float  # mean, in points of probability from 0 to 1


def coverage(rate: Labels | Float64, probability: Float64, low: Float64, high: Float64, level: float) -> Coverage:
    """Of intervals ``low`` to ``high`` (n,) around ``probability`` (n,).

    ``rate`` (n,) are labels, or true probabilities. With labels an interval is widened by what chance does to a group
    of that size (as variances, in normal approximation), so that a share of ``level`` is right for either.
    """
    groups = np.array_split(np.argsort(probability, kind="stable"), np.clip(len(rate) // _USERS, 1, _GROUPS))
    by_chance = rate.dtype == np.bool_
    quantile = float(norm.ppf((1 + level) / 2))
    held = []
    for group in groups:
        middle = float(probability[group].mean())
        below, above = middle - float(low[group].mean()), float(high[group].mean()) - middle
        chance = quantile**2 * middle * (1 - middle) / len(group) if by_chance else 0.0
        off = float(rate[group].mean()) - middle
        held.append(-np.sqrt(below**2 + chance) <= off <= np.sqrt(above**2 + chance))
    return Coverage(level, len(groups), float(np.mean(held)), float((high - low).mean()))
