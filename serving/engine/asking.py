"""Questions to the engine and its answers, as plain data."""

from dataclasses import dataclass, field
from enum import StrEnum

from features.contracts.events import EventType
from serving.rules import Text
from serving.store.protocol import Visitor


class Degraded(StrEnum):
    """What an answer was made without."""

    REALTIME_STATE = "realtime_state"  # the online store did not answer: events since the training are missing
    RANKING = "ranking"  # the ranked list failed or is empty: trending items instead
    RANKER = "ranker"  # the ranker failed: the blend of the candidate sources ranked
    DEADLINE = "deadline"  # time ran short: the blend ranked, or trending items were taken
    STALE_MODEL = "stale_model"  # the model's data ended long ago; answered as of that end
    NO_MODEL = "no_model"  # nothing is deployed


@dataclass(frozen=True)
class SessionEvent:
    """Something the visitor just did that the caller hands over with the question."""

    item_id: str
    event_type: EventType = EventType.VIEW
    occurred_at: int | None = None  # seconds since 1970; None: now
    quantity: float = 1.0


@dataclass(frozen=True)
class RequestedFilters:
    """Restrictions in the mall's words. A category matches itself and everything below it."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None


@dataclass(frozen=True)
class AskedFrom:
    """Where and when a visitor asks, as far as the caller knows. What the model has never met has no effect."""

    channel: str | None = None
    region: str | None = None
    hour: int | None = None  # of the day, UTC; None: that of the moment


@dataclass(frozen=True)
class Ask:
    """One question for recommendations."""

    visitor: Visitor | None = None  # None: nobody in particular
    placement: str | None = None
    n: int | None = None
    item_ids: tuple[str, ...] = ()  # items in view or in the cart: they steer the answer and are not part of it
    session: tuple[SessionEvent, ...] = ()
    exclude: tuple[str, ...] = ()
    filters: RequestedFilters = RequestedFilters()
    context: AskedFrom | None = None
    explain: bool = False
    as_of: int | None = None  # seconds since 1970; None: now


@dataclass(frozen=True)
class Dropped:
    """An item that a rule took out."""

    item_id: str
    rule: str
    reason: Text


@dataclass(frozen=True)
class RecommendedItem:
    """One place of an answer."""

    item_id: str
    score: float | None  # comparable within one answer only; None for an item that fills a place (trending)
    source: str  # the candidate source that spoke loudest for the item
    reason: Text
    title: str | None = None
    sources: dict[str, float] = field(default_factory=dict)  # with explain: every source's score
    propensity: float | None = None  # where the placement explores: the probability with which it stands there


@dataclass(frozen=True)
class Recommendation:
    """An answer. ``request_id`` is to be echoed in the events that follow from it."""

    request_id: str
    model_version: str | None
    user_id: str | None
    placement: str
    known: bool  # the model or the store has seen events of this visitor
    personalized: bool  # False when the user switched personalisation off, or nothing personal is known
    degraded: tuple[Degraded, ...]
    items: tuple[RecommendedItem, ...]
    unknown_items: tuple[str, ...] = ()  # ids of the question that the model does not know
    dropped: tuple[Dropped, ...] = ()  # with explain


@dataclass(frozen=True)
class ItemList:
    """An answer that is about no user: similar items, trending items."""

    request_id: str
    model_version: str | None
    known: bool
    degraded: tuple[Degraded, ...]
    items: tuple[RecommendedItem, ...]
