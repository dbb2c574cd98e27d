"""Loops over compressed rows that numpy can only say in many passes over long arrays, compiled by numba.

Sums run in the order of the input and in double precision, row by row: a row gives the same bits alone or among a
million others. :mod:`training.models.ragged` says what the arrays mean and is what sources call.
"""

import numpy as np
import numpy.typing as npt
from numba import types

from training.interactions import Float32, Int8, Int32, Int64
from training.models.compiling import F4, F8, I1, I4, I8, N, array_of, compiled

Float64 = npt.NDArray[np.float64]
_I4_2 = array_of(types.int32, 2)


@compiled((I8, I8))
def steps_back(starts: Int64, time: Int64) -> Float64:
    """(m,) number of later moments in the same row."""
    steps = np.empty(len(time))
    for row in range(len(starts) - 1):
        step = 0.0
        for event in range(starts[row + 1] - 1, starts[row] - 1, -1):
            if event + 1 < starts[row + 1]:
                step += time[event] != time[event + 1]
            steps[event] = step
    return steps


@compiled((I1, F8, F4, F8, types.float64))
def asking(kind: Int8, back: Float64, kinds: Float32, decay: Float64, least: float) -> Float64:
    """(m,) ``kinds[kind] * decay[back]`` of every event; 0 below ``least`` and past the end of ``decay``."""
    weight = np.zeros(len(kind))
    for event in range(len(kind)):
        if back[event] < len(decay):
            weight[event] = np.float64(kinds[kind[event]]) * decay[int(back[event])]
            if weight[event] < least:
                weight[event] = 0.0
    return weight


@compiled((I8, array_of(types.float32, 2), types.float32))
def scaled_columns(starts: Int64, score: Float32, lowest: float) -> Float32:
    """Each column of each row from ``lowest`` (its least value of the row) to 1; 0 where it is NaN."""
    scaled = np.zeros(score.shape, np.float32)
    columns, above = score.shape[1], np.float32(1) - lowest
    low, high = np.empty(columns, np.float32), np.empty(columns, np.float32)
    for row in range(len(starts) - 1):
        low[:], high[:] = np.inf, -np.inf
        for place in range(starts[row], starts[row + 1]):
            for column in range(columns):
                value = score[place, column]
                if not np.isnan(value):
                    low[column], high[column] = min(low[column], value), max(high[column], value)
        for place in range(starts[row], starts[row + 1]):
            for column in range(columns):
                value = score[place, column]
                if not np.isnan(value):
                    spread = high[column] - low[column]
                    scaled[place, column] = lowest + above * ((value - low[column]) / spread) if spread > 0 else 1
    return scaled


@compiled((array_of(types.float32, 2), F8, types.float64))
def blended(scaled: Float32, weights: Float64, least: float) -> Float64:
    """(c,) sum of the columns, each times its weight and once more times ``least``."""
    total = np.zeros(len(scaled))
    for pair in range(len(scaled)):
        for column in range(len(weights)):  # a sum in fixed order gives the same bits for every batch
            total[pair] += weights[column] * scaled[pair, column]
            total[pair] += least * scaled[pair, column]
    return total


@compiled((I8, I4, F8, _I4_2, _I4_2, F8, types.float64))
def shares_of_codes(
    starts: Int64, item: Int32, weight: Float64, codes: Int32, offered: Int32, factor: Float64, reach: float
) -> Float64:
    """(q, k) ``reach`` and, for each kind of code, ``factor`` times the share of a row's weight that has the item's.

    ``codes`` (kinds, items) are the codes of all items, ``offered`` (kinds, k) those of what is asked about, -1 none.
    """
    rows, kinds = len(starts) - 1, len(codes)
    fit, share = np.full((rows, offered.shape[1]), reach), np.zeros(offered.max() + 1)
    for row in range(rows):
        whole = 0.0
        for event in range(starts[row], starts[row + 1]):
            whole += weight[event]
        whole = max(whole, 1e-9)
        for kind in range(kinds):
            share[:] = 0.0
            for event in range(starts[row], starts[row + 1]):
                code = codes[kind, item[event]]
                if code >= 0:
                    share[code] += weight[event]
            for each in range(offered.shape[1]):
                if offered[kind, each] >= 0:
                    fit[row, each] += factor[kind] * (share[offered[kind, each]] / whole)
    return fit


@compiled((I8, I8, I8, I4, F4, N))
def united(
    keys: Int64, order: Int64, starts: Int64, row: Int32, score: Float32, lists: int
) -> tuple[Int64, Float32, Float32]:
    """Distinct ``keys``, and for each of the ``lists`` the score and the rank that it gives to them, NaN where none.

    List ``k`` holds entries ``starts[k] : starts[k + 1]`` by row and rank; ``order`` sorts the keys of all.
    """
    rank, list_of = np.empty(len(keys), np.float32), np.empty(len(keys), np.int64)
    for each in range(lists):
        first = starts[each]
        for place in range(starts[each], starts[each + 1]):
            if row[place] != row[first]:
                first = place
            rank[place], list_of[place] = place - first, each
    pairs, end = np.empty(len(keys), np.int64), 0
    scores, ranks = np.full((len(keys), lists), np.float32(np.nan)), np.full((len(keys), lists), np.float32(np.nan))
    for place in order:
        if end == 0 or keys[place] != pairs[end - 1]:
            pairs[end] = keys[place]
            end += 1
        scores[end - 1, list_of[place]], ranks[end - 1, list_of[place]] = score[place], rank[place]
    return pairs[:end].copy(), scores[:end].copy(), ranks[:end].copy()


@compiled((array_of(types.float32, 2), array_of(types.float32, 2), I8, I4, F8, F8))
def hazard_over(base: Float32, factor: Float32, stratum: Int64, item: Int32, days: Float64, edges: Float64) -> Float64:
    """(k,) sum over bins of ``base[stratum] * factor[item]`` times the days of the wait that lie between the edges."""
    total = np.zeros(len(days))
    for wait in range(len(days)):
        for each in range(len(edges) - 1):
            within = min(max(days[wait] - edges[each], 0.0), edges[each + 1] - edges[each])
            total[wait] += np.float64(base[stratum[wait], each]) * factor[item[wait], each] * within
    return total
