"""From a question to what the model is asked: who, when, with which history and under which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from features.contracts.events import EventType
from features.contracts.ids import UNKNOWN, IdMap
from serving.engine.asking import Ask, Degraded
from serving.engine.histories import visitor_histories
from serving.engine.live_model import LiveModel
from serving.engine.names import filters_of, unknown_names
from serving.engine.placements import Placement
from serving.rules import NOTHING_BOUGHT, Purchases, RuleContext
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
class Inquiry:
    """A question as it came in, with what is to be known of its visitor and its moments in seconds since 1970."""

    ask: Ask
    visit: Visit
    placement: Placement
    as_of: int  # what the list is ranked for: under a stale model it lies before ``now``
    now: int
    request_id: str

    @property
    def in_view(self) -> list[RecentEvent]:
        """The items of the page, as what looking at them counts for."""
        kind = self.placement.context_event.code
        return [RecentEvent(item, kind, self.as_of, 1.0, None) for item in self.ask.item_ids]

    @property
    def own(self) -> list[RecentEvent]:
        """What the visitor did lately, and what the caller says that he just did."""
        return [
            *self.visit.recent,
            *(
                RecentEvent(
                    e.item_id,
                    e.event_type.code,
                    self.as_of if e.occurred_at is None else e.occurred_at,
                    e.quantity,
                    None,
                )
                for e in self.ask.session
            ),
        ]


@dataclass(frozen=True)
class Question:
    """Everything an answer is computed from."""

    n: int
    as_of: int
    histories: Histories  # of all questions that were prepared together
    row: int  # the question's own in ``histories``
    context: RuleContext
    known: bool
    unknown_items: tuple[str, ...]

    @property
    def history(self) -> Histories:
        """The question's own row."""
        return self.histories if len(self.histories) == 1 else self.histories.slice(self.row, self.row + 1)

    @property
    def has_history(self) -> bool:
        """Whether anything is known that the visitor did."""
        return bool(self.histories.indptr[self.row + 1] > self.histories.indptr[self.row])


def prepare(live: LiveModel, inquiries: Sequence[Inquiry]) -> list[Question]:
    """Put the histories of the visitors together and find what the rules need to know, for questions to one model.

    A user without personalisation is asked about with the items in view alone: the answer is the same for everybody
    on that page.
    """
    users = [_trained_index(live, each.visit) for each in inquiries]
    joined = visitor_histories(
        live.past,
        [user if each.visit.personal else UNKNOWN for user, each in zip(users, inquiries, strict=True)],
        [[*each.own, *each.in_view] if each.visit.personal else each.in_view for each in inquiries],
        as_of=[each.as_of for each in inquiries],
    )
    histories = _asked_from(joined.histories, inquiries, live.past)
    bought = _purchases(histories)
    return [
        _question(live, histories, row, inquiry, bought[row], joined.unknown_items[row], trained=users[row] != UNKNOWN)
        for row, inquiry in enumerate(inquiries)
    ]


def histories_of(questions: Sequence[Question]) -> Histories:
    """One row for each question: as they were prepared, where these are all that were prepared together."""
    histories = questions[0].histories
    if [each.row for each in questions if each.histories is histories] == list(range(len(histories))):
        return histories
    return Histories.joined([each.history for each in questions])


def _question(
    live: LiveModel,
    histories: Histories,
    row: int,
    inquiry: Inquiry,
    bought: Purchases,
    unknown_items: tuple[str, ...],
    *,
    trained: bool,
) -> Question:
    ask, visit = inquiry.ask, inquiry.visit
    n, facts = ask.n or inquiry.placement.n, live.facts.facts
    unknown = [item for item in ask.exclude if item not in live.past.items]
    names = unknown_names(ask.filters, facts.names)
    return Question(
        n=n,
        as_of=inquiry.as_of,
        histories=histories,
        row=row,
        context=RuleContext(
            facts=facts,
            as_of=inquiry.as_of,
            n=n,
            now=inquiry.now,
            request_id=inquiry.request_id,
            bought=bought,
            shown=_shown(live, visit.shown if visit.personal else (), inquiry.now),
            near=_near(live, ask.item_ids),
            excluded=_known_indices(live.past.items, (*ask.exclude, *ask.item_ids)),
            filters=filters_of(ask.filters, facts.names),
        ),
        known=trained or bool(visit.recent),
        unknown_items=tuple(dict.fromkeys((*unknown_items, *unknown, *names))),
    )


def _asked_from(histories: Histories, inquiries: Sequence[Inquiry], past: Interactions) -> Histories:
    """The questions with what callers say of their place and hour, in the codes of the model's log."""
    said = [(row, i.ask.context, i.now) for row, i in enumerate(inquiries) if i.visit.personal]
    contexts = [(row, context, now) for row, context, now in said if context is not None]
    if not contexts:
        return histories
    told = np.full((3, len(inquiries)), UNTOLD, dtype=np.int16)
    for row, context, now in contexts:
        hour = now % SECONDS_PER_DAY // 3600 if context.hour is None else context.hour
        told[:, row] = _code(context.channel, past.channel_names), _code(context.region, past.region_names), hour
    channel, region, hours = told
    return histories.asked_from(channel=channel, region=region, hour=hours)


def _code(name: str | None, names: tuple[str, ...]) -> int:
    return names.index(name) if name is not None and name in names else UNTOLD


def _trained_index(live: LiveModel, visit: Visit) -> int:
    """The user's index; of a merged user whom the model knows under another id only, that one's."""
    names = visit.members or (() if visit.user_id is None else (visit.user_id,))
    return next((index for name in names if (index := live.past.users.index(name)) != UNKNOWN), UNKNOWN)


def _purchases(histories: Histories) -> list[Purchases]:
    """What each row bought."""
    bought = (histories.kind == _PURCHASE).nonzero()[0]
    bounds = bought.searchsorted(histories.indptr).tolist()
    item, time = histories.item[bought], histories.time[bought]
    return [
        Purchases.of(item[low:high], time[low:high]) if low < high else NOTHING_BOUGHT for low, high in pairwise(bounds)
    ]


def _shown(live: LiveModel, impressions: Sequence[RecentEvent], now: int) -> dict[int, frozenset[int]]:
    """By days ago the items of the impressions, today being 0."""
    if not impressions:
        return {}
    today = now // SECONDS_PER_DAY
    found: dict[int, set[int]] = {}
    for event, item in zip(impressions, live.past.items.indices([e.item_id for e in impressions]), strict=True):
        ago = today - event.time // SECONDS_PER_DAY
        if item != UNKNOWN and 0 <= ago <= _SHOWN_DAYS:
            found.setdefault(ago, set()).add(int(item))
    return {ago: frozenset(items) for ago, items in found.items()}


def _near(live: LiveModel, item_ids: Sequence[str]) -> dict[str, dict[int, int]]:
    """By intent the neighbours of the items in view, nearest first, each with the item it is near."""
    if not item_ids:
        return {}
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
    if not ids:
        return frozenset()
    indices = items.indices(ids)
    return frozenset(np.asarray(indices)[indices != UNKNOWN].tolist())
