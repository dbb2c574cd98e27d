"""What is known of one visitor at the moment of a question: the bundle's history and what came in since."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.contracts.ids import UNKNOWN
from serving.store.protocol import RecentEvent
from training.interactions import Histories, Interactions


@dataclass(frozen=True)
class VisitorHistory:
    """One visitor's events as a batch of one, and what could not be used."""

    histories: Histories  # one row
    unknown_items: tuple[str, ...]  # item ids of recent events that the model does not know


def visitor_history(past: Interactions, user: int, recent: Sequence[RecentEvent], *, as_of: int) -> VisitorHistory:
    """Join the events of ``user`` (an index of ``past``, or -1) with ``recent`` ones, strictly before ``as_of``.

    A recent event that the bundle was already trained on counts once. Recent events at or after ``as_of`` count as of
    the second before it: the moment of a question is never earlier than what the caller just told us.
    """
    known = past.histories(np.array([user], dtype=np.int32), as_of)
    if not recent:
        return VisitorHistory(known, ())
    items = past.items.indices([event.item_id for event in recent])
    unknown = tuple(dict.fromkeys(e.item_id for e, i in zip(recent, items, strict=True) if i == UNKNOWN))
    trained = set(zip(known.item.tolist(), known.kind.tolist(), known.time.tolist(), strict=True))
    fresh = [
        (int(item), event)
        for item, event in zip(items, recent, strict=True)
        if item != UNKNOWN and (int(item), event.kind, event.time) not in trained
    ]
    orders = {order: code for code, order in enumerate(dict.fromkeys(e.order_id for _, e in fresh if e.order_id))}
    first_code = int(known.basket.max(initial=-1)) + 1
    basket = [UNKNOWN if e.order_id is None else first_code + orders[e.order_id] for _, e in fresh]
    time = np.concatenate([known.time, np.array([min(e.time, as_of - 1) for _, e in fresh], dtype=np.int64)])
    order = np.argsort(time, kind="stable")
    joined = Histories(
        user=known.user,
        as_of=known.as_of,
        indptr=np.array([0, len(order)], dtype=np.int64),
        item=np.concatenate([known.item, np.array([i for i, _ in fresh], dtype=np.int32)])[order],
        kind=np.concatenate([known.kind, np.array([e.kind for _, e in fresh], dtype=np.int8)])[order],
        time=time[order],
        quantity=np.concatenate([known.quantity, np.array([e.quantity for _, e in fresh], dtype=np.float32)])[order],
        basket=np.concatenate([known.basket, np.array(basket, dtype=np.int64)])[order],
        clock=known.clock,
        channel=known.channel,
        region=known.region,
    )
    return VisitorHistory(joined, unknown)
