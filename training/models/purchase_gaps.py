"""How long people wait before they buy an item again: the waits of every (user, item) pair, cut at the moment asked."""

from dataclasses import dataclass

import numpy as np

from features.contracts.events import EventType
from training.interactions import SECONDS_PER_DAY, Bool, Int8, Int32, Int64
from training.models.ragged import Float64, first_of_run, pair_keys

#: Days since the last purchase between which the hazard of the next one is taken as constant; open at the end.
DAY_EDGES = np.array([0, 3, 6, 9, 12, 16, 20, 25, 30, 40, 50, 65, 85, 110, 150, 200, 300, np.inf])
DAY_BINS = len(DAY_EDGES) - 1
#: Purchases so far, and mean days between them so far, at which the next stratum begins.
_COUNT_EDGES = np.array([3, 5, 9])
_RHYTHM_EDGES = np.array([5, 9, 16, 30, 60])
STRATA = 1 + (len(_COUNT_EDGES) + 1) * (len(_RHYTHM_EDGES) + 1)


@dataclass(frozen=True)
class PurchaseGaps:
    """One wait per (owner, item, day bought), by owner, item and day: until the next time, or the end if none came."""

    owner: Int32  # (g,)
    item: Int32  # (g,)
    pair: Int64  # (g,) number of the (owner, item) pair, ascending from 0
    last: Bool  # (g,) the newest of its pair: still waiting at the end
    stratum: Int64  # (g,) what the pair was like so far: how often it bought and in which rhythm
    days: Float64  # (g,) length of the wait, >= 0

    @classmethod
    def of(cls, owner: Int32, item: Int32, kind: Int8, time: Int64, end: Int64, items: int) -> "PurchaseGaps":
        """Waits of the purchases among (m,) events; ``end`` is the moment in seconds that ends each owner's waiting.

        Purchases of one day are one. The stratum knows only the past of its wait.
        """
        bought = kind == EventType.PURCHASE.code
        key, day = pair_keys(owner[bought], item[bought], items), time[bought] // SECONDS_PER_DAY
        order = np.lexsort((day, key))
        key, day = key[order], day[order]
        first = first_of_run(key)
        once = first | first_of_run(day)
        key, day, first = key[once], day[once], first[once]

        pair = np.cumsum(first) - 1
        begin = np.flatnonzero(first)
        times = np.arange(len(key)) - begin[pair] + 1
        rhythm = (day - day[begin][pair]) / np.maximum(times - 1, 1)
        habit = np.searchsorted(_COUNT_EDGES, times, side="right") * (len(_RHYTHM_EDGES) + 1)
        stratum = np.where(times == 1, 0, 1 + habit + np.searchsorted(_RHYTHM_EDGES, rhythm))

        whose = (key // items).astype(np.int32)
        last = np.append(first[1:], True)[: len(key)]
        # The end is rounded up to a day, so that a purchase of today has not been waiting for less than none.
        until = np.where(last, -(-end[whose] // SECONDS_PER_DAY), np.append(day[1:], 0)[: len(key)])
        days = np.maximum(until - day, 0).astype(np.float64)
        return cls(whose, (key % items).astype(np.int32), pair, last, stratum, days)

    @property
    def day_bin(self) -> Int64:
        """(g,) the bin of :data:`DAY_EDGES` in which the wait ended."""
        return np.clip(np.searchsorted(DAY_EDGES, self.days) - 1, 0, DAY_BINS - 1)


def days_within(day_bin: int, days: Float64) -> Float64:
    """The part of each wait of ``days`` that falls into one bin."""
    low, high = DAY_EDGES[day_bin : day_bin + 2]
    within: Float64 = np.clip(days - low, 0, high - low)
    return within
