"""The inner loops of :mod:`training.models.als`, compiled by numba. A row gives the same bits alone or among others."""

import numpy as np
import numpy.typing as npt
from numba import types

from training.interactions import Float32, Int32, Int64
from training.models.compiled_best import best_of_row, bound, space_for
from training.models.compiling import F4, F8, I4, I8, N, array_of, compiled

Float64 = npt.NDArray[np.float64]
_F4_2, _F8_2 = array_of(types.float32, 2), array_of(types.float64, 2)
#: Items scored before it is asked whether any other can be among the best.
_BLOCK = 256


@compiled()
def _solve(left: Float64, answer: Float32) -> None:
    """Solve for the ``answer`` (f,): rows of ``left`` (f + 1, f) are the lower half of the matrix and the right side.

    Elimination without pivoting, which is stable as the matrix is positive definite. It goes from the last unknown to
    the first, so that inner loops begin at 0: from anywhere else they take three times as long.
    """
    width = len(answer)
    for pivot in range(width - 1, -1, -1):
        inverse = 1 / left[pivot, pivot]
        for row in range(pivot):
            scale = left[pivot, row] * inverse
            for column in range(row + 1):
                left[row, column] -= scale * left[pivot, column]
        scale = left[width, pivot] * inverse
        for column in range(pivot):
            left[width, column] -= scale * left[pivot, column]
    for known in range(width):
        value = left[width, known]
        for before in range(known):
            value -= left[known, before] * left[width, before]
        left[width, known] = value / left[known, known]
        answer[known] = left[width, known]


@compiled((_F8_2, _F4_2, I8, I4, F8))
def folded_in(gram: Float64, factors: Float32, starts: Int64, item: Int32, confidence: Float64) -> Float32:
    """(q, f) what solves ``(gram + sum of (c - 1) y y') x = sum of c y`` over each row's items; 0 for an empty row."""
    rows, width = len(starts) - 1, len(gram)
    solved, left, vector = np.zeros((rows, width), np.float32), np.empty((width + 1, width)), np.empty(width)
    for row in range(rows):
        left[:width], left[width] = gram, 0.0
        for place in range(starts[row], starts[row + 1]):
            vector[:] = factors[item[place]]
            for down in range(width):
                scale = (confidence[place] - 1) * vector[down]
                for across in range(down + 1):
                    left[down, across] += scale * vector[across]
            for across in range(width):
                left[width, across] += confidence[place] * vector[across]
        if starts[row] < starts[row + 1]:
            _solve(left, solved[row])
    return solved


@compiled(reassociated=True)
def _multiply(user: Float32, factors: Float32, scores: Float32) -> None:
    """Write the inner products of a user with each of the ``factors``."""
    for place in range(len(scores)):
        total = np.float32(0)
        for part in range(len(user)):
            total += user[part] * factors[place, part]
        scores[place] = total


@compiled((_F4_2, _F4_2, F4, I4, I4, I8, I4, N))
def best_products(
    users: Float32,
    factors: Float32,
    length: Float32,
    item: Int32,
    place_of: Int32,
    seen_starts: Int64,
    seen: Int32,
    n: int,
) -> tuple[Int64, Int32, Float32]:
    """The ``n`` best items of each user: where his begin, the items, and their products with him.

    Items come the longest first: no product exceeds the ``length`` of the two, so that most are never looked at.
    A user of whom nothing is known, all zeros, gets nothing. ``place_of`` says where an item stands, -1 nowhere; what
    was ``seen`` takes no part, and may have no rows.
    """
    rows, known = len(users), len(item)
    n = min(n, known)
    ends, items, end = np.zeros(rows + 1, np.int64), np.empty(rows * n, np.int32), 0
    products, scores, places = np.empty(rows * n, np.float32), np.empty(known, np.float32), np.empty(n, np.int64)
    space = space_for(scores, known, n)
    for row in range(rows):
        user, least, scored, checked = users[row], -np.inf, 0, n
        reach = np.sqrt((user * user).sum())
        while reach > 0 and scored < known and reach * length[scored] >= least:
            first, scored = scored, min(scored + _BLOCK, known)
            _multiply(user, factors[first:scored], scores[first:scored])
            if len(seen_starts) > 1:
                for event in range(seen_starts[row], seen_starts[row + 1]):
                    if first <= place_of[seen[event]] < scored:
                        scores[place_of[seen[event]]] = -np.inf
            if scored > checked:
                least, checked = bound(scores[:scored], n, space[1], space[2]), 2 * scored
        kept = best_of_row(scores[:scored], item[:scored], n, space, places)
        for each in range(kept):
            items[end], products[end] = item[places[each]], scores[places[each]]
            end += scores[places[each]] > -np.inf
        ends[row + 1] = end
    return ends, items[:end], products[:end]
