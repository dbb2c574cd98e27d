"""The inner loop of :mod:`training.models.ranker_rhythm`, compiled like those of ``compiled_features``."""

import numpy as np
import numpy.typing as npt

from features.contracts.events import EventType
from training.interactions import Float32, Int8, Int32, Int64
from training.models.compiled_features import SLOT, at_least
from training.models.compiling import F4, F8, I1, I4, I8, compiled

Float64 = npt.NDArray[np.float64]

_PURCHASE = EventType.PURCHASE.code
#: Days ago between which purchases are counted, and newest moments in which they are: how a habit came or went.
_SPANS = ((0, 28), (28, 56), (56, 84), (84, 168))
_BASKETS = np.array([1, 3, 5, 10])
#: What is said of a candidate that the user never bought.
_NO_RHYTHM = np.zeros(15)
_NO_RHYTHM[1:6], _NO_RHYTHM[6] = np.nan, 1


@compiled()
def _describe(
    found: Float32, times: float, ago: float, total: float, square: float, newest: float, longest: float
) -> None:
    """The first six of ``RHYTHM_NAMES``, by the number of purchases and what is known of the days between them."""
    mean = total / at_least(times - 1, 1.0)
    found[0], found[1] = times, ago
    if times > 2:
        deviation = np.sqrt(at_least(square / at_least(times - 1, 1.0) - mean * mean, 0.0))
        found[2] = deviation / at_least(mean, 1e-3)
    if times > 1:
        found[3] = newest
        found[4] = ago / at_least(longest, 1e-3)
        found[5] = ago / at_least(mean, 1e-3)


@compiled((I8, I4, I1, F4, F8, F8, I8, I4, SLOT))
def rhythm(
    starts: Int64,
    item: Int32,
    kind: Int8,
    quantity: Float32,
    age: Float64,
    step: Float64,
    pool_starts: Int64,
    candidate: Int32,
    slot: Int32,
) -> Float32:
    """(c, 15) how the user bought each candidate, see ``RHYTHM_NAMES``; lines of one moment are one purchase."""
    rows = len(starts) - 1
    values = np.empty((len(candidate), 15), np.float32)
    widest = np.diff(starts).max() if rows else 0
    times, total, square, longest = np.empty(widest), np.empty(widest), np.empty(widest), np.empty(widest)
    newest, since, last, pieces = np.empty(widest), np.empty(widest), np.empty(widest, np.int64), np.empty(widest)
    spans, baskets = np.empty((widest, 4)), np.empty((widest, 4))
    for row in range(rows):
        groups, begin, end = 0, starts[row], starts[row + 1]
        for event in range(begin, end):
            if kind[event] != _PURCHASE:
                continue
            group, gap = slot[item[event]] - 1, 0.0
            if group < 0:
                group, groups = groups, groups + 1
                slot[item[event]] = groups
                times[group], total[group], square[group], longest[group], pieces[group] = 0, 0, 0, 0, 0
                spans[group], baskets[group] = 0.0, 0.0
                another = True
            else:
                another, gap = step[event] != step[last[group]], since[group] - age[event]
            if another:
                times[group] += 1
                total[group] += gap
                square[group] += gap * gap
                longest[group] = max(longest[group], gap)
                newest[group], since[group] = gap, age[event]
                for each in range(4):
                    spans[group, each] += (age[event] >= _SPANS[each][0]) & (age[event] < _SPANS[each][1])
                    baskets[group, each] += step[event] < _BASKETS[each]
            last[group] = event
            pieces[group] += quantity[event]
        for place in range(pool_starts[row], pool_starts[row + 1]):
            group, found = slot[candidate[place]] - 1, values[place]
            found[:] = _NO_RHYTHM
            if group >= 0:
                _describe(
                    found, times[group], age[last[group]], total[group], square[group], newest[group], longest[group]
                )
                usual = pieces[group] / at_least(times[group], 1.0)
                found[6] = np.float64(quantity[last[group]]) / at_least(usual, 1e-3)
                found[7:11] = spans[group]
                found[11:15] = baskets[group] / _BASKETS
        for event in range(begin, end):
            slot[item[event]] = 0
    return values


RHYTHM_NAMES = (
    *("bought_times", "bought_age", "bought_gap_deviation", "bought_newest_gap"),
    # Above 1 he has never waited that long: the habit may be over.
    *("bought_longest_wait", "bought_due", "bought_pieces"),
    *(f"bought_{low}_{high}" for low, high in _SPANS),
    *(f"bought_in_last_{baskets}" for baskets in _BASKETS),
)
