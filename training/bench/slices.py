"""For whom and for what it works: the comparison within groups of users and of items.

Groups of users part the test users by what was known of them. A group of items keeps of the truth only the items in it:
lists stay as they were, ranked over everything, and only users with a true item in the group are asked about.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from features.contracts.catalogue import CATEGORY_SEPARATOR
from training.bench.rows import Row, difference
from training.evaluation.fold import Fold, Truth
from training.evaluation.ranking import Float64, judge
from training.interactions import SECONDS_PER_DAY, Bool, Clock, Histories, Int64

_NEW_USER_DAYS: Final = 28
_HISTORY_BOUNDS: Final = (0, 1, 5, 20, 100, 500)
_HEAVY: Final = 90  # percentile of history lengths from which a user is heavy
_FEW_EVENTS: Final = 5
_DEPARTMENTS: Final = 5

#: Further groups of users: name -> (q,) members.
Groups = Mapping[str, Bool]
NO_GROUPS: Final[Groups] = MappingProxyType({})


def slices(
    pipeline: Row, rival: Row, metric: str, fold: Fold, histories: Histories, more: Groups = NO_GROUPS
) -> dict[str, Any]:
    """Group -> the pipeline beside its best rival there; groups without a user are left out.

    ``metric`` is the deciding one, of which difference and interval are given; the recall at the same length stands
    beside it. ``histories`` are those of ``fold``, ``more`` are groups of its users that the caller knows of.
    """
    recall = f"recall@{metric.rsplit('@', 1)[1]}"
    found = {}
    for name, users in (_user_groups(histories) | dict(more)).items():
        if users.any():
            ours, theirs = ({m: row.ranking.per_user[m][users] for m in (metric, recall)} for row in (pipeline, rival))
            found[name] = _part(ours, theirs, metric, recall, rival.model)
    popularity = np.bincount(fold.train.item, minlength=len(fold.train.items)).astype(np.int64)
    k = int(metric.rsplit("@", 1)[1])
    for name, items in _item_groups(fold, popularity):
        users, truth = _kept(fold.truth, items)
        if users.any():
            ours, theirs = (judge(row.lists[users], truth, (k,), popularity).per_user for row in (pipeline, rival))
            found[name] = _part(ours, theirs, metric, recall, rival.model)
    return found


def _part(
    ours: dict[str, Float64], theirs: dict[str, Float64], metric: str, recall: str, against: str
) -> dict[str, Any]:
    return {
        "users": len(ours[metric]),
        "metric": metric,
        "pipeline": float(ours[metric].mean()),
        "against": against,
        "rival": float(theirs[metric].mean()),
        **vars(difference(ours[metric], theirs[metric])),
        "recall": {"metric": recall, "pipeline": float(ours[recall].mean()), "rival": float(theirs[recall].mean())},
    }


def _user_groups(histories: Histories) -> dict[str, Bool]:
    length = np.diff(histories.indptr)
    groups: dict[str, Bool] = {}
    for low, high in zip(_HISTORY_BOUNDS, (*_HISTORY_BOUNDS[1:], None), strict=True):
        label = f"history {low}+" if high is None else f"history {low}-{high - 1}" if high - low > 1 else "history 0"
        groups[label] = (length >= low) & (length < (np.inf if high is None else high))
    if len(length):
        groups["heavy users"] = length > np.percentile(length, _HEAVY)
    if histories.clock is Clock.TIMED:
        new = histories.as_of - _first_event(histories) < _NEW_USER_DAYS * SECONDS_PER_DAY
        groups |= {"new users": new, "old users": ~new}
    return groups


def _first_event(histories: Histories) -> Int64:
    """(q,) the time of the first event; ``as_of`` for an empty history."""
    first = histories.as_of.copy()
    known = np.diff(histories.indptr) > 0
    first[known] = histories.time[histories.indptr[:-1][known]]
    return first


def _item_groups(fold: Fold, popularity: Int64) -> Iterator[tuple[str, Bool]]:
    """Names and (n,) masks over the items of the training part; what it does not know is in no group."""
    yield "items without events", popularity == 0
    yield f"items with 1-{_FEW_EVENTS - 1} events", (popularity > 0) & (popularity < _FEW_EVENTS)
    catalogue = fold.train.catalogue
    wanted = fold.truth.item[fold.truth.item < len(popularity)]
    department = catalogue.department[wanted]
    codes, counts = np.unique(department[department >= 0], return_counts=True)
    for code in codes[np.argsort(-counts, kind="stable")[:_DEPARTMENTS]]:
        members = catalogue.department == code
        path = catalogue.category_names[int(catalogue.category[np.argmax(members)])]
        yield f"category {path.split(CATEGORY_SEPARATOR)[0]}", members


def _kept(truth: Truth, items: Bool) -> tuple[Bool, Truth]:
    """(q,) the users with a true item under ``items`` (n,), and the truth of these users and items alone."""
    size = np.diff(truth.indptr)
    kept = np.zeros(len(truth.item), dtype=np.bool_)
    known = truth.item < len(items)
    kept[known] = items[truth.item[known]]
    left = np.bincount(np.repeat(np.arange(len(size)), size)[kept], minlength=len(size))
    users = left > 0
    return users, Truth(np.concatenate([[0], np.cumsum(left[users])]).astype(np.int64), truth.item[kept])
