"""What the ranker's features are computed from: the histories of those who ask, their candidates, facts of items."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from features.contracts.events import EventType
from training.interactions import Bool, Clock, Histories, Int32, Int64
from training.models.item_statistics import ItemStatistics
from training.models.pool import Pool
from training.models.ragged import Float64, contains, first_of_run, group_sums, pair_keys, stable_order
from training.models.recency import ages, steps_back

#: Features by name, each (c,) along the pairs of the pool.
Columns = dict[str, npt.NDArray[Any]]

#: Days after which an event counts half, in the decayed counts.
HALF_LIVES = (10.0, 30.0, 90.0)
PURCHASE = EventType.PURCHASE.code


@dataclass(frozen=True)
class Question:
    """What a block of features reads, with the parts that several blocks need computed once."""

    histories: Histories
    pool: Pool
    statistics: ItemStatistics

    @property
    def timed(self) -> bool:
        """Whether anything may be said of time or order."""
        return self.histories.clock is not Clock.NONE

    @cached_property
    def age(self) -> Float64:
        return ages(self.histories)

    @cached_property
    def step(self) -> Float64:
        return steps_back(self.histories)

    @cached_property
    def step_count(self) -> Float64:
        """(q,) moments of each user."""
        count = np.zeros(len(self.histories))
        filled = np.diff(self.histories.indptr) > 0
        count[filled] = self.step[self.histories.indptr[:-1][filled]] + 1
        return count

    @cached_property
    def decayed_moments(self) -> Float64:
        """(q,) moments of each user, decayed like the slowest of the decayed counts."""
        new = np.ones(len(self.step), dtype=np.bool_)
        new[1:] = (self.step[1:] != self.step[:-1]) | (self.row[1:] != self.row[:-1])
        return group_sums(self.row[new], np.exp2(-self.age[new] / HALF_LIVES[-1]), len(self.histories))

    @cached_property
    def row(self) -> Int32:
        return self.histories.row

    @cached_property
    def pairs(self) -> "Groups":
        """The events of each user with each item."""
        items = len(self.statistics.buyers)
        events = pair_keys(self.row, self.histories.item, items)
        candidates = pair_keys(self.pool.row, self.pool.item, items)
        return Groups.by(
            events, np.ones(len(events), dtype=np.bool_), candidates, np.ones(len(candidates), dtype=np.bool_)
        )


@dataclass(frozen=True)
class Groups:
    """Events grouped by a key, and where each candidate finds its group."""

    order: Int64  # (e,) events sorted by key, in time order within one
    starts: Int64  # (g,) first of each group in ``order``
    place: Int64  # (c,) group of each candidate (0 where it has none)
    found: Bool  # (c,)
    number: Int64  # (e,) group of each event of ``order``

    @classmethod
    def by(cls, event_keys: Int64, usable: Bool, candidate_keys: Int64, known: Bool) -> "Groups":
        """Group the ``usable`` events; candidates that are not ``known`` find nothing."""
        events = np.flatnonzero(usable)
        order = events[stable_order(event_keys[events])]
        keys = event_keys[order]
        first = first_of_run(keys)
        starts = np.flatnonzero(first)
        place = np.searchsorted(keys[starts], candidate_keys)
        found = known & contains(keys[starts], candidate_keys)
        return cls(order, starts, np.where(found, place, 0), found, np.cumsum(first) - 1)

    @property
    def ends(self) -> Int64:
        """(g,) one past the last of each group in ``order``."""
        ends = np.empty_like(self.starts)
        ends[:-1] = self.starts[1:]
        ends[-1:] = len(self.order)
        return ends

    def sum(self, values: Float64) -> Float64:
        """(g,) sums over events; ``values`` is (m,) over all events."""
        return group_sums(self.number, values[self.order], len(self.starts))

    def first(self, values: Float64) -> Float64:
        return values[self.order[self.starts]]

    def last(self, values: Float64) -> Float64:
        return values[self.order[self.ends - 1]]

    def previous(self, values: Float64) -> Float64:
        """(g,) the last but one, NaN in a group of one."""
        place = self.ends - 2
        return np.where(place >= self.starts, values[self.order[np.maximum(place, 0)]], np.nan)

    def moments(self, step: Float64) -> Float64:
        """(g,) number of distinct moments."""
        ordered = step[self.order]
        new = np.ones(len(ordered), dtype=np.float64)
        new[1:] = ordered[1:] != ordered[:-1]
        new[self.starts] = 1
        return group_sums(self.number, new, len(self.starts))

    def spread(self, per_group: Float64, missing: float) -> Float64:
        """(c,) the candidates' values."""
        if not len(per_group):
            return np.full(len(self.place), missing)
        return np.where(self.found, per_group[self.place], missing)
