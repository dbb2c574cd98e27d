"""Service and risk: refunds, bad reviews, failed payments, and whether a person makes this traffic."""

from typing import Final

from features.tags.spec import COUNTED_DAYS, Family, Range, Value, counts, flag, ratio, real, share, sums, tag
from features.tags.spec.bases import BEST_RATING, LOWEST_RATING, UserDays, UserHours

FAMILY = Family(
    "service", "服务", "Signals of trouble: with what was bought, with paying, and with the traffic itself."
)
REFUNDS = FAMILY.dimension("refunds", "Refunds", "退款")
REVIEWS = FAMILY.dimension("reviews", "Reviews", "评价")
PAYMENT = FAMILY.dimension("payment", "Payment", "支付")
TRUST = FAMILY.dimension("traffic_trust", "Trust in the traffic", "流量可信度")
WINDOWS = (30, 90, 365, None)

#: A person does not do more than this in one hour of one channel.
BURST: Final = 600
#: From this share of impossible dwell reports on the clock of the device, or the user, is not to be trusted.
IMPOSSIBLE_SHARE: Final = 0.5


@tag("refunds", REFUNDS, counts("events"), title=("Refunds", "退款次数"), over=(*COUNTED_DAYS, 365, None))
def refunds(days: UserDays) -> Value:
    """Number of refund events."""
    return days.refunds.sum()


@tag("refunded_amount", REFUNDS, sums("currency"), title=("Refunded amount", "退款金额"), over=WINDOWS)
def refunded_amount(days: UserDays) -> Value:
    """Sum of the amounts of refunds, as positive numbers."""
    return days.refunded.sum()


@tag(
    "refund_rate",
    REFUNDS,
    real("refunds per order", "no order in the window"),
    title=("Refunds per order", "退款率"),
    over=WINDOWS,
)
def refund_rate(refunds: Value, orders: Value) -> Value:
    """Refund events over paid orders; above 1 when refunds are logged by line or for older orders."""
    return ratio(refunds, orders)


@tag(
    "days_since_refund",
    REFUNDS,
    real("days", "never had a refund"),
    title=("Days since the last refund", "距最近退款天数"),
)
def days_since_refund(days: UserDays) -> Value:
    """Time since the last refund, with fractions of a day."""
    return days.since_refund.min()


@tag(
    "refunded_share",
    REFUNDS,
    real("refunded per spent", "spent nothing in the window"),
    title=("Refunded amount per amount spent", "退款金额占比"),
    over=(365, None),
)
def refunded_share(refunded_amount: Value, spend: Value) -> Value:
    """Refunded amount over spend of the same window; above 1 when older purchases come back."""
    return ratio(refunded_amount, spend)


@tag("bad_reviews", REVIEWS, counts("events"), title=("Bad reviews", "差评次数"), over=(90, 365, None))
def bad_reviews(days: UserDays) -> Value:
    """Reviews with a rating (property rating) of 1 or 2."""
    return days.bad_reviews.sum()


@tag(
    "bad_review_share",
    REVIEWS,
    share("gave no rating"),
    title=("Share of bad reviews", "差评率"),
    over=(365, None),
)
def bad_review_share(days: UserDays) -> Value:
    """Reviews with a rating of 1 or 2 over reviews with a rating of 1 to 5."""
    return ratio(days.bad_reviews.sum(), days.rated_reviews.sum())


@tag(
    "rating_mean",
    REVIEWS,
    real("stars", "gave no rating", Range(LOWEST_RATING, BEST_RATING)),
    title=("Mean rating", "平均评分"),
    over=(365, None),
)
def rating_mean(days: UserDays) -> Value:
    """Mean of the ratings of 1 to 5 that he gave."""
    return ratio(days.ratings.sum(), days.rated_reviews.sum())


@tag("payment_failures", PAYMENT, counts("events"), title=("Failed payments", "支付失败次数"), over=(30, 90, None))
def payment_failures(days: UserDays) -> Value:
    """Orders placed whose payment failed (property payment is failed)."""
    return days.failed_payments.sum()


@tag(
    "payment_failure_rate",
    PAYMENT,
    share("placed no order"),
    title=("Share of failed payments", "支付失败率"),
    over=(90, None),
)
def payment_failure_rate(payment_failures: Value, orders_placed: Value) -> Value:
    """Orders whose payment failed over orders placed."""
    return ratio(payment_failures, orders_placed)


@tag(
    "impossible_dwell_share",
    TRUST,
    share("no dwell report with a time"),
    title=("Share of impossible dwell reports", "异常停留占比"),
    over=(90, None),
)
def impossible_dwell_share(days: UserDays) -> Value:
    """Dwell reports of a negative time or more than six hours over all with a time."""
    return ratio(days.impossible_dwells.sum(), days.timed_dwells.sum())


@tag(
    "busiest_hour_actions",
    TRUST,
    counts("events"),
    title=("Actions in the busiest hour", "单小时最高行为数"),
    over=(30, None),
)
def busiest_hour_actions(hours: UserHours) -> Value:
    """The most that he did within one hour (UTC) of one day and one channel."""
    return hours.actions.max()


@tag("same_day_refunds", TRUST, counts("days"), title=("Days with a purchase and a refund", "当日购退天数"))
def same_day_refunds(days: UserDays) -> Value:
    """UTC days with a purchase and a refund: a mark of fake orders."""
    return ((days.purchases > 0) & (days.refunds > 0)).sum()


@tag("suspected_fake", TRUST, flag(), title=("Suspected fake traffic", "疑似虚假流量"))
def suspected_fake(impossible_dwell_share_90d: Value, busiest_hour_actions_30d: Value) -> Value:
    """Half or more of the dwell reports of 90 days are impossible, or more than 600 actions in one hour of the last 30.

    Only what his tags show; events that were marked as fake do not count for any tag.
    """
    return (impossible_dwell_share_90d.fill_null(0.0) >= IMPOSSIBLE_SHARE) | (busiest_hour_actions_30d > BURST)
