"""Bodies of the recommendation calls."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.contracts.events import EventType
from serving.api.examples.recommend import RECOMMENDED, TRENDING
from serving.api.fields import Amount, Count, Id, Word
from serving.engine.asking import Ask, AskedFrom, RequestedFilters, SessionEvent
from serving.store.protocol import Visitor

_LONGEST_CONTEXT = 50
_LONGEST_LIST = 1000

Ids = Annotated[list[Id], Field(max_length=_LONGEST_LIST)]


class Request(BaseModel):
    """Base of every request body: unknown keys are refused, so that a misspelt one is not silently without effect."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class SessionEventIn(Request):
    """Something the visitor just did, handed over with the question. It is not stored: post events for that."""

    item_id: Id
    event_type: EventType = EventType.VIEW
    occurred_at: datetime | None = None
    """Absent: now."""
    quantity: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1.0


class FiltersIn(Request):
    """Restrictions on the answer. An item whose fact is unknown does not pass a filter on it."""

    categories: Annotated[list[Word | Annotated[str, Field(max_length=256)]], Field(max_length=100)] = []
    """Category paths such as ``GROCERY > FROZEN``; each matches itself and everything below."""
    brands: Annotated[list[Word], Field(max_length=100)] = []
    price_min: Amount | None = None
    price_max: Amount | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "FiltersIn":
        if self.price_min is not None and self.price_max is not None and self.price_min > self.price_max:
            raise ValueError("price_min must not be above price_max")
        return self


class Context(BaseModel):
    """Where and when the visitor asks. It decides what is popular for those of whom little is known.

    The one declaration of it: parameters of the GET, and ``context`` in the body of the POST.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    channel: Word | None = None
    """As in the ``channel`` of events: ``mini_program``. Absent: that of his newest event."""
    region: Word | None = None
    """As in the ``city`` of users' demographics. Absent: that of the user."""
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    """Hour of the day in UTC, as the times of events are. Absent: that of the question."""

    @property
    def said(self) -> bool:
        """Whether anything is said at all: parameters that are left out are no context."""
        return any(value is not None for _, value in self)

    def asked_from(self) -> AskedFrom:
        """The engine's form of it."""
        return AskedFrom(self.channel, self.region, self.hour)


class ContextIn(Context, Request):
    """Where and when the visitor asks, as a part of a body."""


class RecommendationRequest(Request):
    """A question for recommendations with everything the caller knows."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "1",
                    "placement": "cart",
                    "n": 5,
                    "item_ids": ["1082185"],
                    "session": [{"item_id": "995242", "event_type": "view"}],
                    "filters": {"price_max": 20},
                    "exclude": ["981760"],
                    "explain": True,
                }
            ]
        }
    )

    user_id: Id | None = None
    anonymous_id: Id | None = None
    """A visitor who has not logged in. With neither id the answer is about nobody in particular."""
    placement: Word | None = None
    n: Count | None = None
    """Absent: the placement's own number, 5 unless configured."""
    item_ids: Annotated[list[Id], Field(max_length=_LONGEST_CONTEXT)] = []
    """Items in view or in the cart: they steer the answer and are not part of it."""
    session: Annotated[list[SessionEventIn], Field(max_length=_LONGEST_CONTEXT)] = []
    filters: FiltersIn = FiltersIn()
    context: ContextIn | None = None
    """It decides what is popular for those of whom little is known."""
    exclude: Ids = []
    explain: bool = False
    """Adds every source's score per item and what the rules took out."""

    @model_validator(mode="after")
    def _one_visitor(self) -> "RecommendationRequest":
        if self.user_id is not None and self.anonymous_id is not None:
            raise ValueError("give user_id or anonymous_id, not both; POST /v1/identities/merge joins them")
        return self

    def ask(self) -> Ask:
        """The engine's form of the question."""
        return Ask(
            visitor=visitor_of(self.user_id, self.anonymous_id),
            placement=self.placement,
            n=self.n,
            item_ids=tuple(self.item_ids),
            session=tuple(
                SessionEvent(
                    e.item_id,
                    e.event_type,
                    None if e.occurred_at is None else int(e.occurred_at.timestamp()),
                    e.quantity,
                )
                for e in self.session
            ),
            exclude=tuple(self.exclude),
            filters=RequestedFilters(
                tuple(self.filters.categories),
                tuple(self.filters.brands),
                self.filters.price_min,
                self.filters.price_max,
            ),
            context=None if self.context is None else self.context.asked_from(),
            explain=self.explain,
        )


class RankRequest(Request):
    """A list to put in order for one visitor."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "1", "item_ids": ["1082185", "995242", "981760"]}]}
    )

    user_id: Id | None = None
    anonymous_id: Id | None = None
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=_LONGEST_LIST)]

    @model_validator(mode="after")
    def _one_visitor(self) -> "RankRequest":
        if self.user_id is not None and self.anonymous_id is not None:
            raise ValueError("give user_id or anonymous_id, not both")
        return self


class TextOut(BaseModel):
    """The same words in English and Chinese."""

    en: str
    zh: str


class ItemOut(BaseModel):
    """One recommended item."""

    item_id: str
    score: float | None
    """Comparable within one answer only; null for a trending item that fills a place."""
    source: str
    """The candidate source that spoke loudest for the item."""
    reason: TextOut
    title: str | None
    sources: dict[str, float]
    """With explain: the score of every source that proposed the item."""
    propensity: float | None
    """Where the placement explores, the probability with which the item stands at its place; null elsewhere."""


class DroppedOut(BaseModel):
    """An item that a rule took out of the answer."""

    item_id: str
    rule: str
    reason: TextOut


class RecommendationOut(BaseModel):
    """Recommended items, best first. Echo ``request_id`` in the events that follow from them."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECOMMENDED]})

    request_id: str
    model_version: str | None
    user_id: str | None
    placement: str
    known: bool
    personalized: bool
    degraded: list[str]
    """What the answer was made without: realtime_state, ranking, stale_model, no_model. Empty when all was well."""
    items: list[ItemOut]
    unknown_items: list[str]
    """Ids of the request that the model does not know; they had no effect."""
    dropped: list[DroppedOut]


class ItemListOut(BaseModel):
    """Items that are about no user."""

    model_config = ConfigDict(json_schema_extra={"examples": [TRENDING]})

    request_id: str
    model_version: str | None
    known: bool
    degraded: list[str]
    items: list[ItemOut]


def visitor_of(user_id: str | None, anonymous_id: str | None) -> Visitor | None:
    """The visitor of a request, or None for nobody in particular."""
    if user_id is None and anonymous_id is None:
        return None
    return Visitor(user_id=user_id, anonymous_id=anonymous_id)
