"""Sums over the rows of a table and the best of them, compiled by numba: the inner loop of most candidate sources.

Sums run in the order of the input and in double precision, row by row: a row gives the same bits alone or among a
million others. :mod:`training.models.ragged` says what the arrays mean and is what sources call.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from training.interactions import Float32, Int32, Int64
from training.models.compiled_best import best_of_row, contending, space_for
from training.models.compiling import F4, F8, I4, I8, N, array_of, compiled

Float64 = npt.NDArray[np.float64]
#: One number per item (or user), zero before a call and after it.
WORK = array_of(types.float64, readonly=False)


@compiled()
def _entries(starts: Int64, asked: Int32, weight: Float64) -> int:
    """How many entries the ``asked`` rows of a table that count have together."""
    count = 0
    for place in range(len(asked)):
        if weight[place] > 0:
            count += starts[asked[place] + 1] - starts[asked[place]]
    return count


@compiled()
def _add(item: Int32, part: Float64, total: Float64, met: Int32) -> int:
    """Add to the totals, and write the items met; how many these are."""
    count = 0
    for place in range(len(item)):
        met[count] = item[place]
        count += (part[place] > 0) & (total[item[place]] == 0)
        total[item[place]] += max(part[place], 0.0)
    return count


@compiled()
def _sum_up(
    asked: Int32, weight: Float64, starts: Int64, item: Int32, value: Float32, total: Float64, met: Int32, count: int
) -> int:
    """Add to the totals, and to the ``count`` items met; how many these are then."""
    for place in range(len(asked)):
        if weight[place] > 0:
            for entry in range(starts[asked[place]], starts[asked[place] + 1]):
                number, part = item[entry], weight[place] * value[entry]
                met[count] = number
                count += (part > 0) & (total[number] == 0)
                total[number] += max(part, 0.0)
    return count


@compiled()
def _sum_up_all(asked: Int32, weight: Float64, starts: Int64, item: Int32, value: Float32, total: Float64) -> None:
    """Add to the totals: where most items are met, it takes less to look at all of them afterwards."""
    for place in range(len(asked)):
        if weight[place] > 0:
            for entry in range(starts[asked[place]], starts[asked[place] + 1]):
                total[item[entry]] += max(weight[place] * value[entry], 0.0)


@compiled()
def _highest(total: Float64, n: int, space: Any, met: Int32) -> int:
    """Write the items whose totals may be among the ``n`` best of all; how many they are."""
    near, bounds, peaks = space[0], space[1], space[2]
    if n < len(total):
        count = contending(total, n, bounds, peaks, near)
        met[:count] = near[:count]
        return count
    met[: len(total)] = np.arange(len(total))
    return len(total)


@compiled()
def take_best(
    met: Int32,
    count: int,
    total: Float64,
    n: int,
    space: Any,
    places: Int64,
    values: Float64,
    out: Int32,
    sums: Float64,
) -> int:
    """Write the ``n`` best of the first ``count`` items of ``met`` and their totals, best first; how many they are.

    What is not above zero takes no part. The totals of all these items become zero.
    """
    positive = 0
    for each in range(count):
        item = met[each]
        met[positive], values[positive] = item, total[item]
        positive += total[item] > 0
        total[item] = 0
    kept = best_of_row(values[:positive], met[:positive], n, space, places)
    for each in range(kept):
        out[each], sums[each] = met[places[each]], values[places[each]]
    return kept


@compiled((I8, I4, F8, I8, I4, F4, I8, I4, F8, I8, I4, WORK, N))
def best_sums(
    starts: Int64,
    asked: Int32,
    weight: Float64,
    table_starts: Int64,
    table_item: Int32,
    table_weight: Float32,
    own_starts: Int64,
    own: Int32,
    own_weight: Float64,
    seen_starts: Int64,
    seen: Int32,
    total: Float64,
    n: int,
) -> tuple[Int64, Int32, Float64]:
    """The ``n`` best of ``own + sum of weight * table[asked]`` of every row: where each begins, the items, their sums.

    Parts that are not above zero are left out, and so is what was ``seen``. The last two tables may have no rows.
    """
    rows, width, widest = len(starts) - 1, len(total), 0
    for row in range(rows):
        low, high = starts[row], starts[row + 1]
        count = _entries(table_starts, asked[low:high], weight[low:high])
        if len(own_starts) > 1:
            count += own_starts[row + 1] - own_starts[row]
        widest = max(widest, min(count, width))
    n = min(n, widest)
    ends, items, sums, end = np.zeros(rows + 1, np.int64), np.empty(rows * n, np.int32), np.empty(rows * n), 0
    met, values, places = np.empty(widest + 1, np.int32), np.empty(widest + 1), np.empty(n, np.int64)
    space = space_for(total, widest, n)
    for row in range(rows):
        count = 0
        if len(own_starts) > 1:
            low, high = own_starts[row], own_starts[row + 1]
            count = _add(own[low:high], own_weight[low:high], total, met)
        low, high = starts[row], starts[row + 1]
        asks, weighs = asked[low:high], weight[low:high]
        many = _entries(table_starts, asks, weighs) > width
        if many:
            _sum_up_all(asks, weighs, table_starts, table_item, table_weight, total)
        else:
            count = _sum_up(asks, weighs, table_starts, table_item, table_weight, total, met, count)
        if len(seen_starts) > 1:
            for place in range(seen_starts[row], seen_starts[row + 1]):
                total[seen[place]] = 0
        if many:
            count = _highest(total, n, space, met)
        end += take_best(met, count, total, n, space, places, values, items[end:], sums[end:])
        if many:
            total[:] = 0
        ends[row + 1] = end
    return ends, items[:end], sums[:end]


@compiled((I8, I4, F8, WORK, N))
def heaviest(starts: Int64, item: Int32, weight: Float64, total: Float64, n: int) -> tuple[Int64, Int32, Float64]:
    """The ``n`` items of each row that have the heaviest entries above zero, and the weight of these."""
    rows = len(starts) - 1
    widest = np.diff(starts).max() if rows else 0
    n = min(n, widest)
    ends, items, weights, end = np.zeros(rows + 1, np.int64), np.empty(rows * n, np.int32), np.empty(rows * n), 0
    met, values, places = np.empty(widest + 1, np.int32), np.empty(widest + 1), np.empty(n, np.int64)
    space = space_for(total, widest, n)
    for row in range(rows):
        count = 0
        for place in range(starts[row], starts[row + 1]):
            met[count] = item[place]
            count += (weight[place] > 0) & (total[item[place]] == 0)
            total[item[place]] = max(total[item[place]], weight[place])
        end += take_best(met, count, total, n, space, places, values, items[end:], weights[end:])
        ends[row + 1] = end
    return ends, items[:end], weights[:end]


@compiled((I8, I8, F8))
def sums_in_order(keys: Int64, order: Int64, weight: Float64) -> tuple[Int64, Float64]:
    """Distinct ``keys``, which ``order`` sorts, and the sum of the weights of each."""
    found, sums, end = np.empty(len(keys), np.int64), np.empty(len(keys)), 0
    for place in order:
        if end == 0 or keys[place] != found[end - 1]:
            found[end], sums[end] = keys[place], 0.0
            end += 1
        sums[end - 1] += weight[place]
    return found[:end], sums[:end]
