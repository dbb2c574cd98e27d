"""The best entries of compressed rows, compiled by numba; :mod:`training.models.ragged` says which function to call."""

from typing import Any

import numpy as np
import numpy.typing as npt

from training.interactions import Int32, Int64
from training.models.compiling import F4, F8, I4, I8, N, compiled

_Scores = npt.NDArray[Any]
#: Entries that are looked at together, for whether any of them is among the best: most are not, and that many are
#: compared in a few instructions.
_TOGETHER = 64
#: Up to so many entries an order is counted out, which takes the square of their number, but no branches.
COUNTED = 512


@compiled()
def _settle(heap: _Scores, top: int, size: int) -> None:
    """Let the number at ``top`` sink to where it belongs in a heap with the smallest on top."""
    number = heap[top]
    while 2 * top + 1 < size:
        child = 2 * top + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if number <= heap[child]:
            break
        heap[top] = heap[child]
        top = child
    heap[top] = number


@compiled()
def _least_of_best(score: _Scores, heap: _Scores) -> Any:
    """The least of the best scores, as many as ``heap`` holds: fewer than there are."""
    n = len(heap)
    heap[:] = score[:n]
    for top in range(n // 2 - 1, -1, -1):
        _settle(heap, top, n)
    for begin in range(n, len(score), _TOGETHER):
        end, bound, above = min(begin + _TOGETHER, len(score)), heap[0], 0
        for place in range(begin, end):
            above += score[place] > bound
        if above > 0:
            for place in range(begin, end):
                if score[place] > heap[0]:
                    heap[0] = score[place]
                    _settle(heap, 0, n)
    return heap[0]


@compiled()
def _not_below(score: _Scores, least: float, places: Int64) -> int:
    """Write the positions of scores of at least ``least``, ascending; how many they are."""
    found = 0
    for begin in range(0, len(score), _TOGETHER):
        end, near = min(begin + _TOGETHER, len(score)), 0
        for place in range(begin, end):
            near += score[place] >= least
        if near > 0:
            for place in range(begin, end):
                if score[place] >= least:
                    places[found] = place
                    found += 1
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
    ends, places = np.zeros(rows + 1, np.int64), np.empty(starts[rows] - starts[0], np.int64)
    heap, end = np.empty(n, score.dtype), 0
    for row in range(rows):
        low, high = starts[row], starts[row + 1]
        if high - low > n:
            part = score[low:high]
            found = _not_below(part, _least_of_best(part, heap), places[end:])
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
    heap, near, places = np.empty(n, score.dtype), np.empty(widest, np.int64), np.empty(min(widest, n) * rows, np.int64)
    scores, items, end = np.empty(n, score.dtype), np.empty(n, np.int32), 0
    for row in range(rows):
        low, high = starts[row], starts[row + 1]
        part, number = score[low:high], item[low:high]
        kept = min(n, high - low)
        if high - low > n:
            least = _least_of_best(part, heap)
            found = _not_below(part, least, near)
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
