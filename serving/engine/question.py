"""From a question to what the model is asked: who, when, with which history and under which rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.contracts.events import EventType
from features.contracts.ids import UNKNOWN, IdMap
from serving.engine.asking import Ask, Degraded
from serving.engine.histories import visitor_history
from serving.engine.live_model import LiveModel
from serving.engine.placements import Placement
from serving.rules import RuleContext
from serving.store.protocol import RecentEvent
from training.interactions import Histories

_PURCHASE = EventType.PURCHASE.code


@dataclass(frozen=True)
class Visit:
    """What the store and the bundle say of the one who asks."""

    user_id: str | None  # the user, also of a visitor or another user who was merged into one
    recent: Sequence[RecentEvent] = ()
    personal: bool = True  # False: personalisation was switched off
    degraded: tuple[Degraded, ...] = ()
    members: tuple[str, ...] = ()  # every id of a merged user, his own first


@dataclass(frozen=True)
class Question:
    """Everything an answer is computed from."""

    n: int
    as_of: int
    history: Histories  # one row
    context: RuleContext
    known: bool
    unknown_items: tuple[str, ...]


def prepare(ask: Ask, visit: Visit, live: LiveModel, placement: Placement, as_of: int) -> Question:
    """Put the visitor's history together and find what the rules need to know.

    A user without personalisation is asked about with the items in view alone: the answer is the same for everybody
    on that page.
    """
    shown = [RecentEvent(item, placement.context_event.code, as_of, 1.0, None) for item in ask.item_ids]
    told = [
        RecentEvent(e.item_id, e.event_type.code, as_of if e.occurred_at is None else e.occurred_at, e.quantity, None)
        for e in ask.session
    ]
    user = _trained_index(live, visit)
    own = [*visit.recent, *told] if visit.personal else []
    joined = visitor_history(live.past, user if visit.personal else UNKNOWN, [*own, *shown], as_of=as_of)
    history = joined.histories
    excluded = [*ask.exclude, *ask.item_ids]
    unknown = [item for item in ask.exclude if item not in live.past.items]
    return Question(
        n=ask.n or placement.n,
        as_of=as_of,
        history=history,
        context=RuleContext(
            facts=live.facts.facts,
            as_of=as_of,
            n=ask.n or placement.n,
            bought=_last_purchases(history),
            excluded=_known_indices(live.past.items, excluded),
            filters=live.names.filters(ask.filters),
        ),
        known=user != UNKNOWN or bool(visit.recent),
        unknown_items=tuple(dict.fromkeys([*joined.unknown_items, *unknown, *live.names.unknown(ask.filters)])),
    )


def _trained_index(live: LiveModel, visit: Visit) -> int:
    """The user's index; of a merged user whom the model knows under another id only, that one's."""
    names = visit.members or (() if visit.user_id is None else (visit.user_id,))
    return next((index for name in names if (index := live.past.users.index(name)) != UNKNOWN), UNKNOWN)


def _last_purchases(history: Histories) -> dict[int, int]:
    bought = history.kind == _PURCHASE
    # Oldest first, so the last purchase of an item is the one that stays.
    return dict(zip(history.item[bought].tolist(), history.time[bought].tolist(), strict=True))


def _known_indices(items: IdMap, ids: Sequence[str]) -> frozenset[int]:
    indices = items.indices(list(ids))
    return frozenset(np.asarray(indices)[indices != UNKNOWN].tolist())
