"""The bases themselves. A tag names the one it needs by the annotation of its parameter."""

from collections.abc import Iterable
from typing import ClassVar, Final

import ibis

from features.contracts import columns as c
from features.contracts.events import EVENT_TYPES, ITEM_EVENTS, MALL_INITIATED, EventType
from features.tags.spec.base import Base, Days, Folded, days_before
from features.tags.spec.columns import (
    AGE,
    DEPARTMENT,
    HOUR,
    ORDER_KEY,
    Column,
    Lineage,
    count,
    distinct,
    first,
    last,
    total,
)
from features.tags.spec.keyed import Keyed, Sum
from features.tags.spec.vocabulary import Value
from features.tags.spec.windows import Window

#: What a user does himself. A user is active when one of these happens.
USER_INITIATED: Final = tuple(kind for kind in EVENT_TYPES if kind not in MALL_INITIATED)


class UserDays(Folded):
    """One row per user and UTC day on which anything happened to him."""

    table = "user_days"

    actions = count(*USER_INITIATED)
    impressions = count(EventType.IMPRESSION)
    views = count(EventType.VIEW)
    clicks = count(EventType.CLICK)
    dwells = count(EventType.DWELL)
    searches = count(EventType.SEARCH)
    favorites = count(EventType.FAVORITE)
    cart_adds = count(EventType.CART_ADD)
    cart_removes = count(EventType.CART_REMOVE)
    orders_placed = count(EventType.ORDER)
    purchases = count(EventType.PURCHASE)
    refunds = count(EventType.REFUND)
    reviews = count(EventType.REVIEW)
    shares = count(EventType.SHARE)
    invites = count(EventType.INVITE)
    session_starts = count(EventType.SESSION_START)
    articles_read = count(EventType.ARTICLE_READ)
    coupons_received = count(EventType.COUPON_RECEIVE)
    coupons_redeemed = count(EventType.COUPON_REDEEM)
    messages_sent = count(EventType.MESSAGE_SENT)
    messages_opened = count(EventType.MESSAGE_OPEN)

    orders = distinct(ORDER_KEY, EventType.PURCHASE, reads=(c.ORDER_ID, c.EVENT_ID))
    sessions = distinct(c.SESSION_ID, *USER_INITIATED)
    spend = total(c.AMOUNT, EventType.PURCHASE)
    pieces = total(c.QUANTITY, EventType.PURCHASE, missing=1.0)
    refunded = total(c.AMOUNT, EventType.REFUND)

    since_first_action = first(*USER_INITIATED)
    since_action = last(*USER_INITIATED)
    since_first_purchase = first(EventType.PURCHASE)
    since_purchase = last(EventType.PURCHASE)
    since_view = last(EventType.VIEW)
    since_cart_add = last(EventType.CART_ADD)
    since_search = last(EventType.SEARCH)
    since_refund = last(EventType.REFUND)
    since_share = last(EventType.SHARE)
    since_coupon = last(EventType.COUPON_REDEEM)
    since_message_sent = last(EventType.MESSAGE_SENT)
    since_message_opened = last(EventType.MESSAGE_OPEN)


class UserOrders(Folded):
    """One row per user, UTC day and paid order."""

    table = "user_orders"
    keys = (ORDER_KEY,)
    only = (EventType.PURCHASE,)

    order_key = Column("string", "the order, or the purchase event where it names none")
    lines = count(EventType.PURCHASE)
    spend = total(c.AMOUNT, EventType.PURCHASE)
    pieces = total(c.QUANTITY, EventType.PURCHASE, missing=1.0)


class UserItemDays(Folded):
    """One row per user, UTC day and item he showed interest in."""

    table = "user_item_days"
    keys = (c.ITEM_ID,)
    required = (c.USER_ID, c.ITEM_ID)
    only = ITEM_EVENTS

    item_id = Column("string", "the item")
    touches = count(*ITEM_EVENTS)
    views = count(EventType.VIEW, EventType.CLICK)
    wishes = count(EventType.FAVORITE, EventType.CART_ADD)
    purchases = count(EventType.PURCHASE)
    spend = total(c.AMOUNT, EventType.PURCHASE)


class UserHours(Folded):
    """One row per user, UTC day, channel and hour in which he was active."""

    table = "user_hours"
    keys = (c.CHANNEL, HOUR)
    only = USER_INITIATED

    channel = Column("string", "where it happened; null when the event does not say")
    hour = Column("int64", "0 .. 23, UTC")
    actions = count(*USER_INITIATED)
    purchases = count(EventType.PURCHASE)


class _GapDays(Days):
    """Some of the days of :class:`UserDays`, each with the gap to the one before."""

    table = UserDays.table
    #: A day counts when this measure is above 0.
    happened: ClassVar[str]

    age = Column("int64", "whole days before the day of as_of")
    gap = Column("int64", "days since the day before of this kind; null on the first")

    @classmethod
    def relation(cls, windows: Iterable[Window]) -> Value:
        days = UserDays.relation(())
        days = days.filter(days[cls.happened] > 0)
        before = days[AGE].lag().over(ibis.window(group_by=days[c.USER_ID], order_by=days[AGE].desc()))
        return days.select(c.USER_ID, AGE, gap=before - days[AGE])

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        return UserDays.measures()[cls.happened].lineage | Lineage(columns=frozenset({c.OCCURRED_AT}))


class ActiveDays(_GapDays):
    """The days on which the user did something himself, and the gap to the one before."""

    happened = "actions"


class PurchaseDays(_GapDays):
    """The days with a purchase, and the gap to the one before."""

    happened = "purchases"


class QuietDays(Days):
    """The days of :class:`UserDays` after the last one on which the user did something himself."""

    table = UserDays.table

    age = Column("int64", "whole days before the day of as_of")
    messages_sent = Column("int64", "messages the mall sent")
    impressions = Column("int64", "impressions the mall made")

    @classmethod
    def relation(cls, windows: Iterable[Window]) -> Value:
        days = UserDays.relation(())
        acted = ibis.ifelse(days.actions > 0, days[AGE], ibis.null("int64"))
        last_acted = acted.min().over(ibis.window(group_by=days[c.USER_ID]))
        days = days.mutate(last_acted=last_acted)
        return days.filter(days[AGE] < days.last_acted).select(c.USER_ID, *cls.columns())

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        return UserDays.lineage_of(UserDays.columns()[column.name]) | UserDays.lineage_of(UserDays.since_action)


class _Interests(Keyed):
    over = UserItemDays
    touches = Sum()
    views = Sum()
    wishes = Sum()
    purchases = Sum()
    spend = Sum()

    @property
    def interest(self) -> Value:
        """Strength of interest: a view or click counts 1, a favourite or cart-add 3, a bought line 5.

        The weights are ours: they only order keys of one user, and whole numbers keep ties exact.
        """
        return self.views + 3 * self.wishes + 5 * self.purchases


class UserItems(_Interests):
    """One row per user and item."""

    key = c.ITEM_ID
    item_id = Column("string", "the item")


class UserCategories(_Interests):
    """One row per user and category (the whole path)."""

    key = c.CATEGORY
    from_catalogue = True
    category = Column("string", "category path")


class UserDepartments(_Interests):
    """One row per user and first level of the category path."""

    key = DEPARTMENT
    from_catalogue = True
    department = Column("string", "first level of the category path")


class UserBrands(_Interests):
    """One row per user and brand."""

    key = c.BRAND
    from_catalogue = True
    brand = Column("string", "brand")


class UserChannels(Keyed):
    """One row per user and channel."""

    over = UserHours
    key = c.CHANNEL
    channel = Column("string", "channel")
    actions = Sum()
    purchases = Sum()


class UserDayHours(Keyed):
    """One row per user and hour of the day."""

    over = UserHours
    key = HOUR
    hour = Column("int64", "0 .. 23, UTC")
    actions = Sum()
    purchases = Sum()


class Users(Base):
    """One row per user of the users table, as it stands now: the mall keeps no history of it."""

    table = "users"
    #: Rows are users already; a tag is a column, not an aggregate.
    one_row_per_user: ClassVar[bool] = True

    since_registration = Column("timestamp", "days since registration; null before it")
    source_channel = Column("string", "channel of registration")
    member_level = Column("string", "member level the mall gave")
    consent_personalization = Column("boolean", "personalisation allowed; null means never asked")
    consent_marketing = Column("boolean", "marketing allowed; null means never asked")
    demographics = Column("string", "flat JSON object")

    @classmethod
    def seen(cls, kept: Value, moment: Value) -> Value:
        """Kept rows as tags see them from ``moment`` (a timestamp)."""
        registered = kept[c.REGISTERED_AT]
        since = ibis.ifelse(registered < moment, days_before(moment, registered), ibis.null("float64"))
        kept = kept.mutate(since_registration=since)
        return kept.select(list(cls.schema()))

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        name = c.REGISTERED_AT if column.name == "since_registration" else column.name
        return Lineage(columns=frozenset({name}))

    def demographic(self, key: str) -> Value:
        """One value of ``demographics`` as text, numbers too; null where it is not given."""
        told = self.demographics.cast("json")[key]
        return ibis.coalesce(told.unwrap_as("string"), told.cast("string").nullif("null"))


FOLDED: Final[tuple[type[Folded], ...]] = (UserDays, UserOrders, UserItemDays, UserHours)
