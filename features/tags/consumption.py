"""Consumption: what the user buys, for how much, how often."""

from features.tags.spec import Family, Value, counts, ratio, real, share, sums, tag, whole
from features.tags.spec.bases import PurchaseDays, UserCategories, UserDays, UserItems, UserOrders

FAMILY = Family("consumption", "消费", "What the user buys, for how much and how often.")
WINDOWS = (7, 14, 30, 60, 90, 180, 365, None)


@tag("orders", FAMILY, counts("orders"), title=("Paid orders", "支付订单数"), over=WINDOWS)
def orders(days: UserDays) -> Value:
    """Different paid orders per day; a purchase without an order id is an order of its own."""
    return days.orders.sum()


@tag("spend", FAMILY, sums("currency"), title=("Spend", "消费金额"), over=WINDOWS)
def spend(days: UserDays) -> Value:
    """Sum of the amounts of purchases, refunds not taken off."""
    return days.spend.sum()


@tag("pieces", FAMILY, sums("pieces"), title=("Pieces bought", "购买件数"), over=(30, 90, 365, None))
def pieces(days: UserDays) -> Value:
    """Sum of the quantities of purchases; a purchase without one counts as a single piece."""
    return days.pieces.sum()


@tag("purchase_days", FAMILY, counts("days"), title=("Days with a purchase", "购买天数"), over=(30, 90, 180, 365, None))
def purchase_days(days: UserDays) -> Value:
    """UTC days on which the user bought something."""
    return (days.purchases > 0).sum()


@tag(
    "distinct_items_bought",
    FAMILY,
    counts("items"),
    title=("Different items bought", "购买商品种数"),
    over=(30, 90, 365, None),
)
def distinct_items_bought(items: UserItems) -> Value:
    """Different items among the purchases; 0 where the log names no items."""
    return items.distinct(items.purchases)


@tag(
    "distinct_categories_bought",
    FAMILY,
    counts("categories"),
    title=("Different categories bought", "购买品类数"),
    over=(90, 365, None),
)
def distinct_categories_bought(categories: UserCategories) -> Value:
    """Different category paths among the purchases of items that the catalogue knows."""
    return categories.distinct(categories.purchases)


@tag(
    "repeat_item_share",
    FAMILY,
    share("bought no named item"),
    title=("Share of items bought again", "复购商品占比"),
    over=(365, None),
)
def repeat_item_share(items: UserItems) -> Value:
    """Items with two or more purchase lines over all items bought."""
    return ratio((items.purchases > 1).sum(), items.distinct(items.purchases))


@tag(
    "average_order_value",
    FAMILY,
    real("currency", "no order in the window"),
    title=("Average order value", "客单价"),
    over=(30, 90, 365, None),
)
def average_order_value(spend: Value, orders: Value) -> Value:
    """Spend over paid orders."""
    return ratio(spend, orders)


@tag(
    "pieces_per_order",
    FAMILY,
    real("pieces", "no order in the window"),
    title=("Pieces per order", "每单件数"),
    over=(90, None),
)
def pieces_per_order(pieces: Value, orders: Value) -> Value:
    """Pieces bought over paid orders."""
    return ratio(pieces, orders)


@tag(
    "max_order_value",
    FAMILY,
    real("currency", "no order in the window"),
    title=("Largest order", "最大单笔金额"),
    over=(90, 365, None),
)
def max_order_value(orders: UserOrders) -> Value:
    """Amount of the largest order."""
    return orders.spend.max()


@tag(
    "order_value_spread",
    FAMILY,
    real("currency", "fewer than two orders"),
    title=("Spread of order values", "客单价标准差"),
    over=(365, None),
)
def order_value_spread(orders: UserOrders) -> Value:
    """Sample standard deviation of the amounts of orders."""
    return orders.spend.std(how="sample")


@tag(
    "lines_per_order",
    FAMILY,
    real("lines", "no order in the window"),
    title=("Lines per order", "每单商品行数"),
    over=(90, None),
)
def lines_per_order(orders: UserOrders) -> Value:
    """Mean number of purchase lines in an order."""
    return orders.lines.mean()


@tag(
    "days_since_purchase",
    FAMILY,
    real("days", "never bought"),
    title=("Days since the last purchase", "距最近购买天数"),
)
def days_since_purchase(days: UserDays) -> Value:
    """Time from the last purchase to as_of, with fractions of a day."""
    return days.since_purchase.min()


@tag(
    "days_since_first_purchase",
    FAMILY,
    real("days", "never bought"),
    title=("Days since the first purchase", "距首次购买天数"),
)
def days_since_first_purchase(days: UserDays) -> Value:
    """Time from the first purchase to as_of, with fractions of a day."""
    return days.since_first_purchase.max()


@tag(
    "purchase_gap_mean",
    FAMILY,
    real("days", "fewer than two days with a purchase"),
    title=("Mean days between purchases", "平均购买间隔"),
)
def purchase_gap_mean(days: PurchaseDays) -> Value:
    """Mean number of days from one day with a purchase to the next."""
    return days.gap.mean()


@tag(
    "purchase_gap_spread",
    FAMILY,
    real("days", "fewer than three days with a purchase"),
    title=("Spread of days between purchases", "购买间隔标准差"),
)
def purchase_gap_spread(days: PurchaseDays) -> Value:
    """Sample standard deviation of the days between days with a purchase."""
    return days.gap.std(how="sample")


@tag(
    "purchase_gap_max",
    FAMILY,
    whole("days", "fewer than two days with a purchase"),
    title=("Longest pause between purchases", "最长购买间隔"),
)
def purchase_gap_max(days: PurchaseDays) -> Value:
    """The longest number of days from one day with a purchase to the next."""
    return days.gap.max()


@tag(
    "purchase_overdue",
    FAMILY,
    real("times the mean gap", "fewer than two days with a purchase"),
    title=("Pause against his own mean", "购买逾期倍数"),
)
def purchase_overdue(days_since_purchase: Value, purchase_gap_mean: Value) -> Value:
    """Days since the last purchase over the user's mean gap: above 1 he is later than usual."""
    return ratio(days_since_purchase, purchase_gap_mean)


@tag(
    "purchase_span_days",
    FAMILY,
    real("days", "never bought"),
    title=("Days from first to last purchase", "首末购买跨度"),
)
def purchase_span_days(days_since_first_purchase: Value, days_since_purchase: Value) -> Value:
    """Time from the first purchase to the last: the recency of the buy-till-you-die models."""
    return days_since_first_purchase - days_since_purchase


@tag(
    "category_entropy",
    FAMILY,
    real("nats", "bought nothing of a known category"),
    title=("Spread over categories", "品类分散度"),
    over=(90, 365, None),
)
def category_entropy(categories: UserCategories) -> Value:
    """Shannon entropy of purchase lines over categories: 0 when all are of one."""
    return categories.entropy(categories.purchases)
