"""What the ranker's features are computed from: the histories of those who ask, their candidates, facts of items."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.contracts.events import EventType
from training.interactions import Bool, Clock, Float32, Histories, Int32, Int64
from training.models import compiled_features
from training.models.item_statistics import ItemStatistics
from training.models.pool import Pool
from training.models.ragged import Float64, Floats, group_sums, zero_slots
from training.models.recency import ages, steps_back

#: Days after which an event counts half, in the decayed counts.
HALF_LIVES = (10.0, 30.0, 90.0)
PURCHASE = EventType.PURCHASE.code


@dataclass(frozen=True)
class Columns:
    """Named features of the pairs of a pool."""

    names: tuple[str, ...]  # (k,)
    values: Float32  # (c, k)

    def __getitem__(self, name: str) -> Float32:
        """(c,) one feature."""
        column: Float32 = self.values[:, self.names.index(name)]
        return column

    @classmethod
    def nothing(cls, pairs: int) -> "Columns":
        return cls((), np.empty((pairs, 0), dtype=np.float32))

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        """All of several, side by side."""
        names = tuple(name for part in parts for name in part.names)
        return cls(names, np.concatenate([part.values for part in parts], axis=1))


@dataclass(frozen=True)
class PairCounts:
    """What one pass over the events says of every candidate and of every user."""

    values: Float32  # (c, 21) see :data:`compiled_features.PAIR_NAMES`
    decayed: Float64  # (c,) events of the user with the item, decayed by the slowest of the half-lives
    different: Int64  # (q,) items of each user


@dataclass(frozen=True)
class Question:
    """What a block of features reads, with the parts that several blocks need computed once."""

    histories: Histories
    pool: Pool
    statistics: ItemStatistics

    @property
    def timed(self) -> bool:
        """Whether anything may be said of time or order."""
        return self.histories.clock is not Clock.NONE

    @cached_property
    def age(self) -> Float64:
        return ages(self.histories)

    @cached_property
    def step(self) -> Float64:
        return steps_back(self.histories)

    @cached_property
    def decay(self) -> Float64:
        """(half-lives, m) what is left of each event."""
        left: Float64 = np.exp2(-self.age / np.array(HALF_LIVES)[:, None])
        return left

    @cached_property
    def row(self) -> Int32:
        return self.histories.row

    @cached_property
    def candidate_starts(self) -> Int64:
        """(q + 1,) where the candidates of each row begin."""
        return self.pool.indptr

    @cached_property
    def pairs(self) -> PairCounts:
        """The events of each user with each candidate."""
        h, usual_gap = self.histories, self.statistics.gap
        return PairCounts(
            *compiled_features.pairs(
                *(h.indptr, h.item, h.kind, h.quantity, self.age, self.step, self.age // 7, self.decay),
                *(self.candidate_starts, self.pool.item, usual_gap, zero_slots(len(usual_gap))),
            )
        )

    def by_row(self, values: Floats | Bool) -> Float64:
        """(q,) sums over the events of each row."""
        return group_sums(self.row, values, len(self.histories))
