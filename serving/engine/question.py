"""From a question to what the model is asked: who, when, with which history and under which rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.contracts.events import EventType
from features.contracts.ids import UNKNOWN, IdMap
from serving.engine.asking import Ask, AskedFrom, Degraded
from serving.engine.histories import visitor_history
from serving.engine.live_model import LiveModel
from serving.engine.names import filters_of, unknown_names
from serving.engine.placements import Placement
from serving.rules import Purchases, RuleContext
from serving.store.protocol import RecentEvent
from training.interactions import SECONDS_PER_DAY, UNTOLD, Histories, Interactions
from training.models.recommender import Intent

_PURCHASE = EventType.PURCHASE.code
_INTENTS: tuple[Intent, ...] = ("similar", "complementary")
#: Items in view whose neighbours are looked up, the newest ones, and neighbours of each.
_IN_VIEW, _NEIGHBOURS = 10, 30
#: Days for which rules may ask what was shown.
_SHOWN_DAYS = 7


@dataclass(frozen=True)
class Visit:
    """What the store and the bundle say of the one who asks."""

    user_id: str | None  # the user, also of a visitor or another user who was merged into one
    recent: Sequence[RecentEvent] = ()
    shown: Sequence[RecentEvent] = ()  # impressions
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


def prepare(
    ask: Ask, visit: Visit, live: LiveModel, placement: Placement, *, as_of: int, now: int, request_id: str
) -> Question:
    """Put the visitor's history together and find what the rules need to know.

    The list is ranked for ``as_of``, which under a stale model lies before ``now``; both in seconds since 1970.

    A user without personalisation is asked about with the items in view alone: the answer is the same for everybody
    on that page.
    """
    in_view = [RecentEvent(item, placement.context_event.code, as_of, 1.0, None) for item in ask.item_ids]
    told = [
        RecentEvent(e.item_id, e.event_type.code, as_of if e.occurred_at is None else e.occurred_at, e.quantity, None)
        for e in ask.session
    ]
    user = _trained_index(live, visit)
    own = [*visit.recent, *told] if visit.personal else []
    joined = visitor_history(live.past, user if visit.personal else UNKNOWN, [*own, *in_view], as_of=as_of)
    history = _asked_from(joined.histories, ask.context if visit.personal else None, live.past, now)
    excluded = [*ask.exclude, *ask.item_ids]
    names = live.facts.facts.names
    unknown = [item for item in ask.exclude if item not in live.past.items]
    return Question(
        n=ask.n or placement.n,
        as_of=as_of,
        history=history,
        context=RuleContext(
            facts=live.facts.facts,
            as_of=as_of,
            n=ask.n or placement.n,
            now=now,
            request_id=request_id,
            bought=_purchases(history),
            shown=_shown(live, visit.shown if visit.personal else (), now),
            near=_near(live, ask.item_ids),
            excluded=_known_indices(live.past.items, excluded),
            filters=filters_of(ask.filters, names),
        ),
        known=user != UNKNOWN or bool(visit.recent),
        unknown_items=tuple(dict.fromkeys([*joined.unknown_items, *unknown, *unknown_names(ask.filters, names)])),
    )


def _asked_from(history: Histories, context: AskedFrom | None, past: Interactions, now: int) -> Histories:
    """The question with what the caller says of its place and hour, in the codes of the model's log."""
    if context is None:
        return history
    return history.asked_from(
        channel=_code(context.channel, past.channel_names),
        region=_code(context.region, past.region_names),
        hour=now % SECONDS_PER_DAY // 3600 if context.hour is None else context.hour,
    )


def _code(name: str | None, names: tuple[str, ...]) -> int:
    return names.index(name) if name is not None and name in names else UNTOLD


def _trained_index(live: LiveModel, visit: Visit) -> int:
    """The user's index; of a merged user whom the model knows under another id only, that one's."""
    names = visit.members or (() if visit.user_id is None else (visit.user_id,))
    return next((index for name in names if (index := live.past.users.index(name)) != UNKNOWN), UNKNOWN)


def _purchases(history: Histories) -> Purchases:
    bought = history.kind == _PURCHASE
    return Purchases.of(history.item[bought], history.time[bought])


def _shown(live: LiveModel, impressions: Sequence[RecentEvent], now: int) -> dict[int, frozenset[int]]:
    """By days ago the items of the impressions, today being 0."""
    today = now // SECONDS_PER_DAY
    found: dict[int, set[int]] = {}
    for event, item in zip(impressions, live.past.items.indices([e.item_id for e in impressions]), strict=True):
        ago = today - event.time // SECONDS_PER_DAY
        if item != UNKNOWN and 0 <= ago <= _SHOWN_DAYS:
            found.setdefault(ago, set()).add(int(item))
    return {ago: frozenset(items) for ago, items in found.items()}


def _near(live: LiveModel, item_ids: Sequence[str]) -> dict[str, dict[int, int]]:
    """By intent the neighbours of the items in view, nearest first, each with the item it is near."""
    in_view = [item for item in live.past.items.indices(item_ids[-_IN_VIEW:]).tolist() if item != UNKNOWN]
    near: dict[str, dict[int, int]] = {}
    for intent in _INTENTS if in_view else ():
        found = [live.recommender.similar(item, _NEIGHBOURS, intent).item.tolist() for item in in_view]
        near[intent] = {
            neighbour: item
            for place in range(_NEIGHBOURS)
            for item, neighbours in zip(in_view, found, strict=True)
            if place < len(neighbours) and (neighbour := neighbours[place]) not in in_view
        }
    return near


def _known_indices(items: IdMap, ids: Sequence[str]) -> frozenset[int]:
    indices = items.indices(list(ids))
    return frozenset(np.asarray(indices)[indices != UNKNOWN].tolist())
