"""The bases themselves. A tag names the one it needs by the annotation of its parameter."""

from typing import ClassVar, Final

import ibis

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.events import EVENT_TYPES, ITEM_EVENTS, MALL_INITIATED, EventType
from features.contracts.tag_settings import tag_settings
from features.tags.spec.base import Base, Folded, days_before
from features.tags.spec.columns import (
    AGE,
    DEPARTMENT,
    HOUR,
    ORDER_KEY,
    PRICE_BAND,
    WEEKDAY,
    Column,
    Lineage,
    count,
    count_where,
    distinct,
    first,
    last,
    total,
)
from features.tags.spec.keyed import Keyed, Least, Most, Place, Sum, catalogue_items
from features.tags.spec.vocabulary import Value, ratio
from features.tags.spec.windows import ALL_TIME, Window

#: What a user does himself. A user is active when one of these happens.
USER_INITIATED: Final = tuple(kind for kind in EVENT_TYPES if kind not in MALL_INITIATED)

#: Interest shifts from the days of LONGER before RECENT to those of RECENT.
RECENT: Final = Window(30)
LONGER: Final = Window(90)

#: Price bands, the cheapest first; where they begin is a setting.
PRICE_BANDS: Final = ("P1", "P2", "P3", "P4", "P5")

#: Seconds on one page that a person can stay; longer or negative ones are left out of sums, and counted.
LONGEST_DWELL: Final = 6 * 3600.0

#: Ratings of reviews; one up to BAD_RATING is a bad review, one outside LOWEST … BEST is none.
LOWEST_RATING: Final = 1.0
BAD_RATING: Final = 2.0
BEST_RATING: Final = 5.0


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

    bad_reviews = count_where(lambda rating: rating.between(LOWEST_RATING, BAD_RATING), p.RATING, EventType.REVIEW)
    rated_reviews = count_where(lambda rating: rating.between(LOWEST_RATING, BEST_RATING), p.RATING, EventType.REVIEW)
    failed_payments = count_where(lambda payment: payment == p.PAYMENT_FAILED, p.PAYMENT, EventType.ORDER)
    timed_dwells = count_where(lambda seconds: seconds.notnull(), p.DWELL_SECONDS, EventType.DWELL)
    impossible_dwells = count_where(
        lambda seconds: (seconds < 0) | (seconds > LONGEST_DWELL), p.DWELL_SECONDS, EventType.DWELL
    )

    orders = distinct(ORDER_KEY, EventType.PURCHASE, reads=(c.ORDER_ID, c.EVENT_ID))
    sessions = distinct(c.SESSION_ID, *USER_INITIATED)
    spend = total(c.AMOUNT, EventType.PURCHASE)
    pieces = total(c.QUANTITY, EventType.PURCHASE, missing=1.0)
    refunded = total(c.AMOUNT, EventType.REFUND)
    discount = total(p.DISCOUNT, EventType.PURCHASE)
    dwell_seconds = total(p.DWELL_SECONDS, EventType.DWELL, within=(0.0, LONGEST_DWELL))
    ratings = total(p.RATING, EventType.REVIEW, within=(LOWEST_RATING, BEST_RATING))
    invited = distinct(p.INVITED, EventType.INVITE)

    since_first_action = first(*USER_INITIATED)
    since_action = last(*USER_INITIATED)
    since_first_purchase = first(EventType.PURCHASE)
    since_purchase = last(EventType.PURCHASE)
    since_impression = last(EventType.IMPRESSION)
    since_view = last(EventType.VIEW)
    since_click = last(EventType.CLICK)
    since_dwell = last(EventType.DWELL)
    since_favorite = last(EventType.FAVORITE)
    since_cart_remove = last(EventType.CART_REMOVE)
    since_order_placed = last(EventType.ORDER)
    since_review = last(EventType.REVIEW)
    since_invite = last(EventType.INVITE)
    since_session_start = last(EventType.SESSION_START)
    since_article = last(EventType.ARTICLE_READ)
    since_coupon_received = last(EventType.COUPON_RECEIVE)
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
    discount = total(p.DISCOUNT, EventType.PURCHASE)
    coupon_lines = count_where(lambda coupon: coupon.notnull(), p.COUPON_ID, EventType.PURCHASE)


class UserItemDays(Folded):
    """One row per user, UTC day and item he showed interest in."""

    table = "user_item_days"
    keys = (c.ITEM_ID,)
    required = (c.USER_ID, c.ITEM_ID)
    only = ITEM_EVENTS

    item_id = Column("string", "the item")
    touches = count(*ITEM_EVENTS)
    views = count(EventType.VIEW, EventType.CLICK)
    clicks = count(EventType.CLICK)
    wishes = count(EventType.FAVORITE, EventType.CART_ADD)
    cart_adds = count(EventType.CART_ADD)
    purchases = count(EventType.PURCHASE)
    spend = total(c.AMOUNT, EventType.PURCHASE)
    pieces = total(c.QUANTITY, EventType.PURCHASE, missing=1.0)


class UserShownItems(Folded):
    """One row per user, UTC day and item that the mall showed him."""

    table = "user_shown_items"
    keys = (c.ITEM_ID,)
    required = (c.USER_ID, c.ITEM_ID)
    only = (EventType.IMPRESSION,)

    item_id = Column("string", "the item")
    impressions = count(EventType.IMPRESSION)


class UserInvites(Folded):
    """One row per user, UTC day and id of a person who came by his invitation."""

    table = "user_invites"
    keys = (p.INVITED,)
    required = (c.USER_ID, p.INVITED)
    only = (EventType.INVITE,)

    invited_user_id = Column("string", "the id, as the invitation names it")
    since_invite = first(EventType.INVITE)


class UserHours(Folded):
    """One row per user, UTC day, channel and hour in which he was active."""

    table = "user_hours"
    keys = (c.CHANNEL, HOUR)
    only = USER_INITIATED

    channel = Column("string", "where it happened; null when the event does not say")
    hour = Column("int64", "0 .. 23, UTC")
    actions = count(*USER_INITIATED)
    purchases = count(EventType.PURCHASE)
    messages_opened = count(EventType.MESSAGE_OPEN)


class _Interests(Keyed):
    over = UserItemDays
    touches = Sum()
    views = Sum()
    clicks = Sum()
    wishes = Sum()
    cart_adds = Sum()
    purchases = Sum()
    spend = Sum()
    place = Place("interest")

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


class ShiftingCategories(Keyed):
    """One row per user and category of the days of :data:`LONGER`, with how his interest in it moved."""

    over = UserItemDays
    key = c.CATEGORY
    from_catalogue = True
    category = Column("string", "category path")
    shift = Column("int64", "growth of its share of interest in whole numbers: compares categories of one user only")
    shift_share = Column("float64", "share of interest in the last 30 days less that in the 60 before")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        rows = cls.rows(LONGER)
        rows = rows.filter(rows[cls.key].notnull())
        interest = UserCategories(rows).interest
        late = rows[AGE] <= RECENT.days
        keys = rows.group_by([c.USER_ID, cls.key]).aggregate(
            recent=interest.sum(where=late).fill_null(0), before=interest.sum(where=~late).fill_null(0)
        )
        user = ibis.window(group_by=keys[c.USER_ID])
        all_recent, all_before = (part.sum().over(user).cast("int64") for part in (keys.recent, keys.before))
        shift = (keys.recent * all_before - keys.before * all_recent).cast("int64")
        return keys.mutate(shift=shift, shift_share=ratio(shift, all_recent * all_before))


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


class UserPriceBands(_Interests):
    """One row per user and price band: of what he paid for a piece, or of the listed price where he only looked."""

    key = PRICE_BAND
    price_band = Column("string", "P1 (cheapest) .. P5")

    @classmethod
    def rows(cls, window: Window) -> Value:
        days = cls.over.relation(window)
        items = catalogue_items(c.PRICE)
        days = days.left_join(items, days[c.ITEM_ID] == items.key_item)
        price = ibis.ifelse(days.purchases > 0, ratio(days.spend, days.pieces), days[c.PRICE])
        return days.mutate(**{PRICE_BAND: price_band(price)})

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        if isinstance(column, Sum):
            return super().lineage_of(column)
        return Lineage(frozenset(cls.over.only), frozenset({c.ITEM_ID, c.PRICE, c.AMOUNT, c.QUANTITY}))


def price_band(price: Value) -> Value:
    """The band of a price per piece, by the edges of the settings; null without a price."""
    edges = zip(PRICE_BANDS, tag_settings().price_bands, strict=False)
    bands = [(price < edge, band) for band, edge in edges]
    return ibis.ifelse(price >= 0, ibis.cases(*bands, else_=PRICE_BANDS[-1]), ibis.null("string"))


class UserChannels(Keyed):
    """One row per user and channel."""

    over = UserHours
    key = c.CHANNEL
    channel = Column("string", "channel")
    actions = Sum()
    purchases = Sum()
    newest = Least("hours_ago")
    oldest = Most("hours_ago")

    @classmethod
    def rows(cls, window: Window) -> Value:
        hours = super().rows(window)
        # The last hour of the running day is 0 ago; channels of one hour stand side by side.
        return hours.mutate(hours_ago=24 * hours[AGE] + 23 - hours[HOUR])


class UserDayHours(Keyed):
    """One row per user and hour of the day."""

    over = UserHours
    key = HOUR
    hour = Column("int64", "0 .. 23, UTC")
    actions = Sum()
    purchases = Sum()
    messages_opened = Sum()


class UserWeekdays(Keyed):
    """One row per user and weekday."""

    over = UserDays
    key = WEEKDAY
    weekday = Column("int64", "0 is Monday")
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


FOLDED: Final[tuple[type[Folded], ...]] = (
    UserDays,
    UserOrders,
    UserItemDays,
    UserShownItems,
    UserInvites,
    UserHours,
)
