"""Ways to cut a log into what is known and what came after, outside for judging and inside for choosing.

``outer`` makes the fold that is reported. ``inner`` carves folds of the same shape out of a training part alone, so
that every choice of a pipeline is made without a look at the test. Inner folds come newest first: the first is for
choosing, the older ones are for fitting what is chosen.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType
from training.evaluation.fold import Fold, Truth
from training.interactions import SECONDS_PER_DAY, Bool, Clock, Int32, Int64, Interactions

#: A moment past every position of an ordered log.
END_OF_SEQUENCE = np.iinfo(np.int64).max
#: Part of the history that inner horizons may use together when the log is short.
_INNER_SHARE = 0.6
#: Part of a user's pairs, or baskets, that an inner fold of a given split holds out.
_HELD_OUT = 0.1


@dataclass(frozen=True)
class Split(ABC):
    """A protocol. ``target`` are the event types to be predicted; with ``repeats`` known items count as truth too."""

    target: Collection[EventType] = (EventType.PURCHASE,)
    repeats: bool = False

    @abstractmethod
    def outer(self, data: Interactions) -> Fold:
        """The fold that is judged. Raises :class:`NotEnoughDataError` when nobody has a truth."""

    @abstractmethod
    def inner(self, train: Interactions, count: int) -> list[Fold]:
        """At most ``count`` folds carved from ``train``, newest first; an empty list when it is too small."""

    def targets(self, data: Interactions) -> Bool:
        """(m,) whether each event is of a type to be predicted."""
        return np.isin(data.kind, [kind.code for kind in self.target])

    def _fold(self, data: Interactions, known: Bool, future: Bool, as_of: int) -> Fold | None:
        """Train on ``known`` events; the truth is the items of ``future`` events."""
        train = data.where(known)
        user, item = data.user[future], data.item[future]
        return make_fold(train, user, item, as_of, repeats=self.repeats)


@dataclass(frozen=True)
class TemporalSplit(Split):
    """What every user takes in ``[cutoff, cutoff + horizon)``, given everything before."""

    cutoff: int = 0
    """Seconds since 1970, UTC."""
    horizon: int = 28 * SECONDS_PER_DAY
    """Seconds."""

    def outer(self, data: Interactions) -> Fold:
        _needs_clock(data, Clock.TIMED, "a temporal split needs event times")
        fold = self._at(data, self.cutoff, self.horizon)
        if fold is None:
            raise NotEnoughDataError("nobody has an event of the target types inside the horizon after the cut-off")
        return fold

    def inner(self, train: Interactions, count: int) -> list[Fold]:
        if not len(train):
            return []
        start = int(train.time.min())
        room = _INNER_SHARE * (self.cutoff - start)
        # One horizon to choose on and one to fit on must find room; only then are more worth their time.
        horizon = int(min(self.horizon, room / 2))
        older = max(count - 1, 1)
        step = int(min(horizon, (room - 2 * horizon) / max(older - 1, 1))) if room > 2 * horizon else horizon
        step = max(step, horizon // 4, 1)
        newest = self.cutoff - horizon
        cutoffs = [newest, *(newest - horizon - step * i for i in range(older))]
        folds = [self._at(train, c, horizon) for c in cutoffs[:count] if c > start + 0.3 * (self.cutoff - start)]
        return [fold for fold in folds if fold is not None]

    def at(self, cutoff: int) -> Self:
        """The same protocol at another cut-off."""
        return type(self)(self.target, self.repeats, cutoff, self.horizon)

    def _at(self, data: Interactions, cutoff: int, horizon: int) -> Fold | None:
        inside = (data.time >= cutoff) & (data.time < cutoff + horizon) & self.targets(data)
        return self._fold(data, data.time < cutoff, inside, cutoff)


@dataclass(frozen=True)
class LeaveOneOut(Split):
    """The last target event of every user; what he did before it is known, what he did after it is not."""

    def outer(self, data: Interactions) -> Fold:
        fold = self._last(data)
        if fold is None:
            raise NotEnoughDataError("no user has an event of the target types after an earlier event")
        return fold

    def inner(self, train: Interactions, count: int) -> list[Fold]:
        folds: list[Fold] = []
        while len(folds) < count:
            fold = self._last(train)
            if fold is None:
                break
            folds.append(fold)
            train = fold.train
        return folds

    def _last(self, data: Interactions) -> Fold | None:
        if data.clock is Clock.NONE:
            raise NotEnoughDataError("leave one out needs the order of events; use a given split")
        place = np.flatnonzero(self.targets(data))
        if not self.repeats:
            place = place[~_had_before(data)[place]]
        last = place[np.flatnonzero(np.diff(data.user[place], append=-1))]
        first = np.searchsorted(data.user, data.user[last])
        last = last[last > first]  # at least one earlier event to answer from
        if not len(last):
            return None
        users = data.user[last]
        cut = np.full(int(data.user.max()) + 1, len(data), dtype=np.int64)
        cut[users] = last
        train = data.where(np.arange(len(data)) < cut[data.user])
        # One past the target: what shares its moment but stands before it is known.
        as_of = data.time[last] + 1
        indptr = np.arange(len(last) + 1, dtype=np.int64)
        return Fold(train, users, as_of, Truth(indptr, data.item[last]))


@dataclass(frozen=True)
class GivenSplit(Split):
    """Pairs that the caller holds out. Inner folds hold out random target pairs of the same log."""

    users: Sequence[str] = ()
    items: Sequence[str] = ()
    seed: int = 0

    def outer(self, data: Interactions) -> Fold:
        user, item = data.users.indices(self.users), data.items.indices(self.items)
        # Items and users that training does not know cannot be found, and count against everybody alike.
        strange = item < 0
        _, code = np.unique(np.asarray(self.items, dtype=object)[strange], return_inverse=True)
        item[strange] = len(data.items) + code
        held = np.isin(_pair(data.user, data.item, len(data.items)), _pair(user, item, len(data.items))[user >= 0])
        train = data if self.repeats else data.where(~held)
        fold = make_fold(train, user[user >= 0], item[user >= 0], _end(data), repeats=self.repeats)
        if fold is None:
            raise NotEnoughDataError("no user of the given test pairs is in the training data")
        return fold

    def inner(self, train: Interactions, count: int) -> list[Fold]:
        unit, target = self._units(train), self.targets(train)
        codes, first = np.unique(unit[target], return_index=True)
        if not len(codes):
            return []
        # A random order within each user; fold k takes the k-th part of it.
        owner = train.user[target][first]
        order = np.lexsort((np.random.default_rng(self.seed).random(len(codes)), owner))
        owner, codes = owner[order], codes[order]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        sizes = np.diff(np.append(starts, len(owner)))
        place = np.arange(len(owner)) - np.repeat(starts, sizes)
        part = np.repeat(np.maximum((sizes * _HELD_OUT).astype(np.int64), 1), sizes)
        folds = []
        for k in range(count):
            hidden = np.isin(unit, codes[place // part == k])
            rest = train.where(~hidden)
            true = hidden & target & np.isin(train.user, rest.user)  # somebody has to be left to ask
            fold = make_fold(rest, train.user[true], train.item[true], _end(train), repeats=self.repeats)
            if fold is not None:
                folds.append(fold)
        return folds

    def _units(self, data: Interactions) -> Int64:
        """(m,) code of what is hidden together, always one user's.

        Where known items are no truth that is everything of a (user, item) pair. Where they are, it is a basket, or a
        single event: what the user takes again must stay in his history, as it does in the question that is asked.
        """
        if not self.repeats:
            return _pair(data.user, data.item, len(data.items))
        alone = int(data.basket.max(initial=-1)) + 1 + np.arange(len(data), dtype=np.int64)
        return np.where(data.basket >= 0, data.basket, alone)


def make_fold(train: Interactions, user: Int32, item: Int32, as_of: int, *, repeats: bool) -> Fold | None:
    """A fold from true (user, item) pairs; without ``repeats`` what ``train`` holds does not count. None if empty."""
    width = max(len(train.items), int(item.max(initial=-1)) + 1)
    pairs = np.unique(_pair(user, item, width))
    if not repeats:
        pairs = pairs[~np.isin(pairs, _pair(train.user, train.item, width))]
    if not len(pairs):
        return None
    users, counts = np.unique(pairs // width, return_counts=True)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    moments: Int64 = np.full(len(users), as_of, dtype=np.int64)
    return Fold(train, users.astype(np.int32), moments, Truth(indptr, (pairs % width).astype(np.int32)))


def _pair(user: Int32, item: Int32, items: int) -> Int64:
    return user.astype(np.int64) * items + item


def _had_before(data: Interactions) -> Bool:
    """(m,) whether the user had the item at an earlier position."""
    _, first = np.unique(_pair(data.user, data.item, len(data.items)), return_index=True)
    again = np.ones(len(data), dtype=np.bool_)
    again[first] = False
    return again


def _end(data: Interactions) -> int:
    if data.clock is Clock.TIMED:
        return int(data.time.max(initial=0)) + 1
    return END_OF_SEQUENCE if data.clock is Clock.ORDERED else 0


def _needs_clock(data: Interactions, clock: Clock, why: str) -> None:
    if data.clock is not clock:
        raise NotEnoughDataError(f"{why}; this log has {'only an order' if data.clock is Clock.ORDERED else 'none'}")
