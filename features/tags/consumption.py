"""Consumption: what the user buys, for how much, how often."""

from features.tags.spec import Family, Range, Value, counts, ratio, real, share, sums, tag, whole, word
from features.tags.spec.bases import (
    PRICE_BANDS,
    UserBrands,
    UserCategories,
    UserDays,
    UserItems,
    UserOrders,
    UserPriceBands,
)
from features.tags.spec.rhythm import PurchaseDays

FAMILY = Family("consumption", "消费", "What the user buys, for how much and how often.")
ORDERS = FAMILY.dimension("orders", "Orders", "订单")
SPEND = FAMILY.dimension("spend", "Spend", "消费金额")
BASKET = FAMILY.dimension("basket", "Basket", "购物篮")
VARIETY = FAMILY.dimension("variety", "Variety of purchases", "购买广度")
RHYTHM = FAMILY.dimension("purchase_rhythm", "Purchase rhythm", "购买节律")
PRICES = FAMILY.dimension("price_band", "Price band", "价格带")
LOYALTY = FAMILY.dimension("brand_loyalty", "Brand loyalty", "品牌忠诚")
WINDOWS = (1, 3, 7, 14, 30, 60, 90, 180, 365, None)


@tag("orders", ORDERS, counts("orders"), title=("Paid orders", "支付订单数"), over=WINDOWS)
def orders(days: UserDays) -> Value:
    """Different paid orders per day; a purchase without an order id is an order of its own."""
    return days.orders.sum()


@tag("spend", SPEND, sums("currency"), title=("Spend", "消费金额"), over=WINDOWS)
def spend(days: UserDays) -> Value:
    """Sum of the amounts of purchases, refunds not taken off."""
    return days.spend.sum()


@tag("pieces", BASKET, sums("pieces"), title=("Pieces bought", "购买件数"), over=(30, 90, 365, None))
def pieces(days: UserDays) -> Value:
    """Sum of the quantities of purchases; a purchase without one counts as a single piece."""
    return days.pieces.sum()


@tag("purchase_days", ORDERS, counts("days"), title=("Days with a purchase", "购买天数"), over=(30, 90, 180, 365, None))
def purchase_days(days: UserDays) -> Value:
    """UTC days on which the user bought something."""
    return (days.purchases > 0).sum()


@tag(
    "distinct_items_bought",
    VARIETY,
    counts("items"),
    title=("Different items bought", "购买商品种数"),
    over=(30, 90, 365, None),
)
def distinct_items_bought(items: UserItems) -> Value:
    """Different items among the purchases; 0 where the log names no items."""
    return items.distinct(items.purchases)


@tag(
    "distinct_categories_bought",
    VARIETY,
    counts("categories"),
    title=("Different categories bought", "购买品类数"),
    over=(90, 365, None),
)
def distinct_categories_bought(categories: UserCategories) -> Value:
    """Different category paths among the purchases of items that the catalogue knows."""
    return categories.distinct(categories.purchases)


@tag(
    "repeat_item_share",
    VARIETY,
    share("bought no named item"),
    title=("Share of items bought again", "复购商品占比"),
    over=(365, None),
)
def repeat_item_share(items: UserItems) -> Value:
    """Items with two or more purchase lines over all items bought."""
    return ratio((items.purchases > 1).sum(), items.distinct(items.purchases))


@tag(
    "average_order_value",
    SPEND,
    real("currency", "no order in the window"),
    title=("Average order value", "客单价"),
    over=(30, 90, 365, None),
)
def average_order_value(spend: Value, orders: Value) -> Value:
    """Spend over paid orders."""
    return ratio(spend, orders)


@tag(
    "pieces_per_order",
    BASKET,
    real("pieces", "no order in the window"),
    title=("Pieces per order", "每单件数"),
    over=(90, None),
)
def pieces_per_order(pieces: Value, orders: Value) -> Value:
    """Pieces bought over paid orders."""
    return ratio(pieces, orders)


@tag(
    "max_order_value",
    SPEND,
    real("currency", "no order in the window"),
    title=("Largest order", "最大单笔金额"),
    over=(90, 365, None),
)
def max_order_value(orders: UserOrders) -> Value:
    """Amount of the largest order."""
    return orders.spend.max()


@tag(
    "order_value_spread",
    SPEND,
    real("currency", "fewer than two orders"),
    title=("Spread of order values", "客单价标准差"),
    over=(365, None),
)
def order_value_spread(orders: UserOrders) -> Value:
    """Sample standard deviation of the amounts of orders."""
    return orders.spend.std(how="sample")


@tag(
    "lines_per_order",
    BASKET,
    real("lines", "no order in the window"),
    title=("Lines per order", "每单商品行数"),
    over=(90, None),
)
def lines_per_order(orders: UserOrders) -> Value:
    """Mean number of purchase lines in an order."""
    return orders.lines.mean()


@tag(
    "days_since_purchase",
    RHYTHM,
    real("days", "never bought"),
    title=("Days since the last purchase", "距最近购买天数"),
)
def days_since_purchase(days: UserDays) -> Value:
    """Time from the last purchase to as_of, with fractions of a day."""
    return days.since_purchase.min()


@tag(
    "days_since_first_purchase",
    RHYTHM,
    real("days", "never bought"),
    title=("Days since the first purchase", "距首次购买天数"),
)
def days_since_first_purchase(days: UserDays) -> Value:
    """Time from the first purchase to as_of, with fractions of a day."""
    return days.since_first_purchase.max()


@tag(
    "purchase_gap_mean",
    RHYTHM,
    real("days", "fewer than two days with a purchase"),
    title=("Mean days between purchases", "平均购买间隔"),
)
def purchase_gap_mean(days: PurchaseDays) -> Value:
    """Mean number of days from one day with a purchase to the next."""
    return days.gap.mean()


@tag(
    "purchase_gap_spread",
    RHYTHM,
    real("days", "fewer than three days with a purchase"),
    title=("Spread of days between purchases", "购买间隔标准差"),
)
def purchase_gap_spread(days: PurchaseDays) -> Value:
    """Sample standard deviation of the days between days with a purchase."""
    return days.gap.std(how="sample")


@tag(
    "purchase_gap_max",
    RHYTHM,
    whole("days", "fewer than two days with a purchase"),
    title=("Longest pause between purchases", "最长购买间隔"),
)
def purchase_gap_max(days: PurchaseDays) -> Value:
    """The longest number of days from one day with a purchase to the next."""
    return days.gap.max()


@tag(
    "purchase_overdue",
    RHYTHM,
    real("times the mean gap", "fewer than two days with a purchase"),
    title=("Pause against his own mean", "购买逾期倍数"),
)
def purchase_overdue(days_since_purchase: Value, purchase_gap_mean: Value) -> Value:
    """Days since the last purchase over the user's mean gap: above 1 he is later than usual."""
    return ratio(days_since_purchase, purchase_gap_mean)


@tag(
    "purchase_span_days",
    RHYTHM,
    real("days", "never bought"),
    title=("Days from first to last purchase", "首末购买跨度"),
)
def purchase_span_days(days_since_first_purchase: Value, days_since_purchase: Value) -> Value:
    """Time from the first purchase to the last: the recency of the buy-till-you-die models."""
    return days_since_first_purchase - days_since_purchase


@tag(
    "category_entropy",
    VARIETY,
    real("nats", "bought nothing of a known category"),
    title=("Spread over categories", "品类分散度"),
    over=(90, 365, None),
)
def category_entropy(categories: UserCategories) -> Value:
    """Shannon entropy of purchase lines over categories: 0 when all are of one."""
    return categories.entropy(categories.purchases)


@tag(
    "last_purchase_spend",
    SPEND,
    real("currency", "never bought"),
    title=("Spend on the last day with a purchase", "最近购买日消费"),
)
def last_purchase_spend(days: PurchaseDays) -> Value:
    """Sum of the amounts of the purchases of that day."""
    return days.spend.argmin(days.age)


@tag(
    "first_purchase_spend",
    SPEND,
    real("currency", "never bought"),
    title=("Spend on the first day with a purchase", "首次购买日消费"),
)
def first_purchase_spend(days: PurchaseDays) -> Value:
    """Sum of the amounts of the purchases of that day."""
    return days.spend.argmax(days.age)


@tag(
    "days_to_next_purchase",
    RHYTHM,
    real("days", "fewer than two days with a purchase", Range()),
    title=("Days to the expected next purchase", "距预期下次购买天数"),
)
def days_to_next_purchase(purchase_gap_mean: Value, days_since_purchase: Value) -> Value:
    """The user's mean gap less the days since his last purchase: below 0 he is late."""
    return purchase_gap_mean - days_since_purchase


@tag(
    "average_piece_price",
    PRICES,
    real("currency per piece", "no piece bought in the window"),
    title=("Average price of a piece", "件单价"),
    over=(90, 365, None),
)
def average_piece_price(spend: Value, pieces: Value) -> Value:
    """Spend over pieces bought."""
    return ratio(spend, pieces)


@tag(
    "main_price_band",
    PRICES,
    word("bought no named item", PRICE_BANDS),
    title=("Main price band", "主要价格带"),
    over=(90, 365, None),
)
def main_price_band(bands: UserPriceBands) -> Value:
    """The band with the most purchase lines, by what he paid per piece of an item that day; of equals the cheapest.

    Where the bands begin is set by price_bands in configs/tags.yaml (10, 50, 200, 1000).
    """
    return bands.top(bands.purchases)


@tag(
    "main_price_band_share",
    PRICES,
    share("bought no named item"),
    title=("Share of the main price band", "主要价格带占比"),
    over=(90, 365, None),
)
def main_price_band_share(bands: UserPriceBands) -> Value:
    """The part of purchase lines of named items that the main band holds."""
    return bands.top_share(bands.purchases)


@tag(
    "main_brand_bought",
    LOYALTY,
    word("bought nothing of a known brand"),
    title=("Brand bought most", "最常购买品牌"),
    over=(365, None),
)
def main_brand_bought(brands: UserBrands) -> Value:
    """The brand with the most purchase lines; of equals the first by name."""
    return brands.top(brands.purchases)


@tag(
    "brand_loyalty",
    LOYALTY,
    share("bought nothing of a known brand"),
    title=("Brand loyalty", "品牌忠诚度"),
    over=(365, None),
)
def brand_loyalty(brands: UserBrands) -> Value:
    """The part of purchase lines of known brands that the brand bought most holds."""
    return brands.top_share(brands.purchases)


@tag(
    "distinct_brands_bought",
    LOYALTY,
    counts("brands"),
    title=("Different brands bought", "购买品牌数"),
    over=(365, None),
)
def distinct_brands_bought(brands: UserBrands) -> Value:
    """Different brands among the purchases of items that the catalogue knows."""
    return brands.distinct(brands.purchases)
