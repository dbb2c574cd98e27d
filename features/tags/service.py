"""Service: refunds."""

from features.tags.spec import Family, Value, counts, ratio, real, sums, tag
from features.tags.spec.bases import UserDays

FAMILY = Family("service", "服务", "Signals of trouble with what was bought.")
WINDOWS = (30, 90, 365, None)


@tag("refunds", FAMILY, counts("events"), title=("Refunds", "退款次数"), over=WINDOWS)
def refunds(days: UserDays) -> Value:
    """Number of refund events."""
    return days.refunds.sum()


@tag("refunded_amount", FAMILY, sums("currency"), title=("Refunded amount", "退款金额"), over=WINDOWS)
def refunded_amount(days: UserDays) -> Value:
    """Sum of the amounts of refunds, as positive numbers."""
    return days.refunded.sum()


@tag(
    "refund_rate",
    FAMILY,
    real("refunds per order", "no order in the window"),
    title=("Refunds per order", "退款率"),
    over=WINDOWS,
)
def refund_rate(refunds: Value, orders: Value) -> Value:
    """Refund events over paid orders; above 1 when refunds are logged by line or for older orders."""
    return ratio(refunds, orders)


@tag(
    "days_since_refund",
    FAMILY,
    real("days", "never had a refund"),
    title=("Days since the last refund", "距最近退款天数"),
)
def days_since_refund(days: UserDays) -> Value:
    """Time since the last refund, with fractions of a day."""
    return days.since_refund.min()
