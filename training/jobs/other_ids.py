"""Asking a recommender that numbers its items differently."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from features.contracts.ids import UNKNOWN, IdMap
from training.interactions import Histories, Int32
from training.models.recommend_bundle import RecommendBundle


def answer_in_ids_of(items: IdMap, other: RecommendBundle, width: int) -> Callable[[Histories], Int32]:
    """A function from histories in the numbering of ``items`` to lists (q, width) in the same numbering.

    Events of items that the other recommender does not know are invisible to it; what it recommends and ``items`` does
    not hold becomes an empty place.
    """
    theirs = other.items.indices(items.ids(np.arange(len(items), dtype=np.int32)))
    ours = np.full(len(other.items), UNKNOWN, dtype=np.int32)
    both = np.flatnonzero(theirs != UNKNOWN)
    ours[theirs[both]] = both

    def answer(histories: Histories) -> Int32:
        known = theirs[histories.item] != UNKNOWN
        counts = np.bincount(histories.row[known], minlength=len(histories))
        asked = replace(
            histories,
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            item=theirs[histories.item[known]],
            kind=histories.kind[known],
            time=histories.time[known],
            quantity=histories.quantity[known],
            basket=histories.basket[known],
        )
        lists = other.recommender.recommend(asked, width, exclude_seen=False).lists(len(asked), width)
        translated: Int32 = np.where(lists >= 0, ours[np.maximum(lists, 0)], UNKNOWN).astype(np.int32)
        return translated

    return answer
