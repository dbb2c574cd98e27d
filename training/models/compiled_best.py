"""The best entries of compressed rows, compiled by numba; :mod:`training.models.ragged` says which function to call."""

from typing import Any

import numpy as np
import numpy.typing as npt

from training.interactions import Int32, Int64
from training.models.compiling import F4, F8, I4, I8, N, compiled

_Scores = npt.NDArray[Any]
#: What :func:`space_for` makes: positions, three bounds, peaks, scores, items.
_Space = tuple[Int64, _Scores, _Scores, _Scores, Int32]
#: Up to so many entries an order is counted out, which takes the square of their number, but no branches.
_COUNTED = 512
#: A row is dealt out to so many peaks for each of the best that are asked for.
_PEAKS = 4
#: Scores that are looked at together, and passed over together where none of them is high enough.
_STRIDE = 64


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
def bound(score: _Scores, n: int, bounds: _Scores, peaks: _Scores) -> Any:
    """A number that at least ``n`` of the scores reach, and of a long row not many more; there are more than ``n``.

    Scores are dealt out in turn to ``peaks``, which keep the highest of theirs: what ``n`` peaks reach, so many scores
    do.
    """
    width, hands = len(score), min(_PEAKS * n, len(peaks))
    if width < 2 * hands:
        return _least_of_best(score, n, bounds)
    kept = peaks[:hands]
    kept[:] = score[:hands]
    for first in range(hands, width - hands + 1, hands):
        part = score[first : first + hands]
        for hand in range(hands):
            kept[hand] = max(kept[hand], part[hand])
    return _least_of_best(kept, n, bounds)


@compiled()
def contending(score: _Scores, n: int, bounds: _Scores, peaks: _Scores, places: Int64) -> int:
    """Write the positions of scores that are not behind the ``n`` best, ascending; how many they are: ``n`` or more.

    There are more than ``n`` scores; ``places`` has room for one more than all of them.
    """
    least = bound(score, n, bounds, peaks)
    found, width = 0, len(score)
    for first in range(0, width, _STRIDE):
        last = min(first + _STRIDE, width)
        if _not_below(score[first:last], least) > 0:
            for place in range(first, last):
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
        elif score[places[each]] == least:
            tied[ties] = places[each]
            ties += 1
    order = np.argsort(item[tied[:ties]])
    for each in range(n - kept):
        places[kept + each] = tied[order[each]]


@compiled()
def space_for(score: _Scores, widest: int, n: int) -> _Space:
    """What :func:`best_of_row` works in, for rows of at most ``widest`` entries and scores of the type of ``score``."""
    kept, kind = min(widest, n), score.dtype
    near, items = np.empty(widest + 1, np.int64), np.empty(kept, np.int32)
    return near, np.empty(3, kind), np.empty(min(_PEAKS * kept, widest), kind), np.empty(max(kept, widest), kind), items


@compiled()
def _choose(score: _Scores, item: Int32, n: int, space: _Space) -> None:
    """Write the positions of the ``n`` best of more entries to the first places of the space, in any order."""
    near, bounds, peaks, scores, _ = space
    found = contending(score, n, bounds, peaks, near)
    for each in range(found):
        scores[each] = score[near[each]]
    if found == n:
        return
    least = _least_of_best(scores[:found], n, bounds)
    if _not_below(scores[:found], least) > n:
        _without_ties(near, found, n, item, score, least)
        return
    end = 0
    for each in range(found):
        near[end] = near[each]
        end += scores[each] >= least


@compiled()
def _put_in_order(item: Int32, kept: int, space: _Space, places: Int64) -> None:
    """Write the first places of the space, whose scores and items stand beside them, in the order of these."""
    near, _, _, scores, items = space
    if kept > _COUNTED:
        by_item = np.argsort(items[:kept])
        places[:kept] = near[by_item[np.argsort(-scores[by_item], kind="mergesort")]]
        return
    places[:kept] = -1
    for each in range(kept):
        before = np.int32(0)
        for other in range(kept):
            before += np.int32(scores[other] > scores[each])
        at = before
        while places[at] >= 0:
            at += 1
        while at > before and item[places[at - 1]] > items[each]:
            places[at] = places[at - 1]
            at -= 1
        places[at] = near[each]


@compiled()
def best_of_row(score: _Scores, item: Int32, n: int, space: _Space, places: Int64) -> int:
    """Write the positions of the ``n`` best entries, best first, of equal scores the lower item; how many they are."""
    near, scores, items = space[0], space[3], space[4]
    kept = min(n, len(score))
    if len(score) > n:
        _choose(score, item, n, space)
    else:
        near[:kept] = np.arange(kept)
    for each in range(kept):
        scores[each], items[each] = score[near[each]], item[near[each]]
    _put_in_order(item, kept, space, places)
    return kept


@compiled((I8, I4, F4, N), (I8, I4, F8, N))
def best_of_rows(starts: Int64, item: Int32, score: _Scores, n: int) -> Int64:
    """Positions of the ``n`` best entries of each row, best first, of equal scores the lower item; all of a short row.

    ``n`` is above zero.
    """
    rows = len(starts) - 1
    widest = np.diff(starts).max() if rows else 0
    room = 0
    for row in range(rows):
        room += min(n, starts[row + 1] - starts[row])
    places, space, end = np.empty(room, np.int64), space_for(score, widest, n), 0
    for row in range(rows):
        low, high = starts[row], starts[row + 1]
        kept = best_of_row(score[low:high], item[low:high], n, space, places[end:])
        for each in range(end, end + kept):
            places[each] += low
        end += kept
    return places
