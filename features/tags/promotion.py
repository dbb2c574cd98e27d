"""Promotion: how the user takes to coupons."""

from features.tags.spec import Family, Value, counts, flag, ratio, real, tag
from features.tags.spec.bases import UserDays

FAMILY = Family("promotion", "优惠", "How the user takes to coupons.")
WINDOWS = (30, 90, 365, None)


@tag("coupons_received", FAMILY, counts("coupons"), title=("Coupons received", "领券次数"), over=WINDOWS)
def coupons_received(days: UserDays) -> Value:
    """Coupons the user took."""
    return days.coupons_received.sum()


@tag("coupons_redeemed", FAMILY, counts("coupons"), title=("Coupons redeemed", "用券次数"), over=WINDOWS)
def coupons_redeemed(days: UserDays) -> Value:
    """Coupons the user redeemed."""
    return days.coupons_redeemed.sum()


@tag(
    "coupon_use_rate",
    FAMILY,
    real("redeemed per received", "received none"),
    title=("Coupon use rate", "优惠券使用率"),
    over=WINDOWS,
)
def coupon_use_rate(coupons_redeemed: Value, coupons_received: Value) -> Value:
    """Coupons redeemed over coupons received in the same window; above 1 when older ones are used up."""
    return ratio(coupons_redeemed, coupons_received)


@tag(
    "coupons_per_order",
    FAMILY,
    real("coupons per order", "no order in the window"),
    title=("Coupons per order", "每单用券数"),
    over=WINDOWS,
)
def coupons_per_order(coupons_redeemed: Value, orders: Value) -> Value:
    """Coupons redeemed over paid orders."""
    return ratio(coupons_redeemed, orders)


@tag("coupon_user", FAMILY, flag(), title=("Uses coupons", "优惠券用户"))
def coupon_user(coupons_redeemed: Value) -> Value:
    """Ever redeemed a coupon."""
    return coupons_redeemed > 0


@tag(
    "days_since_coupon",
    FAMILY,
    real("days", "never redeemed a coupon"),
    title=("Days since the last coupon", "距最近用券天数"),
)
def days_since_coupon(days: UserDays) -> Value:
    """Time since a coupon was last redeemed, with fractions of a day."""
    return days.since_coupon.min()
