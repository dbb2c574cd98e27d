"""Loops of rules over the places of one list, compiled by numba: as calls into numpy each would take ten times as long.

Facts are those of :class:`~serving.rules.context.ItemFacts`, one entry per item of the catalogue.
"""

import numpy as np
from numba import types

from training.interactions import Float32, Int32, Int64
from training.models.compiling import F8, I4, I8, N, array_of, compiled
from training.models.ragged import Float64

_SECONDS_PER_DAY = 86_400


@compiled((I4, I4, array_of(types.int32, readonly=False)))
def drawn_from(after: Int32, before: Int32, slots: Int32) -> bool:
    """Whether every item of ``after`` stands in ``before`` and none twice.

    ``slots`` (one per item of the catalogue) are zero, and are zero again afterwards.
    """
    for item in before:
        slots[item] = 1
    sound = True
    for item in after:
        # An item that was never given may lie outside of the catalogue.
        here = 0 <= item < len(slots) and slots[item] == 1
        if here:
            slots[item] = 0
        sound &= here
    for item in before:
        slots[item] = 0
    return sound


@compiled((I8, N))
def in_front(front: Int64, length: int) -> Int64:
    """The places ``0 .. length - 1`` with those of ``front`` first; ``ValueError`` for a place that there is not."""
    order, used = np.empty(length, np.int64), np.zeros(length, np.bool_)
    count = 0
    for place in front:
        if not 0 <= place < length or used[place]:
            raise ValueError("a place was chosen that the list does not have, or one was chosen twice")
        order[count], used[place] = place, True
        count += 1
    for place in range(length):
        if not used[place]:
            order[count] = place
            count += 1
    return order


@compiled((I4, I4, I4, I4, I4, F8, F8, types.float64, N))
def most_different(
    item: Int32,
    category: Int32,
    department: Int32,
    brand: Int32,
    shop: Int32,
    shares: Float64,
    fit: Float64,
    weight: float,
    n: int,
) -> Int64:
    """The ``n`` places that maximal marginal relevance takes one after the other (see :mod:`serving.rules.mmr`).

    ``fit`` has one entry for each of the places that are looked at; ``shares`` (4,) is what a common category,
    department, brand and shop count.
    """
    left, nearest = fit.copy(), np.zeros(len(fit))
    chosen = np.empty(min(n, len(fit)), np.int64)
    for turn in range(len(chosen)):
        best, top = 0, -np.inf
        for place in range(len(left)):
            value = left[place] - weight * nearest[place]
            if value > top:
                best, top = place, value
        chosen[turn], left[best] = best, -np.inf
        of_best = category[item[best]], department[item[best]], brand[item[best]], shop[item[best]]
        for place in range(len(left)):
            other = category[item[place]], department[item[place]], brand[item[place]], shop[item[place]]
            common = 0.0
            for kind in range(4):
                if of_best[kind] >= 0 and other[kind] == of_best[kind]:
                    common += shares[kind]
            nearest[place] = max(nearest[place], common)
    return chosen


@compiled((I4, I4, I4, I4, I4, I8, N))
def within_caps(
    item: Int32, category: Int32, department: Int32, brand: Int32, shop: Int32, caps: Int64, n: int
) -> Int64:
    """The first ``n`` places, ascending, such that no group has more than its cap; short of them the best others.

    ``caps`` (4,) limits how many of a category, department, brand and shop are taken; -1 is no limit.
    """
    facts, length = (category, department, brand, shop), len(item)
    taken, used = np.empty(min(n, length), np.int64), np.zeros(length, np.bool_)
    count = 0
    for place in range(length):
        if count == len(taken):
            break
        full = False
        for kind in range(4):
            code = facts[kind][item[place]]
            if caps[kind] >= 0 and code >= 0:
                alike = 0
                for earlier in taken[:count]:
                    alike += facts[kind][item[earlier]] == code
                full |= alike >= caps[kind]
        if not full:
            taken[count], used[place] = place, True
            count += 1
    for place in range(length):
        if count == len(taken):
            break
        if not used[place]:
            taken[count] = place
            count += 1
    return np.sort(taken)


@compiled((I4, I8))
def bought_items(item: Int32, time: Int64) -> tuple[Int32, Int64, Int64, Float32]:
    """From purchases sorted by item and then time (seconds): the items, and of each the last purchase, the days on
    which it was bought, and the mean days from one to the next (NaN: one day only)."""
    items, last = np.empty(len(item), np.int32), np.empty(len(item), np.int64)
    times, every = np.empty(len(item), np.int64), np.empty(len(item), np.float32)
    count, begin = 0, 0
    for end in range(1, len(item) + 1):
        if end < len(item) and item[end] == item[begin]:
            continue
        days = 1
        for place in range(begin + 1, end):
            days += time[place] // _SECONDS_PER_DAY != time[place - 1] // _SECONDS_PER_DAY
        items[count], last[count], times[count] = item[begin], time[end - 1], days
        span = (time[end - 1] - time[begin]) / _SECONDS_PER_DAY
        every[count] = span / (days - 1) if days > 1 else np.nan
        begin = end
        count += 1
    return items[:count].copy(), last[:count].copy(), times[:count].copy(), every[:count].copy()
