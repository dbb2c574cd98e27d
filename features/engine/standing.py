"""How much a value tells of a user: how few others have one as unusual."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from features.engine.summary import TagSummary


@dataclass(frozen=True)
class Standing:
    """One value among those of all users."""

    share: float
    """Share of the users with a value whose value is as unusual as this one or more so, above 0, at most 1."""

    @property
    def bits(self) -> float:
        """Strength: the information in ``share``. 0 for what everybody has, 1 more for every halving of the share."""
        return -math.log2(self.share)


def standing(value: Any, summary: TagSummary, users: int) -> Standing | None:
    """Where ``value`` stands in the distribution of a build of ``users``; ``None`` where there is nothing to compare.

    Numbers are unusual towards both ends: twice the share of users beyond the value, on its nearer side. Words and
    flags are unusual when few have them: the share of users whose word is as rare. So a word that differs for
    everybody, such as an item's id, does not stand out by that alone. Shares come from the quantiles and words that
    the summary keeps; between them they are read off generously, so that no value seems rarer than is known.
    """
    if value is None or not summary.coverage:
        return None
    if isinstance(value, str):
        share = _as_rare(value, summary)
    elif isinstance(value, bool):
        true = summary.mean or 0.0
        own = true if value else 1.0 - true
        share = own if own < 0.5 else 1.0
    else:
        share = _as_far_out(float(value), summary)
    return Standing(min(1.0, max(share, 1.0 / (users * summary.coverage))))


def _as_rare(word: str, summary: TagSummary) -> float:
    """Share of users whose word is no more frequent; words that the summary does not name count together."""
    unnamed = max(0.0, summary.coverage - sum(summary.top.values()))
    own = summary.top.get(word)
    named = 0.0 if own is None else sum(share for share in summary.top.values() if share <= own)
    return (unnamed + named) / summary.coverage


def _as_far_out(value: float, summary: TagSummary) -> float:
    if summary.minimum is None or summary.maximum is None:
        return 1.0
    points = [(0.0, summary.minimum), *((int(q[1:]) / 100, x) for q, x in summary.quantiles.items())]
    points.append((1.0, summary.maximum))
    if summary.minimum >= 0 and summary.nonzero is not None:
        points.append((1.0 - summary.nonzero / summary.coverage, 0.0))
    points.sort(key=lambda point: (point[1], point[0]))
    shares, values = [share for share, _ in points], [number for _, number in points]
    after = bisect_right(values, value)
    before = bisect_left(values, value)
    known = before < after  # the value is one of the points
    if after == len(values):
        at_most = 1.0
    else:
        at_most = shares[after] if known or not after else _between(value, after - 1, shares, values)
    if not before:
        below = 0.0
    else:
        below = shares[before - 1] if known or before == len(values) else _between(value, before - 1, shares, values)
    return 2.0 * min(at_most, 1.0 - below)


def _between(value: float, left: int, shares: list[float], values: list[float]) -> float:
    """The share of users at most ``value``, on the line from one point to the next."""
    part = (value - values[left]) / (values[left + 1] - values[left])
    return shares[left] + part * (shares[left + 1] - shares[left])
