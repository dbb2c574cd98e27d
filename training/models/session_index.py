"""Sessions of a log, findable by item: what :mod:`training.models.sessions` looks things up in.

A session is a run of one user's moments without a long pause. The index holds each session's items and, for every
item, its newest sessions (Kersbergen, Sprangers and Schelter, "Serenade", SIGMOD 2022, section 3).
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from training.interactions import SECONDS_PER_DAY, Clock, Float32, Int32, Int64, Interactions
from training.models.ragged import Float64, first_of_run, pair_keys, row_starts, spans
from training.models.recency import moments, weights_of
from training.models.source import Arrays


@dataclass(frozen=True)
class SessionIndex:
    """Two compressed tables over the same pairs: items by session, newest session first, and sessions by item."""

    starts: Int64  # (sessions + 1,)
    item: Int32  # (pairs,) items of a session, the latest first
    place: Int32  # (pairs,) moment within the session at which the item last occurred
    weight: Float32  # (pairs,) of its heaviest event
    item_starts: Int64  # (items + 1,)
    session: Int32  # (postings,) sessions of an item, the newest first
    item_place: Int32  # (postings,) as ``place``
    frequency: Int64  # (items,) sessions that have the item, those without a posting too

    @property
    def items(self) -> int:
        return len(self.frequency)

    @classmethod
    def of(
        cls, data: Interactions, kinds: Float32, *, gap: float, longest: int, widest: int, sessions: int, postings: int
    ) -> Self:
        """Cut the log into sessions and keep the newest.

        A session ends before a pause of more than ``gap`` days (where times are known) and after ``longest`` moments,
        counted from its end. The ``sessions`` newest stay, of each its ``widest`` latest items, and for each item its
        ``postings`` newest sessions. Without a common clock, sessions with less of their user after them are newer.
        """
        weight = weights_of(data.kind, kinds)
        session, place = _cut(data, gap, longest)
        kept = (weight > 0) & (session < sessions)
        session, place, item, weight = _distinct(session[kept], place[kept], data.item[kept], weight[kept])
        starts = row_starts(session, int(session[-1]) + 1 if len(session) else 0)
        order = np.lexsort((item, -weight, -place, session))[heads(starts, widest)]
        session, place, item, weight = session[order], place[order], item[order], weight[order]
        starts = row_starts(session, len(starts) - 1)

        by_item = np.argsort(item, kind="stable")
        item_starts = row_starts(item[by_item], len(data.items))
        newest = by_item[heads(item_starts, postings)]
        return cls(
            starts,
            item,
            place.astype(np.int32),
            weight.astype(np.float32),
            row_starts(item[newest], len(data.items)),
            session[newest],
            place[newest].astype(np.int32),
            np.diff(item_starts),
        )

    def arrays(self) -> Arrays:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of :meth:`arrays`."""
        return cls(**{part.name: np.asarray(arrays[part.name]) for part in fields(cls)})


def heads(starts: Int64, n: int) -> Int64:
    """Positions of the first ``n`` entries of every compressed row."""
    return spans(starts[:-1], np.minimum(np.diff(starts), n))


def _cut(data: Interactions, gap: float, longest: int) -> tuple[Int32, Int64]:
    """Number of the session of each event, the newest being 0, and the place of its moment within it."""
    moment = moments(data)
    first = np.flatnonzero(first_of_run(moment))
    owner, time = data.user[first], data.time[first]
    new = first_of_run(owner)
    if data.clock is Clock.TIMED:
        new[1:] |= np.diff(time) > gap * SECONDS_PER_DAY
    begins = np.flatnonzero(new)
    lengths = np.diff(np.append(begins, len(first)))
    left = np.repeat(begins + lengths, lengths) - 1 - np.arange(len(first))
    new |= left % longest == longest - 1

    session = np.cumsum(new) - 1
    begins = np.flatnonzero(new)
    ends = np.append(begins, len(first))[1:] - 1
    if data.clock is Clock.TIMED:
        age = -time[ends]
    else:
        _, of_user = np.unique(owner[ends], return_inverse=True)
        last = np.cumsum(np.bincount(of_user)) - 1
        age = last[of_user] - np.arange(len(ends))
    number = np.empty(len(ends), dtype=np.int32)
    number[np.argsort(age, kind="stable")] = np.arange(len(ends))
    place = np.arange(len(first)) - begins[session]
    return number[session[moment]], place[moment]


def _distinct(session: Int32, place: Int64, item: Int32, weight: Float64) -> tuple[Int32, Int64, Int32, Float64]:
    """One entry per (session, item) in ascending order: the last place and the heaviest weight."""
    if not len(session):
        return session, place, item, weight
    keys = pair_keys(session, item, int(item.max()) + 1)
    order = np.lexsort((-place, keys))
    first = first_of_run(keys[order])
    taken = order[first]
    return session[taken], place[taken], item[taken], np.maximum.reduceat(weight[order], np.flatnonzero(first))
