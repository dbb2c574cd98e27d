"""What recommendation models learn from: user-item events as plain arrays.

:class:`Interactions` is a whole log; :class:`Histories` is what is known of a batch of users at a moment. Models are
fitted on the first and asked with the second, offline and in the server alike, so a user's last seconds count the
same way in both places.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from features.contracts.ids import IdMap

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

SECONDS_PER_DAY = 86_400
#: Of a context, what nobody told: a channel, a region or an hour.
UNTOLD = -1


def _untold() -> Int16:
    return np.empty(0, dtype=np.int16)


class Clock(StrEnum):
    """What the ``time`` array means."""

    TIMED = "timed"  # seconds since 1970, UTC
    ORDERED = "ordered"  # position in the user's sequence; only the order means something
    NONE = "none"  # neither time nor order is known; nothing may use ``time`` (it is all zero)


@dataclass(frozen=True)
class ItemCatalogue:
    """What is known of items, aligned with an item :class:`IdMap` of ``n`` items."""

    category: Int32  # (n,) code of the whole category path, -1 unknown
    department: Int32  # (n,) code of its top level, -1 unknown
    brand: Int32  # (n,) code, -1 unknown
    price: Float32  # (n,) list price in the mall's currency, NaN unknown
    category_names: tuple[str, ...] = ()
    brand_names: tuple[str, ...] = ()
    #: What only some sources read; left empty it is unknown of every item.
    shop: Int32 = field(default_factory=lambda: np.empty(0, dtype=np.int32))  # (n,) code, -1 unknown
    published_at: Int64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # (n,) seconds UTC, -1 unknown
    #: Words of titles and attributes as compressed rows: item ``i`` has ``word[word_start[i] : word_start[i + 1]]``.
    word_start: Int64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # (n + 1,)
    word: Int32 = field(default_factory=lambda: np.empty(0, dtype=np.int32))  # (w,) code, ascending within an item

    def __post_init__(self) -> None:
        n = len(self.category)
        usual = {
            "shop": np.full(n, -1, dtype=np.int32),
            "published_at": np.full(n, -1, dtype=np.int64),
            "word_start": np.zeros(n + 1, dtype=np.int64),
        }
        for name, unknown in usual.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, unknown)

    @classmethod
    def unknown(cls, n: int) -> Self:
        """A catalogue that knows nothing."""
        nothing = np.full(n, -1, dtype=np.int32)
        return cls(nothing, nothing, nothing, np.full(n, np.nan, dtype=np.float32))

    def where(self, mask: Bool) -> Self:
        """The items under ``mask`` (n,); codes and names stay."""
        words = np.diff(self.word_start)
        return replace(
            self,
            category=self.category[mask],
            department=self.department[mask],
            brand=self.brand[mask],
            price=self.price[mask],
            shop=self.shop[mask],
            published_at=self.published_at[mask],
            word_start=np.concatenate([[0], np.cumsum(words[mask])]).astype(np.int64),
            word=self.word[np.repeat(mask, words)],
        )


@dataclass(frozen=True)
class Histories:
    """Events of ``q`` users up to a moment each, oldest first, as compressed rows.

    Row ``r`` owns positions ``indptr[r] : indptr[r + 1]`` of the event arrays. ``user`` is only an identity for
    joining results; models must not look anything up by it, so that a user who came after the fit, or whose events
    are newer than it, is answered as well as any other.
    """

    user: Int32  # (q,) internal user index, -1 for a user the id map does not hold
    as_of: Int64  # (q,) the moment of the question, same unit as ``time``
    indptr: Int64  # (q + 1,)
    item: Int32  # (m,) internal item index
    kind: Int8  # (m,) code of the event type
    time: Int64  # (m,) see :class:`Clock`
    quantity: Float32  # (m,) pieces, 1 where unknown
    basket: Int64  # (m,) code of the order, unique over users; -1 where unknown
    clock: Clock = Clock.TIMED
    #: Where each question comes from; left empty it is unknown of every row. Codes are those of :class:`Interactions`.
    channel: Int16 = field(default_factory=_untold)  # (q,) -1 unknown
    region: Int16 = field(default_factory=_untold)  # (q,) -1 unknown
    hour: Int16 = field(default_factory=_untold)  # (q,) hour of the day (UTC) at which it is asked, -1 unknown
    #: What was computed from these events once, by name: most sources ask for the same (see ``recency``).
    derived: dict[str, npt.NDArray[Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("channel", "region", "hour"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self), UNTOLD, dtype=np.int16))

    def __len__(self) -> int:
        return len(self.as_of)

    @cached_property
    def row(self) -> Int32:
        """(m,) the row that owns each event."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr))

    @classmethod
    def joined(cls, parts: Sequence["Histories"]) -> "Histories":
        """The rows of ``parts``, at least one, of one clock. Codes of orders are moved apart: they stay unique."""
        if len(parts) == 1:
            return parts[0]
        baskets, beyond = [], 0
        for part in parts:
            baskets.append(np.where(part.basket < 0, part.basket, part.basket + beyond))
            beyond += int(part.basket.max(initial=-1)) + 1
        lengths = np.concatenate([np.diff(part.indptr) for part in parts])
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("user", "as_of", "item", "kind", "time", "quantity", "channel", "region", "hour")
        }
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return cls(**arrays, indptr=indptr, basket=np.concatenate(baskets), clock=parts[0].clock)

    def slice(self, start: int, stop: int) -> Self:
        """Rows ``start : stop`` as views."""
        low, high = int(self.indptr[start]), int(self.indptr[stop])
        return replace(
            self,
            user=self.user[start:stop],
            as_of=self.as_of[start:stop],
            indptr=self.indptr[start : stop + 1] - low,
            item=self.item[low:high],
            kind=self.kind[low:high],
            time=self.time[low:high],
            quantity=self.quantity[low:high],
            basket=self.basket[low:high],
            channel=self.channel[start:stop],
            region=self.region[start:stop],
            hour=self.hour[start:stop],
        )

    def where(self, mask: Bool) -> Self:
        """The same questions with the events under ``mask`` (m,) alone."""
        counts = np.bincount(self.row[mask], minlength=len(self))
        return replace(
            self,
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            item=self.item[mask],
            kind=self.kind[mask],
            time=self.time[mask],
            quantity=self.quantity[mask],
            basket=self.basket[mask],
        )

    def asked_from(
        self, *, channel: int | Int16 = UNTOLD, region: int | Int16 = UNTOLD, hour: int | Int16 = UNTOLD
    ) -> Self:
        """The same questions from a place and hour that the caller names (one for all, or one each); what he leaves
        out, :data:`UNTOLD`, stays as it is known."""

        def told(code: int | Int16, known: Int16) -> Int16:
            return np.where(np.asarray(code) == UNTOLD, known, code).astype(np.int16)

        return replace(
            self,
            channel=told(channel, self.channel),
            region=told(region, self.region),
            hour=told(hour, self.hour),
        )


@dataclass(frozen=True)
class Interactions:
    """A log of ``m`` user-item events, sorted by user, then time, then the order in which they came."""

    users: IdMap
    items: IdMap
    user: Int32  # (m,)
    item: Int32  # (m,)
    kind: Int8  # (m,) code of the event type
    time: Int64  # (m,) see :class:`Clock`
    quantity: Float32  # (m,) 1 where unknown
    amount: Float32  # (m,) money of the line, NaN where unknown
    basket: Int64  # (m,) code of the order, -1 where unknown
    clock: Clock
    catalogue: ItemCatalogue = field(repr=False)
    #: Where events happened; left empty it is unknown of every event.
    channel: Int16 = field(default_factory=_untold)  # (m,) code, -1 unknown
    region: Int16 = field(default_factory=_untold)  # (m,) code, -1 unknown
    channel_names: tuple[str, ...] = ()  # by code
    region_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("channel", "region"):
            if not len(getattr(self, name)):
                # One number for all events: logs are long.
                object.__setattr__(self, name, np.broadcast_to(np.int16(UNTOLD), len(self)))

    def __len__(self) -> int:
        return len(self.user)

    def where(self, mask: Bool) -> Self:
        """The events under ``mask``, with the same id maps."""
        return replace(
            self,
            user=self.user[mask],
            item=self.item[mask],
            kind=self.kind[mask],
            time=self.time[mask],
            quantity=self.quantity[mask],
            amount=self.amount[mask],
            basket=self.basket[mask],
            channel=self.channel[mask],
            region=self.region[mask],
        )

    def histories(self, users: Int32, as_of: int | Int64) -> Histories:
        """What is known of ``users`` strictly before ``as_of`` (one moment for all, or one each).

        For :attr:`Clock.ORDERED` pass a position past the last one to see everything; for :attr:`Clock.NONE`
        ``as_of`` is ignored. The question of a user is taken to come from where his newest known event did.
        """
        moments = np.full(len(users), as_of, dtype=np.int64)
        starts = self.user.searchsorted(users, side="left")
        ends = self._ends(starts, self.user.searchsorted(users, side="right"), moments)
        lengths = ends - starts
        indptr = np.zeros(len(users) + 1, dtype=np.int64)
        lengths.cumsum(out=indptr[1:])
        taken = np.arange(indptr[-1]) + (starts - indptr[:-1]).repeat(lengths)
        channel = np.full(len(users), UNTOLD, dtype=np.int16)
        region = channel.copy()
        if self.clock is not Clock.NONE:  # without order no event is the newest one
            known = lengths.nonzero()[0]
            newest = ends[known] - 1
            channel[known], region[known] = self.channel[newest], self.region[newest]
        return Histories(
            user=users.astype(np.int32),
            as_of=moments,
            indptr=indptr,
            item=self.item[taken],
            kind=self.kind[taken],
            time=self.time[taken],
            quantity=self.quantity[taken],
            basket=self.basket[taken],
            clock=self.clock,
            channel=channel,
            region=region,
        )

    def _ends(self, starts: Int64, stops: Int64, moments: Int64) -> Int64:
        """(q,) where the events of ``starts : stops`` end that lie strictly before each of ``moments``."""
        if self.clock is Clock.NONE or not len(self):
            return stops
        ends = stops.copy()
        # Mostly everything was long ago: only rows whose last event was not are searched.
        for row in (self.time[stops - 1] >= moments).nonzero()[0].tolist():
            ends[row] = starts[row] + self.time[starts[row] : stops[row]].searchsorted(moments[row])
        return ends
