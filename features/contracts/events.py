"""The event contract: the closed set of event types and the Arrow schema of the lake."""

from enum import StrEnum
from typing import Final

import pyarrow as pa

from features.contracts import columns as c


class EventType(StrEnum):
    """What a user (or the mall towards a user) did. The set is closed; position is the stored code."""

    IMPRESSION = "impression"
    VIEW = "view"
    CLICK = "click"
    DWELL = "dwell"
    SEARCH = "search"
    FAVORITE = "favorite"
    CART_ADD = "cart_add"
    CART_REMOVE = "cart_remove"
    ORDER = "order"
    PURCHASE = "purchase"
    REFUND = "refund"
    REVIEW = "review"
    SHARE = "share"
    INVITE = "invite"
    SESSION_START = "session_start"
    ARTICLE_READ = "article_read"
    COUPON_RECEIVE = "coupon_receive"
    COUPON_REDEEM = "coupon_redeem"
    MESSAGE_SENT = "message_sent"
    MESSAGE_OPEN = "message_open"

    @property
    def code(self) -> int:
        """The small integer that arrays and bundles carry in place of the word."""
        return _CODES[self]


_CODES: Final = {kind: code for code, kind in enumerate(EventType)}
EVENT_TYPES: Final = tuple(EventType)

#: Types that show interest of a user in one item, the input of recommendation models.
ITEM_EVENTS: Final = (
    EventType.VIEW,
    EventType.CLICK,
    EventType.FAVORITE,
    EventType.CART_ADD,
    EventType.PURCHASE,
)


class Activity(StrEnum):
    """A word for every type of event that is something the user did."""

    ANY = "activity"


#: What may count as a sign of life of a user: one type of event, or anything he did.
SignOfLife = EventType | Activity

#: Things the mall did to a user. They are no sign that the user is active.
MALL_INITIATED: Final = (EventType.IMPRESSION, EventType.MESSAGE_SENT)

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")

#: One row of the lake. ``properties`` is flat JSON text.
EVENT_SCHEMA: Final = pa.schema(
    [
        pa.field(c.EVENT_ID, pa.string(), nullable=False),
        pa.field(c.EVENT_TYPE, pa.string(), nullable=False),
        pa.field(c.USER_ID, pa.string()),
        pa.field(c.ANONYMOUS_ID, pa.string()),
        pa.field(c.ITEM_ID, pa.string()),
        pa.field(c.OCCURRED_AT, TIMESTAMP),
        pa.field(c.RECEIVED_AT, TIMESTAMP),
        pa.field(c.SESSION_ID, pa.string()),
        pa.field(c.CHANNEL, pa.string()),
        pa.field(c.PLACEMENT, pa.string()),
        pa.field(c.REQUEST_ID, pa.string()),
        pa.field(c.ORDER_ID, pa.string()),
        pa.field(c.QUANTITY, pa.float64()),
        pa.field(c.AMOUNT, pa.float64()),
        pa.field(c.CURRENCY, pa.string()),
        pa.field(c.PROPERTIES, pa.string()),
    ]
)
