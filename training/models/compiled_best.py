"""The best entries of compressed rows, compiled by numba; :mod:`training.models.ragged` says which function to call."""

from typing import Any

import numpy as np
import numpy.typing as npt

from training.interactions import Int32, Int64
from training.models.compiling import F4, F8, I4, I8, N, compiled

_Scores = npt.NDArray[Any]
#: Up to so many entries an order is counted out, which takes the square of their number, but no branches.
COUNTED = 512


@compiled()
def _not_below(score: _Scores, bound: float) -> Any:
    """How many scores are at least ``bound``."""
    count = np.int32(0)
    for place in range(len(score)):
        count += np.int32(score[place] >= bound)
    return count


@compiled()
def _least_of_best(score: _Scores, n: int, bounds: _Scores) -> Any:
    """The least of the ``n`` best scores, or a number between it and the next; there are more than ``n``.

    Bisection: at least ``n`` scores are not below the first of the three ``bounds``, fewer not below the last. To count
    over and over takes less than a heap or a partition, whose branches cannot be foreseen.
    """
    bounds[0], bounds[2] = np.inf, -np.inf
    # Variables of the type of the scores: numbers of double precision would be compared half as many at a time.
    low, high, endless, nothing = bounds[0], bounds[2], bounds[0], bounds[2]
    for place in range(len(score)):
        value = score[place]
        high = max(high, value if value < endless else nothing)
        low = min(low, value if value > nothing else endless)
    bounds[0], bounds[2] = low, high
    if _not_below(score, endless) >= n:
        return endless
    if _not_below(score, low) < n:
        return nothing
    if _not_below(score, bounds[2]) >= n:
        return bounds[2]
    while True:
        bounds[1] = bounds[0] + (bounds[2] - bounds[0]) / 2
        if not bounds[0] < bounds[1] < bounds[2]:
            return bounds[0]  # nothing lies between the two: what is beyond n is tied
        count = _not_below(score, bounds[1])
        if count == n:
            return bounds[1]
        bounds[0 if count > n else 2] = bounds[1]


@compiled()
def _positions(score: _Scores, least: float, n: int, places: Int64) -> int:
    """Write the positions of scores of at least ``least``, ascending; how many they are: ``n`` or more.

    One more place is needed.
    """
    found = 0
    for place in range(len(score)):
        places[found] = place
        found += score[place] >= least
    if found < n:
        raise ValueError("scores can be put in order only where all are numbers")
    return found


@compiled()
def _without_ties(places: Int64, found: int, n: int, item: Int32, score: _Scores, least: float) -> None:
    """Of ``found`` positions leave the first ``n``: of those with the least score the lowest items."""
    tied, kept = np.empty(found, np.int64), 0
    ties = 0
    for each in range(found):
        if score[places[each]] > least:
            places[kept] = places[each]
            kept += 1
        else:
            tied[ties] = places[each]
            ties += 1
    order = np.argsort(item[tied[:ties]])
    for each in range(n - kept):
        places[kept + each] = tied[order[each]]


@compiled((I8, F4, N), (I8, F8, N))
def contenders(starts: Int64, score: _Scores, n: int) -> tuple[Int64, Int64]:
    """Positions of the entries of each row that are not behind its ``n`` best, ascending, and where each row begins."""
    rows = len(starts) - 1
    ends, places = np.zeros(rows + 1, np.int64), np.empty(starts[rows] - starts[0] + 1, np.int64)
    bounds, end = np.empty(3, score.dtype), 0
    for row in range(rows):
        low, high = starts[row], starts[row + 1]
        if high - low > n:
            part = score[low:high]
            found = _positions(part, _least_of_best(part, n, bounds), n, places[end:])
        else:
            found = high - low
            places[end : end + found] = np.arange(found)
        places[end : end + found] += low
        end += found
        ends[row + 1] = end
    return ends, places[:end].copy()


@compiled((I8, I4, F4, N), (I8, I4, F8, N))
def best_of_rows(starts: Int64, item: Int32, score: _Scores, n: int) -> Int64:
    """Positions of the ``n`` best entries of each row, best first, of equal scores the lower item; all of a short row.

    ``n`` is above zero and at most :data:`COUNTED`.
    """
    rows = len(starts) - 1
    widest = np.diff(starts).max() if rows else 0
    near, places = np.empty(widest + 1, np.int64), np.empty(min(widest, n) * rows, np.int64)
    bounds = np.empty(3, score.dtype)
    scores, items, end = np.empty(n, score.dtype), np.empty(n, np.int32), 0
    for row in range(rows):
        low, high = starts[row], starts[row + 1]
        part, number = score[low:high], item[low:high]
        kept = min(n, high - low)
        if high - low > n:
            least = _least_of_best(part, n, bounds)
            found = _positions(part, least, n, near)
            if found > n:
                _without_ties(near, found, n, number, part, least)
        else:
            near[:kept] = np.arange(kept)
        for each in range(kept):
            scores[each], items[each] = part[near[each]], number[near[each]]
        for each in range(kept):
            before = 0
            for other in range(kept):
                tie = (scores[other] == scores[each]) & (items[other] < items[each])
                before += (scores[other] > scores[each]) | tie
            places[end + before] = low + near[each]
        end += kept
    return places[:end].copy()
