"""A few test users with what they had, what they were offered and what they took, under no name."""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.ids import UNKNOWN, IdMap
from training.evaluation.fold import Fold
from training.interactions import Histories
from training.models.recommender import Recommender

#: Users at these percentiles of history length, so that short and long histories are both seen.
_TYPICAL: Final = (10, 30, 50, 70, 90)
_SHOWN = 8
_BEFORE = 5

Title = Callable[[int], str]


def titles(items: pa.Table | None, ids: IdMap) -> Title:
    """Item index -> its title in the catalogue, else the last level of its category with its id, else its id."""
    named: dict[str, str] = {}
    if items is not None:
        empty = [None] * items.num_rows
        title, category = (
            items[name].to_pylist() if name in items.column_names else empty for name in (c.TITLE, c.CATEGORY)
        )
        for item, own, path in zip(items[c.ITEM_ID].to_pylist(), title, category, strict=True):
            if own or path:
                named[item] = own or f"{path.split(CATEGORY_SEPARATOR)[-1]} ({item})"

    def title_of(index: int) -> str:
        name = ids.id(index)
        return named.get(name, name)

    return title_of


def examples(
    recommender: Recommender, fold: Fold, histories: Histories, title: Title, *, exclude_seen: bool
) -> list[dict[str, Any]]:
    """For each of a few users of ``fold`` with a history: the last items ``before``, the ``list`` with what speaks for
    each item and whether it was ``taken`` afterwards, and how many items were.

    A user's list is nothing special: he stands at a percentile of history length, and no other list is looked at.
    """
    length = np.diff(histories.indptr)
    known = np.flatnonzero((length > 0) & (fold.users != UNKNOWN))
    known = known[np.argsort(length[known], kind="stable")]
    chosen = np.unique(
        np.array([known[int(p / 100 * (len(known) - 1))] for p in _TYPICAL if len(known)], dtype=np.int64)
    )
    chosen = chosen[np.argsort(length[chosen], kind="stable")]
    return [_example(recommender, fold, histories, int(row), title, exclude_seen) for row in chosen]


def _example(
    recommender: Recommender, fold: Fold, histories: Histories, row: int, title: Title, exclude_seen: bool
) -> dict[str, Any]:
    alone = histories.slice(row, row + 1)
    ranked = recommender.recommend(alone, _SHOWN, exclude_seen=exclude_seen)
    taken = set(fold.truth.item[fold.truth.indptr[row] : fold.truth.indptr[row + 1]].tolist())
    evidence = recommender.evidence(alone, ranked.row, ranked.item, ranked.source)
    latest = list(dict.fromkeys(alone.item[::-1].tolist()))[:_BEFORE]
    return {
        "events": len(alone.item),
        "before": [title(item) for item in latest],
        "taken": len(taken),
        "list": [
            {
                "title": title(item),
                "taken": item in taken,
                "source": why.source,
                "because": title(why.because) if why.because >= 0 else None,
                "times": why.times,
                "every_days": why.every if math.isfinite(why.every) else None,
                "days_ago": why.ago if math.isfinite(why.ago) else None,
            }
            for item, why in zip(ranked.item.tolist(), evidence, strict=True)
        ],
    }
