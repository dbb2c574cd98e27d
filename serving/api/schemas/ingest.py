"""Bodies of the calls that bring events, items, users and identities in."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from serving.api.fields import Amount, Id, Word
from serving.api.schemas.recommend import Request

_Text = Annotated[str, Field(max_length=512)]


class EventsRequest(Request):
    """A batch of events. Each is judged for itself: one bad row does not hold the others back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "event_id": "e-20260101-0001",
                            "event_type": "view",
                            "user_id": "1",
                            "item_id": "1082185",
                            "occurred_at": "2026-01-01T08:00:00Z",
                            "channel": "mini_program",
                        }
                    ]
                }
            ]
        }
    )

    events: Annotated[list[dict[str, Any]], Field(min_length=1)]
    """Rows of the event contract: event_id (idempotency key), event_type, user_id or anonymous_id, occurred_at, ..."""


class RowProblemOut(BaseModel):
    """What is wrong with one field of one row."""

    field: str
    message: str


class EventResultOut(BaseModel):
    """What became of one event of the batch."""

    index: int
    event_id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    errors: list[RowProblemOut]


class EventsOut(BaseModel):
    """Accepted events are on disk, and count in the next recommendation, when this answer leaves."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 1,
                    "duplicates": 0,
                    "rejected": 0,
                    "results": [{"index": 0, "event_id": "e-20260101-0001", "status": "accepted", "errors": []}],
                }
            ]
        }
    )

    accepted: int
    duplicates: int
    rejected: int
    results: list[EventResultOut]


class ItemIn(Request):
    """An item, or what changed of it: absent fields stay as they are, null empties a field."""

    item_id: Id
    title: _Text | None = None
    category: _Text | None = None
    brand: _Text | None = None
    shop: _Text | None = None
    price: Amount | None = None
    stock: Annotated[int, Field(ge=0, le=1_000_000_000_000)] | None = None
    """Pieces at hand; null: not tracked."""
    status: Word | None = None
    """``on_sale`` or null: may be shown. Anything else: not."""
    published_at: datetime | None = None


class ItemsRequest(Request):
    """Items to add or change."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"item_id": "1082185", "stock": 0, "status": "on_sale"}]}]}
    )

    items: Annotated[list[ItemIn], Field(min_length=1)]


class UserIn(Request):
    """A user, or what changed: absent fields stay as they are."""

    user_id: Id
    registered_at: datetime | None = None
    source_channel: Word | None = None
    member_level: Word | None = None
    demographics: Annotated[dict[Word, _Text], Field(max_length=50)] | None = None
    identities: Annotated[dict[Word, _Text], Field(max_length=20)] | None = None
    """Kind (openid, unionid, alipay_id, phone, member_id, ...) to value; kept as keyed hashes only. Users who share one
    are one user."""
    consent_personalization: bool | None = None
    consent_marketing: bool | None = None


class UsersRequest(Request):
    """Users to add or change."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"users": [{"user_id": "1", "member_level": "V2"}]}]})

    users: Annotated[list[UserIn], Field(min_length=1)]


class ChangedOut(BaseModel):
    """How many were written."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"changed": 1}]})

    changed: int


class MergeRequest(Request):
    """A visitor logged in, or two users turned out to be one person."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"anonymous_id": "a-77", "user_id": "1"}]})

    user_id: Id
    anonymous_id: Id | None = None
    other_user_id: Id | None = None
    """Give this or `anonymous_id`."""
    reason: _Text | None = None
    """Why the two users are one; needed with `other_user_id`, kept with the merge."""

    @model_validator(mode="after")
    def _one_merge(self) -> "MergeRequest":
        if (self.anonymous_id is None) == (self.other_user_id is None):
            raise ValueError("give either anonymous_id or other_user_id")
        if self.other_user_id is not None and not (self.reason or "").strip():
            raise ValueError("give a reason for merging two users")
        return self


class MergeOut(BaseModel):
    """What a merge did."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "1", "changed": True, "moved": 3, "previous_user_id": None}]}
    )

    user_id: str
    """The user for whom all of it counts: of merged users the one first known."""
    changed: bool
    """False: it was so already, nothing was written."""
    moved: int
    """Events of the anonymous visit that now count for the user."""
    previous_user_id: str | None
    """Set when the anonymous id belonged to another user before: a shared device."""


class ConsentRequest(Request):
    """What a user allows; an absent field stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"personalization": False}]})

    personalization: bool | None = None
    marketing: bool | None = None


class ConsentOut(BaseModel):
    """What now holds; null: never asked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "1", "personalization": False, "marketing": None}]}
    )

    user_id: str
    personalization: bool | None
    marketing: bool | None
