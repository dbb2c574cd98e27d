"""Promotion: how the user takes to coupons and discounts."""

from features.tags.spec import COUNTED_DAYS, Family, Value, counts, flag, ratio, real, share, sums, tag
from features.tags.spec.bases import UserDays, UserOrders

FAMILY = Family("promotion", "优惠", "How the user takes to coupons and discounts.")
COUPONS = FAMILY.dimension("coupons", "Coupons", "优惠券")
DISCOUNTS = FAMILY.dimension("discounts", "Discounts", "折扣")
COUNTED = (*COUNTED_DAYS, 365, None)
WINDOWS = (30, 90, 365, None)


@tag("coupons_received", COUPONS, counts("coupons"), title=("Coupons received", "领券次数"), over=COUNTED)
def coupons_received(days: UserDays) -> Value:
    """Coupons the user took."""
    return days.coupons_received.sum()


@tag("coupons_redeemed", COUPONS, counts("coupons"), title=("Coupons redeemed", "用券次数"), over=COUNTED)
def coupons_redeemed(days: UserDays) -> Value:
    """Coupons the user redeemed."""
    return days.coupons_redeemed.sum()


@tag(
    "coupon_use_rate",
    COUPONS,
    real("redeemed per received", "received none"),
    title=("Coupon use rate", "优惠券使用率"),
    over=(7, *WINDOWS),
)
def coupon_use_rate(coupons_redeemed: Value, coupons_received: Value) -> Value:
    """Coupons redeemed over coupons received in the same window; above 1 when older ones are used up."""
    return ratio(coupons_redeemed, coupons_received)


@tag(
    "coupons_per_order",
    COUPONS,
    real("coupons per order", "no order in the window"),
    title=("Coupons per order", "每单用券数"),
    over=WINDOWS,
)
def coupons_per_order(coupons_redeemed: Value, orders: Value) -> Value:
    """Coupons redeemed over paid orders."""
    return ratio(coupons_redeemed, orders)


@tag("coupon_user", COUPONS, flag(), title=("Uses coupons", "优惠券用户"))
def coupon_user(coupons_redeemed: Value) -> Value:
    """Ever redeemed a coupon."""
    return coupons_redeemed > 0


@tag(
    "days_since_coupon",
    COUPONS,
    real("days", "never redeemed a coupon"),
    title=("Days since the last coupon", "距最近用券天数"),
)
def days_since_coupon(days: UserDays) -> Value:
    """Time since a coupon was last redeemed, with fractions of a day."""
    return days.since_coupon.min()


@tag(
    "days_since_coupon_received",
    COUPONS,
    real("days", "never took a coupon"),
    title=("Days since a coupon was taken", "距最近领券天数"),
)
def days_since_coupon_received(days: UserDays) -> Value:
    """Time since a coupon was last taken, with fractions of a day."""
    return days.since_coupon_received.min()


@tag(
    "coupon_order_share",
    COUPONS,
    share("no order in the window"),
    title=("Share of orders with a coupon", "用券订单占比"),
    over=(90, 365, None),
)
def coupon_order_share(orders: UserOrders) -> Value:
    """Orders with a purchase line that names a coupon (property coupon_id) over all orders."""
    return ratio((orders.coupon_lines > 0).sum(), (orders.lines > 0).sum())


@tag("discounts", DISCOUNTS, sums("currency"), title=("Discounts", "优惠金额"), over=(90, 365, None))
def discounts(days: UserDays) -> Value:
    """Sum of what was taken off purchases (property discount)."""
    return days.discount.sum()


@tag(
    "discount_share",
    DISCOUNTS,
    share("paid nothing in the window"),
    title=("Discount share", "折扣率"),
    over=(90, 365, None),
)
def discount_share(discounts: Value, spend: Value) -> Value:
    """What was taken off, over what was taken off and what was paid."""
    return ratio(discounts, discounts + spend)


@tag(
    "discount_order_share",
    DISCOUNTS,
    share("no order in the window"),
    title=("Share of orders at a discount", "折扣订单占比"),
    over=(90, 365, None),
)
def discount_order_share(orders: UserOrders) -> Value:
    """Orders with something taken off over all orders."""
    return ratio((orders.discount > 0).sum(), (orders.lines > 0).sum())
