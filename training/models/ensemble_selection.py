"""How many parts of each model make the best sum: forward selection with replacement on validation lists.

Caruana, Niculescu-Mizil, Crew, Ksikes: "Ensemble Selection from Libraries of Models" (ICML 2004).
"""

from collections.abc import Sequence

import numpy as np

from training.interactions import Float32, Int64
from training.models.ragged import Float64, best_of_rows, group_sums, ranks_within

#: Places of a list that count.
_PLACES = 10
#: Most models that are summed, a model that is taken twice counting twice.
_MOST = 8
#: Gain in mean NDCG@10 below which another part is not worth its time in every answer.
_LEAST_GAIN = 1e-4


def select_parts(scores: Sequence[Float64], hit: Float32, groups: Int64) -> tuple[int, ...]:
    """Parts of each model (at least one of them is above 0), whose ``scores`` are (c,) each, of comparable spread.

    ``hit`` (c,) says what came true, ``groups`` how many pairs each list has. Of equal gains the earlier model wins.
    """
    lists = np.concatenate([[0], np.cumsum(groups)]).astype(np.int64)
    parts = [0] * len(scores)
    total: Float64 = np.zeros(len(hit))
    mark = -np.inf
    for _ in range(_MOST):
        marks = [mean_ndcg(total + each, hit, lists) for each in scores]
        best = int(np.argmax(marks))
        if marks[best] < mark + _LEAST_GAIN:
            break
        parts[best] += 1
        total = total + scores[best]
        mark = marks[best]
    return tuple(parts)


def mean_ndcg(score: Float64, hit: Float32, lists: Int64) -> float:
    """Mean NDCG@10 over lists that begin at ``lists`` (g + 1,); an ideal list has the hits among its pairs on top."""
    pair = np.arange(len(score), dtype=np.int32)
    place, counts = best_of_rows(lists, pair, score, _PLACES)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    gain = 1 / np.log2(np.arange(2, _PLACES + 2))
    reached = group_sums(row, hit[place] * gain[ranks_within(starts).astype(np.int64)], len(counts))
    hits = group_sums(np.repeat(np.arange(len(counts)), np.diff(lists)), hit, len(counts))
    useful = hits > 0
    ideal = np.cumsum(gain)[np.minimum(hits[useful], _PLACES).astype(np.int64) - 1]
    return float((reached[useful] / ideal).mean()) if useful.any() else 0.0
