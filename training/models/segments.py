"""What is taken more than usual in a segment: a channel, a region, a part of the day.

``lift(i, v) = (n_iv + a) / (e_iv + a)``: ``n_iv`` counts the users who took item ``i`` in segment ``v``, newer events
for more, and ``e_iv`` is what it would be if the segment were like the whole. ``a`` is the strength of a gamma prior
with mean 1 (DuMouchel, "Bayesian data mining in large frequency tables", American Statistician 1999): an item of which
a segment says little stays what it is as a whole. It is estimated from the log by the method of moments: counts scatter
around ``e`` by ``e`` from chance and by ``e^2 / a`` because segments differ. Where the latter cannot be told from
nothing, the segments of a kind are one, and every lift is 1.
"""

from dataclasses import dataclass

import numpy as np

from training.interactions import Bool, Float32, Int16, Int32, Int64
from training.models.ragged import Float64, Positions, first_of_run, group_sums, pair_keys, stable_order

#: Standard errors by which segments have to differ more than chance would make them.
_CERTAIN = 3.0
#: Counts of users below which a prior is no stronger than one person; it never is weaker.
_LEAST_PRIOR = 1.0


@dataclass(frozen=True)
class Lifts:
    """(h, v + 1) lift of each of ``h`` items in ``v`` segments; the last column, of ones, is for an unknown one."""

    table: Float32

    @classmethod
    def none(cls, items: int) -> "Lifts":
        """Segments that do not differ, or are not known."""
        return cls(np.ones((items, 1), dtype=np.float32))

    def of(self, segment: Int16) -> Float32:
        """(q, h) lifts of all items for the questions of each ``segment`` (q,); 1 where it is unknown or new."""
        known = (segment >= 0) & (segment < self.table.shape[1] - 1)
        found: Float32 = self.table.T[np.where(known, segment, -1)]
        return found


@dataclass(frozen=True)
class SegmentCounts:
    """What is taken where: users with (item, segment), decayed."""

    count: Float64  # (items, v) in units of one recent user
    expected: Float64  # (items, v) what it would be if all segments were alike
    prior: float  # strength of the prior; infinite where the segments cannot be told apart

    @classmethod
    def of(cls, user: Int32, item: Int32, weight: Float64, segment: Int16, items: int) -> "SegmentCounts":
        """Count the events (m,) whose segment is known. A user counts once per item and segment, by his best event."""
        told = (segment >= 0) & (weight > 0)
        width = int(segment.max(initial=-1)) + 1
        if width < 2 or not told.any():
            nothing = np.zeros((items, max(width, 0)))
            return cls(nothing, nothing, np.inf)
        cell = pair_keys(item[told], segment[told].astype(np.int32), width)
        best = _best_of_each(user[told].astype(np.int64) * (items * width) + cell, weight[told])
        # Counts of unequal weights scatter as if there were fewer of them: count them in units of their usual weight.
        worth = weight[told][best]
        unit = float((worth**2).sum() / worth.sum())
        count = group_sums(cell[best], worth / unit, items * width).reshape(items, width)
        of_item, of_segment = count.sum(axis=1, keepdims=True), count.sum(axis=0, keepdims=True)
        expected = of_item * of_segment / count.sum()
        return cls(count, expected, _prior(count, expected, of_item[:, 0] > 0))

    @property
    def differ(self) -> bool:
        """Whether anything is to be learnt from the segment."""
        return bool(np.isfinite(self.prior))

    def lifts(self, item: Int32) -> Lifts:
        """The lifts of some items (h,)."""
        if not self.differ:
            return Lifts.none(len(item))
        lift = (self.count[item] + self.prior) / (self.expected[item] + self.prior)
        return Lifts(np.column_stack([lift, np.ones(len(item))]).astype(np.float32))


def _best_of_each(key: Int64, weight: Float64) -> Positions:
    """Positions of the event of most weight of each key."""
    by_weight = np.argsort(-weight, kind="stable")
    order = by_weight[stable_order(key[by_weight])]
    return order[first_of_run(key[order])]


def _prior(count: Float64, expected: Float64, taken: Bool) -> float:
    """The strength of the prior by the method of moments; infinite where segments do not certainly differ."""
    n, e = count[taken], expected[taken]
    # The margins are those of the counts themselves, which takes a share of their scatter away.
    of_item, of_segment = (np.maximum(e.sum(axis=axis, keepdims=True), 1e-9) for axis in (1, 0))
    free = (1 - e / of_item) * (1 - e / of_segment)
    excess = ((n - e) ** 2 - e * free).sum(axis=1)
    error = float(np.sqrt((excess**2).sum()))
    if excess.sum() <= _CERTAIN * error:
        return float("inf")
    return max(float((e**2).sum() / excess.sum()), _LEAST_PRIOR)
