"""The inner loops of the ranker's features, compiled by numba: one pass over the events of each user.

``slot`` has a place for every key that events can have; it is zero, and is zero again afterwards. While a user's events
are read it holds one plus the number of the group that each key was given. Candidates of users without such events
find nothing. Sums run in the order of the events and in double precision; values are written in single precision.
"""

import numpy as np
import numpy.typing as npt
from numba import types

from features.contracts.events import EventType
from training.interactions import Float32, Int8, Int32, Int64
from training.models.compiling import F4, F8, I1, I4, I8, array_of, compiled

Float64 = npt.NDArray[np.float64]

_PURCHASE = EventType.PURCHASE.code
_CART, _FAVORITE = EventType.CART_ADD.code, EventType.FAVORITE.code
#: An item's usual gap counts like so many waits of the user's own.
_GAP_PRIOR = 1.0
_WINDOWS = (7, 14, 28)
#: What is said of a candidate that the user never had.
_NO_PAIR = np.zeros(21)
_NO_PAIR[[3, 4, 5, 7, 8, 18, 19, 20]] = np.nan
SLOT, _F8_2 = array_of(types.int32, readonly=False), array_of(types.float64, 2)


@compiled()
def at_least(value: float, least: float) -> float:
    """``np.maximum``: what is not known stays so.

    ``compiled_rhythm`` has it compiled in: change that file, too, or the machine code kept beside it stays as it was.
    """
    return value if np.isnan(value) else max(value, least)


@compiled((I8, I4, I1, F4, F8, F8, F8, _F8_2, I8, I4, F4, SLOT))
def pairs(
    starts: Int64,
    item: Int32,
    kind: Int8,
    quantity: Float32,
    age: Float64,
    step: Float64,
    week: Float64,
    decay: Float64,
    pool_starts: Int64,
    candidate: Int32,
    usual_gap: Float32,
    slot: Int32,
) -> tuple[Float32, Float64, Int64]:
    """(c, 21) what the user did with each candidate, see ``PAIR_NAMES``; (c,) his events with it, decayed slowest; (q,)
    the different items of each user.
    """
    rows = len(starts) - 1
    values = np.empty((len(candidate), 21), np.float32)
    decayed_slowest, different = np.zeros(len(candidate)), np.zeros(rows, np.int64)
    widest = np.diff(starts).max() if rows else 0
    counts, decayed, recent = np.empty((widest, 3)), np.empty((widest, 3)), np.empty((widest, 3))
    first, last, times, weeks = (
        np.empty(widest, np.int64),
        np.empty(widest, np.int64),
        np.empty(widest),
        np.empty(widest),
    )
    before = np.empty(widest)
    for row in range(rows):
        groups, begin, end, moments = 0, starts[row], starts[row + 1], 0.0
        for event in range(begin, end):
            group = slot[item[event]] - 1
            if group < 0:
                group, groups = groups, groups + 1
                slot[item[event]] = groups
                counts[group], decayed[group], recent[group] = 0.0, 0.0, 0.0
                first[group], times[group], weeks[group], before[group] = event, 1, 1, np.nan
            else:
                times[group] += step[event] != step[last[group]]
                weeks[group] += week[event] != week[last[group]]
                before[group] = age[last[group]]
            last[group] = event
            counts[group, 0] += 1
            counts[group, 1] += kind[event] == _PURCHASE
            counts[group, 2] += (kind[event] == _CART) | (kind[event] == _FAVORITE)
            for each in range(3):
                decayed[group, each] += decay[each, event]
                recent[group, each] += age[event] < _WINDOWS[each]
            if event == begin or step[event] != step[event - 1]:
                moments += decay[2, event]
        steps = step[begin] + 1 if end > begin else 0.0
        for place in range(pool_starts[row], pool_starts[row + 1]):
            group, found = slot[candidate[place]] - 1, values[place]
            found[:] = _NO_PAIR
            if group >= 0:
                newest, waited = last[group], age[first[group]] - age[last[group]]
                repeats, usual = times[group] - 1, np.float64(usual_gap[candidate[place]])
                prior = 0.0 if np.isnan(usual) else _GAP_PRIOR
                weight = repeats + prior
                expected = (waited + prior * (0.0 if np.isnan(usual) else usual)) / weight if weight > 0 else np.nan
                found[0:3] = counts[group]
                found[3], found[4], found[5] = age[newest], step[newest], age[first[group]]
                found[6], found[7], found[8] = times[group], kind[newest], quantity[newest]
                found[9:12] = decayed[group]
                found[12:15] = recent[group]
                found[15] = weeks[group]
                found[16] = decayed[group, 2] / at_least(moments, 1e-9)
                found[17] = times[group] / at_least(steps, 1.0)
                found[18] = before[group]
                found[19] = waited / repeats if repeats > 0 else np.nan
                found[20] = age[newest] / at_least(expected, 1e-3)
                decayed_slowest[place] = decayed[group, 2]
        for event in range(begin, end):
            slot[item[event]] = 0
        different[row] = groups
    return values, decayed_slowest, different


PAIR_NAMES = (
    *("pair_events", "pair_purchases", "pair_carts", "pair_age", "pair_steps", "pair_first_age", "pair_times"),
    *("pair_last_kind", "pair_last_quantity", "pair_decayed_10", "pair_decayed_30", "pair_decayed_90"),
    *(f"pair_last_{window}" for window in _WINDOWS),
    # In how many different weeks: a habit, where many events of one week are only a stock.
    *("pair_weeks", "pair_rate", "pair_moment_share", "pair_previous_age", "pair_gap", "pair_due"),
)


@compiled((I8, I4, I4, F8, F8, F8, F8, I8, I4, F8, SLOT))
def kin(
    starts: Int64,
    item: Int32,
    code_of: Int32,
    age: Float64,
    step: Float64,
    decay: Float64,
    liking: Float64,
    pool_starts: Int64,
    candidate: Int32,
    with_item: Float64,
    slot: Int32,
) -> tuple[Float32, Float64]:
    """(c, 5) what the user did with items of the candidate's code, see ``KIN_NAMES``; (c,) sum of ``liking`` over them.

    ``code_of`` has the code of each item, -1 unknown; ``with_item`` (c,) sums of ``decay`` over the very item.
    """
    rows = len(starts) - 1
    values, liked = np.empty((len(candidate), 5), np.float32), np.zeros(len(candidate))
    widest = np.diff(starts).max() if rows else 0
    count, recent, likes, times = np.empty(widest), np.empty(widest), np.empty(widest), np.empty(widest)
    first, last = np.empty(widest, np.int64), np.empty(widest, np.int64)
    for row in range(rows):
        groups, begin, end, whole = 0, starts[row], starts[row + 1], 0.0
        for event in range(begin, end):
            whole += decay[event]
            code = code_of[item[event]]
            if code < 0:
                continue
            group = slot[code] - 1
            if group < 0:
                group, groups = groups, groups + 1
                slot[code] = groups
                count[group], recent[group], likes[group], times[group], first[group] = 0, 0, 0, 1, event
            else:
                times[group] += step[event] != step[last[group]]
            last[group] = event
            count[group] += 1
            recent[group] += decay[event]
            likes[group] += liking[event]
        for place in range(pool_starts[row], pool_starts[row + 1]):
            code, found = code_of[candidate[place]], values[place]
            group = slot[code] - 1 if code >= 0 else -1
            if group >= 0:
                waited = (age[first[group]] - age[last[group]]) / at_least(times[group] - 1, 1.0)
                found[0] = with_item[place] / at_least(recent[group], 1e-9)
                found[1], found[2] = count[group], recent[group] / at_least(whole, 1e-9)
                found[3], found[4] = age[last[group]], age[last[group]] / at_least(waited, 1e-3)
                liked[place] = likes[group]
            else:
                found[0] = with_item[place] / 1e-9
                found[1:3] = 0
                found[3:] = np.nan
        for event in range(begin, end):
            code = code_of[item[event]]
            if code >= 0:
                slot[code] = 0
    return values, liked


#: ``{}`` stands for the code's name.
KIN_NAMES = ("pair_share_of_{}", "{}_events", "{}_share", "{}_age", "{}_due")
