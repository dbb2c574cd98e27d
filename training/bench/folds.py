"""From the description of a split to a fold whose training part holds no trace of the test, not even an id."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.errors import NotEnoughDataError
from features.contracts.events import ITEM_EVENTS, EventType
from features.contracts.ids import UNKNOWN, IdMap
from training.bench.config import GivenSplitSpec, LeaveOneOutSpec, RecommendBench, Seen, TemporalSplitSpec
from training.bench.given import read_pairs
from training.evaluation.fold import Fold, Truth
from training.evaluation.splits import END_OF_SEQUENCE, GivenSplit, LeaveOneOut, Split, TemporalSplit, make_fold
from training.interactions import Bool, Clock, Int32, Interactions


@dataclass(frozen=True)
class Question:
    """What a benchmark asks."""

    fold: Fold
    """Sealed: its training part and id maps depend on nothing that the test holds."""
    split: Split
    """The protocol, by which the pipeline carves its own validation folds. It holds no true pair."""


def ask(config: RecommendBench, base: Path, data: Interactions, items: pa.Table | None, now: datetime) -> Question:
    """Cut ``data`` as ``config`` says. ``items`` is the catalogue file, which is known beforehand; ``now`` the
    moment of the run.

    Raises :class:`NotEnoughDataError` when nobody is left to ask about.
    """
    repeats = config.seen is Seen.INCLUDE
    split: Split
    match config.split:
        case TemporalSplitSpec() as spec:
            horizon = int(spec.horizon.total_seconds())
            split = TemporalSplit(spec.target, repeats, int(spec.cutoff.timestamp()), horizon)
            fold = split.outer(data)
        case LeaveOneOutSpec() as spec:
            split = LeaveOneOut(spec.target, repeats)
            fold = split.outer(data)
        case GivenSplitSpec() as spec:
            split = GivenSplit(spec.target or _usual_targets(data), repeats)
            fold = _given(data, read_pairs(spec, config.interactions, base, now), repeats=repeats)
    if not len(fold.train):
        raise NotEnoughDataError(f"{config.name}: the training part is empty; is the cut-off before the first event?")
    return Question(seal(fold, items), split)


def seal(fold: Fold, items: pa.Table | None = None) -> Fold:
    """The same fold with ids of its training part (and of the catalogue ``items``) only.

    A user whom training does not know gets the index :data:`UNKNOWN`, hence an empty history; a true item that it does
    not know gets an index past the last item, which no list can hold.
    """
    train = fold.train
    known_items = _present(train.item, len(train.items))
    if items is not None and items.num_rows:
        place = train.items.indices(items[c.ITEM_ID].to_pylist())
        known_items[place[place != UNKNOWN]] = True
    known_users = _present(train.user, len(train.users))
    user_of, item_of = _renumber(known_users), _renumber(known_items)
    inside = replace(
        train,
        users=IdMap.from_array(train.users.to_array()[known_users]),
        items=IdMap.from_array(train.items.to_array()[known_items]),
        user=user_of[train.user],
        item=item_of[train.item],
        catalogue=train.catalogue.where(known_items),
    )
    size = len(train.items)
    strange = np.full(max(size, int(fold.truth.item.max(initial=-1)) + 1), UNKNOWN, dtype=np.int32)
    strange[:size] = item_of
    unknown = np.flatnonzero(strange == UNKNOWN)
    strange[unknown] = len(inside.items) + np.arange(len(unknown))
    true_item = strange[fold.truth.item]

    users = np.where(fold.users < len(user_of), user_of[np.minimum(fold.users, len(user_of) - 1)], UNKNOWN)
    order = np.argsort(users, kind="stable")
    sizes = np.diff(fold.truth.indptr)[order]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    taken = np.repeat(fold.truth.indptr[:-1][order] - indptr[:-1], sizes) + np.arange(indptr[-1])
    return Fold(inside, users[order].astype(np.int32), fold.as_of[order], Truth(indptr, true_item[taken]))


def _given(data: Interactions, pairs: tuple[list[str], list[str]], *, repeats: bool) -> Fold:
    """All of ``data`` is known. Strangers of the test file get indices past the last user and item."""
    user = _indices(data.users, pairs[0])
    item = _indices(data.items, pairs[1])
    end = {Clock.TIMED: int(data.time.max(initial=0)) + 1, Clock.ORDERED: END_OF_SEQUENCE, Clock.NONE: 0}
    fold = make_fold(data, user, item, end[data.clock], repeats=repeats)
    if fold is None:
        raise NotEnoughDataError(
            "the test file holds no pair that the users do not already have, and seen is 'exclude'"
        )
    return fold


def _indices(ids: IdMap, external: list[str]) -> Int32:
    index = ids.indices(external)
    strange = index == UNKNOWN
    _, code = np.unique(np.asarray(external, dtype=np.str_)[strange], return_inverse=True)
    index[strange] = len(ids) + code
    return index


def _usual_targets(data: Interactions) -> tuple[EventType, ...]:
    return (EventType.PURCHASE,) if (data.kind == EventType.PURCHASE.code).any() else ITEM_EVENTS


def _present(index: Int32, n: int) -> Bool:
    return np.bincount(index, minlength=n) > 0


def _renumber(known: Bool) -> Int32:
    """(n,) the rank of each known index among the known ones; :data:`UNKNOWN` for the others."""
    return np.where(known, np.cumsum(known) - 1, UNKNOWN).astype(np.int32)
