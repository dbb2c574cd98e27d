"""What the user has, blended with what users like him have: nearest neighbours over personal item frequencies.

A user's vector is ``v(i) = sum over events of w(type) * step^steps_back * 2^(-age / half_life)``. Users are compared by
the cosine of vectors whose entries are divided by the root-like ``users(i)^rarity``, and ``score = own * v + (1 - own)
* mean of the neighbours' v``, weighted by similarity. Hu et al., "Modeling personalized item frequency information for
next-basket recommendation" (TIFU-KNN, SIGIR 2020), with smooth decay in place of groups of baskets. Only the users of
an item in whose vectors it weighs most are looked through (champion lists: Manning, Raghavan and Schütze,
"Introduction to information retrieval", section 7.1.3), which bounds the cost of a row.

The asking user may be among those stored and then is a neighbour of himself, one of ``nearest``: he could only be told
apart by his index. It adds a little to ``own`` and nothing to items that he has not had.
"""

from dataclasses import dataclass, fields
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import Clock, Float32, Histories, Int32, Int64, Interactions
from training.models.blocks import by_blocks
from training.models.kind_weights import KindWeights
from training.models.ragged import (
    Float64,
    Rows,
    best_of_rows,
    best_sums,
    candidates,
    ends_of,
    group_sums,
    pair_keys,
    row_starts,
    spans,
    sum_by_key,
)
from training.models.recency import ages, steps_back, weights_of
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows answered at a time: bounds the neighbours' vectors held at once.
_BLOCK = 64
#: Entries of a vector below this are left out: a purchase many half-lives ago.
_NEGLIGIBLE = 1e-6


class UserKnnConfig(SourceConfig):
    """Settings of :class:`UserKnn`."""

    step: float = Field(default=0.95, gt=0, le=1)
    """Factor per moment back in a history."""
    half_life: float = Field(default=180.0, gt=0)
    """Days after which an event counts half (only where times are known)."""
    rarity: float = Field(default=0.3, ge=0)
    """Exponent of the number of users that an item is divided by where users are compared."""
    users: int = Field(default=100_000, gt=0)
    """Users kept, those active last first (without a common clock, those with most events): bounds memory."""
    heaviest: int = Field(default=50, gt=0)
    """Items kept per user."""
    postings: int = Field(default=3000, gt=0)
    """Users per item that are looked through, those in whose vectors it weighs most."""
    asked: int = Field(default=50, gt=0)
    """Items of a history that look for neighbours, the heaviest first."""
    nearest: int = Field(default=300, gt=0)
    """Neighbours."""
    own: float = Field(default=0.5, ge=0, le=1)
    """Share of the user's own frequencies in the score."""
    kinds: KindWeights = KindWeights()


@dataclass(frozen=True)
class _Users:
    """Vectors of the stored users, by user and by item."""

    starts: Int64  # (users + 1,)
    item: Int32  # (pairs,)
    weight: Float32  # (pairs,) the vectors
    item_starts: Int64  # (items + 1,)
    user: Int32  # (postings,) stored users of an item
    cosine: Float32  # (postings,) the item's entry in the user's comparison vector of length 1
    scale: Float64  # (items,) users(i) ** -rarity


class UserKnn(CandidateSource):
    """Next-basket nearest neighbours over users."""

    name: ClassVar[str] = "user_knn"
    Config: ClassVar[type[SourceConfig]] = UserKnnConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"asked", "nearest", "own"})

    def __init__(self, config: UserKnnConfig, stored: _Users) -> None:
        self._config, self._stored = config, stored

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, UserKnnConfig)
        items = len(data.items)
        histories = data.histories(_active(data, config.users), int(data.time.max(initial=0)) + 1)
        row, item, weight = _vectors(histories, config, items)
        place, _ = best_of_rows(row_starts(row, len(histories)), item, weight, config.heaviest)
        row, item, weight = row[place], item[place], weight[place]
        scale = np.maximum(np.bincount(item, minlength=items), 1.0) ** -config.rarity
        entry = _unit(row, weight * scale[item], len(histories))

        order = np.lexsort((row, -entry, item))
        starts = row_starts(item[order], items)
        champions = order[spans(starts[:-1], np.minimum(np.diff(starts), config.postings))]
        stored = _Users(
            row_starts(row, len(histories)),
            item,
            weight.astype(np.float32),
            row_starts(item[champions], items),
            row[champions],
            entry[champions].astype(np.float32),
            scale,
        )
        return cls(config, stored)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        return by_blocks(histories, _BLOCK, lambda block: self._retrieve(block, n, exclude_seen))

    def _retrieve(self, histories: Histories, n: int, exclude_seen: bool) -> Candidates:
        stored, own, items = self._stored, self._config.own, len(self._stored.scale)
        row, item, weight = _vectors(histories, self._config, items)
        near = self._nearest(row, item, weight, len(histories))
        together = group_sums(near.row, near.weight, len(histories))
        theirs = Rows(near.starts, near.item, (1 - own) * near.weight / together[near.row])
        vectors = Rows(stored.starts, stored.item, stored.weight)
        mine = Rows(row_starts(row, len(histories)), item, own * weight)
        return candidates(best_sums(theirs, vectors, items, n, own=mine, seen=histories if exclude_seen else None))

    def _nearest(self, row: Int32, item: Int32, weight: Float64, rows: int) -> Rows:
        """The stored users nearest to each row, the nearest first, weighted by the cosine."""
        stored = self._stored
        entry = _unit(row, weight * stored.scale[item], rows)
        asked, counts = best_of_rows(row_starts(row, rows), item, entry, self._config.asked)
        asking = Rows(ends_of(counts), item[asked], entry[asked])
        postings = Rows(stored.item_starts, stored.user, stored.cosine)
        return best_sums(asking, postings, len(stored.starts) - 1, self._config.nearest)

    def arrays(self) -> Arrays:
        return {part.name: getattr(self._stored, part.name) for part in fields(self._stored)}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, UserKnnConfig)
        return cls(config, _Users(**{part.name: np.asarray(arrays[part.name]) for part in fields(_Users)}))


def _vectors(histories: Histories, config: UserKnnConfig, items: int) -> tuple[Int32, Int32, Float64]:
    """Row, item and weight of the entries of each history's vector, in ascending order."""
    weight = weights_of(histories.kind, config.kinds.table()) * config.step ** steps_back(histories)
    if histories.clock is Clock.TIMED:
        weight *= np.exp2(-ages(histories) / config.half_life)
    keys, total = sum_by_key(pair_keys(histories.row, histories.item, items), weight)
    keys, total = keys[total > _NEGLIGIBLE], total[total > _NEGLIGIBLE]
    return (keys // items).astype(np.int32), (keys % items).astype(np.int32), total


def _unit(row: Int32, entry: Float64, rows: int) -> Float64:
    """Entries of vectors, each vector divided by its length."""
    length = np.sqrt(group_sums(row, entry**2, rows))
    return entry / length[row]


def _active(data: Interactions, limit: int) -> Int32:
    """At most ``limit`` users with events, ascending: those active last, without a common clock those with most."""
    events = np.bincount(data.user, minlength=len(data.users))
    present = np.flatnonzero(events)
    if data.clock is Clock.TIMED:
        ends = np.cumsum(events)[present] - 1
        newest = np.argsort(-data.time[ends], kind="stable")
    else:
        newest = np.argsort(-events[present], kind="stable")
    return np.sort(present[newest[:limit]]).astype(np.int32)
