"""Simple recommenders that every model must beat. The benchmarks judge them; the recommender never uses them.

They answer whole batches with lists instead of scored candidates, and they are no :class:`CandidateSource`, so the
discovery of candidate sources does not find them. To add one: subclass :class:`Baseline` here and set ``name``.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from features.contracts.events import EventType
from training.interactions import SECONDS_PER_DAY, Clock, Histories, Int32, Int64, Interactions

Float64 = npt.NDArray[np.float64]

EMPTY = -1
_ROWS_AT_A_TIME = 4096


class Baseline(ABC):
    """A recommender of a few lines, fitted on the training part and asked like any other."""

    name: ClassVar[str]

    @classmethod
    def applies(cls, clock: Clock, *, exclude_seen: bool) -> bool:
        """Whether the baseline means anything for this kind of data."""
        return True

    @classmethod
    @abstractmethod
    def fit(cls, data: Interactions, targets: Collection[EventType]) -> Self:
        """Learn from the training part. ``targets`` are the event types that the truth is made of."""

    @abstractmethod
    def recommend(self, histories: Histories, n: int, *, exclude_seen: bool) -> Int32:
        """(q, n) item indices, best first, :data:`EMPTY` where nothing is left to offer."""


@dataclass(frozen=True)
class Popular(Baseline):
    """The same list for everybody: items by number of target events in the whole training part."""

    name: ClassVar[str] = "popular"

    order: Int32

    @classmethod
    def fit(cls, data: Interactions, targets: Collection[EventType]) -> Self:
        return cls(by_popularity(data.item, _is_target(data.kind, targets), len(data.items)))

    def recommend(self, histories: Histories, n: int, *, exclude_seen: bool) -> Int32:
        nothing = np.full((len(histories), n), EMPTY, dtype=np.int32)
        return fill(nothing, self.order, histories if exclude_seen else None)


@dataclass(frozen=True)
class PopularRecent(Popular):
    """Popularity over the last four weeks of the training part, older popularity breaking ties."""

    name: ClassVar[str] = "popular_recent"
    days: ClassVar[int] = 28

    @classmethod
    def applies(cls, clock: Clock, *, exclude_seen: bool) -> bool:
        return clock is Clock.TIMED

    @classmethod
    def fit(cls, data: Interactions, targets: Collection[EventType]) -> Self:
        recent = data.time > data.time.max(initial=0) - cls.days * SECONDS_PER_DAY
        target = _is_target(data.kind, targets)
        return cls(by_popularity(data.item, target * np.where(recent, 1.0, 1e-6), len(data.items)))


@dataclass(frozen=True)
class _Personal(Baseline):
    """What the user took before, ranked by :meth:`weights`; then, in the subclasses that say so, what is popular."""

    then_popular: ClassVar[bool] = False

    order: Int32
    targets: tuple[EventType, ...]

    @classmethod
    def applies(cls, clock: Clock, *, exclude_seen: bool) -> bool:
        return not exclude_seen

    @classmethod
    def fit(cls, data: Interactions, targets: Collection[EventType]) -> Self:
        return cls(by_popularity(data.item, _is_target(data.kind, targets), len(data.items)), tuple(targets))

    def recommend(self, histories: Histories, n: int, *, exclude_seen: bool) -> Int32:
        if exclude_seen:
            return np.full((len(histories), n), EMPTY, dtype=np.int32)
        lists = top_items(histories, self.weights(histories), n)
        return fill(lists, self.order, None) if self.then_popular else lists

    @abstractmethod
    def weights(self, histories: Histories) -> Float64:
        """(m,) what each event adds to the score of its item for its user."""


@dataclass(frozen=True)
class PersonalFrequency(_Personal):
    """The user's own items by number of target events; other events, and then recency, break ties."""

    name: ClassVar[str] = "personal_frequency"

    def weights(self, histories: Histories) -> Float64:
        return _is_target(histories.kind, self.targets)


@dataclass(frozen=True)
class PersonalFrequencyThenPopular(PersonalFrequency):
    """Personal frequency, the list completed with popular items (the strong baseline of next-basket papers)."""

    name: ClassVar[str] = "personal_frequency_then_popular"
    then_popular: ClassVar[bool] = True


@dataclass(frozen=True)
class BasketFrequencyDecayed(_Personal):
    """Own items by number of baskets they were in, a basket of 90 days ago counting half.

    An event without an order belongs to the basket of its day.
    """

    name: ClassVar[str] = "basket_frequency_decayed"
    half_life_days: ClassVar[float] = 90.0

    @classmethod
    def applies(cls, clock: Clock, *, exclude_seen: bool) -> bool:
        return clock is Clock.TIMED and not exclude_seen

    def weights(self, histories: Histories) -> Float64:
        row = histories.row
        days_ago = (histories.as_of[row] - histories.time) / SECONDS_PER_DAY
        day = histories.time // SECONDS_PER_DAY
        _, basket = np.unique(np.where(histories.basket >= 0, histories.basket, -2 - day), return_inverse=True)
        _, pair = np.unique(_pairs(row, histories.item), return_inverse=True)
        _, first = np.unique(_pairs(pair, basket), return_index=True)
        once = np.zeros(len(row))
        once[first] = 1.0
        decayed: Float64 = once * _is_target(histories.kind, self.targets) * 0.5 ** (days_ago / self.half_life_days)
        return decayed


@dataclass(frozen=True)
class BasketFrequencyDecayedThenPopular(BasketFrequencyDecayed):
    """Decayed basket frequency, the list completed with popular items."""

    name: ClassVar[str] = "basket_frequency_decayed_then_popular"
    then_popular: ClassVar[bool] = True


def baselines() -> dict[str, type[Baseline]]:
    """Every baseline by name. Two of one name raise ``ValueError``."""
    found: dict[str, type[Baseline]] = {}
    pending: list[type[Baseline]] = list(Baseline.__subclasses__())
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if "name" in cls.__dict__:
            if cls.name in found:
                raise ValueError(f"two baselines are called {cls.name!r}: {found[cls.name]} and {cls}")
            found[cls.name] = cls
    return dict(sorted(found.items()))


def by_popularity(item: Int32, weight: Float64, n: int) -> Int32:
    """Item indices by total ``weight`` descending, then index; items without any are left out."""
    total = np.bincount(item, weights=weight, minlength=n)
    order = np.argsort(-total, kind="stable").astype(np.int32)
    return order[: np.count_nonzero(total > 0)]


def top_items(histories: Histories, weight: Float64, n: int) -> Int32:
    """(q, n) each row's own items by total event weight, then last event (where order is known), then index."""
    row = histories.row
    pair, first, inverse = np.unique(_pairs(row, histories.item), return_index=True, return_inverse=True)
    total = np.bincount(inverse, weights=weight, minlength=len(pair))
    last = np.zeros(len(pair), dtype=np.int64)
    if histories.clock is not Clock.NONE:
        np.maximum.at(last, inverse, np.arange(len(row)))
    order = np.lexsort((histories.item[first], -last, -total, row[first]))
    rows, items = row[first][order], histories.item[first][order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    lists = np.full((len(histories), n), EMPTY, dtype=np.int32)
    kept = place < n
    lists[rows[kept], place[kept]] = items[kept]
    return lists


def fill(lists: Int32, order: Int32, seen: Histories | None) -> Int32:
    """Complete ``lists`` (q, n) from ``order``, with nothing twice and nothing of the histories in ``seen``."""
    q, n = lists.shape
    if not len(order):
        return lists
    rank = np.full(max(int(order.max()), int(lists.max(initial=-1))) + 1, len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    parts = [
        _fill_rows(
            lists[start : start + _ROWS_AT_A_TIME],
            order,
            rank,
            None if seen is None else seen.slice(start, min(q, start + _ROWS_AT_A_TIME)),
            n,
        )
        for start in range(0, q, _ROWS_AT_A_TIME)
    ]
    return np.concatenate([lists[:0], *parts])


def _fill_rows(lists: Int32, order: Int32, rank: Int64, seen: Histories | None, n: int) -> Int32:
    row, place = np.nonzero(lists != EMPTY)
    taken_row, taken_item = row, lists[row, place]
    if seen is not None:
        taken_row = np.concatenate([taken_row, seen.row])
        taken_item = np.concatenate([taken_item, seen.item])
    within = taken_item < len(rank)
    taken_row, taken_rank = taken_row[within], rank[taken_item[within]]
    longest = int(np.bincount(taken_row, minlength=1).max(initial=0))
    head = min(len(order), n + longest)  # enough for every row, whatever it may not have
    blocked = np.zeros((len(lists), head), dtype=np.bool_)
    reachable = taken_rank < head
    blocked[taken_row[reachable], taken_rank[reachable]] = True
    free = np.argsort(blocked, axis=1, kind="stable")[:, :n]
    offered = np.where(np.take_along_axis(blocked, free, axis=1), EMPTY, order[free])
    offered = np.pad(offered, ((0, 0), (0, n - offered.shape[1])), constant_values=EMPTY)
    filled = np.concatenate([lists, offered], axis=1)
    packed = np.argsort(filled == EMPTY, axis=1, kind="stable")[:, :n]
    return np.take_along_axis(filled, packed, axis=1).astype(np.int32)


def _pairs(a: Int32 | Int64, b: Int32 | Int64) -> Int64:
    """(m,) one number for each pair of codes; ``b`` is not negative."""
    return a.astype(np.int64) * (int(b.max(initial=0)) + 1) + b


def _is_target(kind: npt.NDArray[np.int8], targets: Collection[EventType]) -> Float64:
    """1 for a target event; any other event counts a thousandth, so that it only breaks ties."""
    return np.where(np.isin(kind, [t.code for t in targets]), 1.0, 1e-3)
