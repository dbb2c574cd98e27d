"""What is known of visitors at the moment of their questions: the bundle's histories and what came in since."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.contracts.ids import UNKNOWN
from serving.store.protocol import RecentEvent
from training.interactions import Histories, Int64, Interactions


@dataclass(frozen=True)
class VisitorHistories:
    """Events of several visitors, and what could not be used."""

    histories: Histories  # one row per visitor
    unknown_items: tuple[tuple[str, ...], ...]  # per visitor the item ids of recent events that the model does not know


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A recent event that the bundle was not trained on."""

    row: int
    item: int
    event: RecentEvent


def visitor_histories(
    past: Interactions, users: Sequence[int], recent: Sequence[Sequence[RecentEvent]], as_of: Sequence[int]
) -> VisitorHistories:
    """Join the events of each of ``users`` (an index of ``past``, or -1) with his ``recent`` ones, strictly before the
    moment of his question (``as_of``, seconds since 1970).

    A recent event that the bundle was already trained on counts once. Recent events at or after ``as_of`` count as of
    the second before it: the moment of a question is never earlier than what the caller just told us.
    """
    known = past.histories(np.array(users, dtype=np.int32), np.array(as_of, dtype=np.int64))
    told = [event for events in recent for event in events]
    if not told:
        return VisitorHistories(known, ((),) * len(users))
    items = iter(past.items.indices([event.item_id for event in told]).tolist())
    fresh: list[_Fresh] = []
    unknown: list[tuple[str, ...]] = []
    for row, events in enumerate(recent):
        found = [(next(items), event) for event in events]
        trained = _trained(known, row, min((event.time for event in events), default=0))
        fresh += [
            _Fresh(row, item, event)
            for item, event in found
            if item != UNKNOWN and (item, event.kind, event.time) not in trained
        ]
        unknown.append(tuple(dict.fromkeys(event.item_id for item, event in found if item == UNKNOWN)))
    return VisitorHistories(_joined(known, fresh, as_of) if fresh else known, tuple(unknown))


def _trained(known: Histories, row: int, since: int) -> set[tuple[int, int, int]]:
    """Item, kind and time of the events of a row from ``since`` on."""
    low, high = int(known.indptr[row]), int(known.indptr[row + 1])
    low += int(known.time[low:high].searchsorted(since))
    part = slice(low, high)
    return set(zip(known.item[part].tolist(), known.kind[part].tolist(), known.time[part].tolist(), strict=True))


def _joined(known: Histories, fresh: Sequence[_Fresh], as_of: Sequence[int]) -> Histories:
    """The rows of ``known`` with the ``fresh`` events at their place in time, after those of the same second."""
    row = np.array([each.row for each in fresh], dtype=np.int32)
    late = np.array([min(each.event.time, as_of[each.row] - 1) for each in fresh], dtype=np.int64)
    time = np.concatenate([known.time, late])
    order = np.lexsort((time, np.concatenate([known.row, row])))
    indptr = known.indptr.copy()
    indptr[1:] += np.cumsum(np.bincount(row, minlength=len(known)))

    def column(before: np.ndarray, values: list[float]) -> np.ndarray:
        return np.concatenate([before, np.array(values, dtype=before.dtype)])[order]

    return Histories(
        user=known.user,
        as_of=known.as_of,
        indptr=indptr,
        item=column(known.item, [each.item for each in fresh]),
        kind=column(known.kind, [each.event.kind for each in fresh]),
        time=time[order],
        quantity=column(known.quantity, [each.event.quantity for each in fresh]),
        basket=np.concatenate([known.basket, _baskets(known, fresh)])[order],
        clock=known.clock,
        channel=known.channel,
        region=known.region,
    )


def _baskets(known: Histories, fresh: Sequence[_Fresh]) -> Int64:
    """A code for each order of a visitor that no event of the bundle has; -1 without an order."""
    codes: dict[tuple[int, str], int] = {}
    first = int(known.basket.max(initial=-1)) + 1
    return np.array(
        [
            UNKNOWN
            if each.event.order_id is None
            else codes.setdefault((each.row, each.event.order_id), first + len(codes))
            for each in fresh
        ],
        dtype=np.int64,
    )
