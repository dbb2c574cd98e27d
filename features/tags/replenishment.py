"""Replenishment: what the user buys again and again, and when he will need it."""

from features.tags.spec import Family, Value, counts, real, tag, word
from features.tags.spec.rebought import ReboughtCategories, ReboughtItems

FAMILY = Family(
    "replenishment",
    "补货",
    "What the user buys again and again (on three days at least), and when he will need it. Due is what was last "
    "bought one to three of its own mean intervals ago; after more he is held to have given it up.",
)
CATEGORIES = FAMILY.dimension("category_replenishment", "Categories bought regularly", "品类补货")
ITEMS = FAMILY.dimension("item_replenishment", "Items bought regularly", "商品补货")


@tag(
    "regular_category",
    CATEGORIES,
    word("bought no category on three days"),
    title=("Category bought most regularly", "最规律复购品类"),
)
def regular_category(categories: ReboughtCategories) -> Value:
    """The category with the most even intervals between days with a purchase; of equals the first by name."""
    return categories.most_regular(categories.category)


@tag(
    "regular_category_interval",
    CATEGORIES,
    real("days", "bought no category on three days"),
    title=("Interval of the regular category", "规律品类复购间隔"),
)
def regular_category_interval(categories: ReboughtCategories) -> Value:
    """Mean days from one purchase of that category to the next."""
    return categories.most_regular(categories.interval)


@tag(
    "regular_category_lateness",
    CATEGORIES,
    real("times the interval", "bought no category on three days"),
    title=("Lateness of the regular category", "规律品类补货逾期倍数"),
)
def regular_category_lateness(categories: ReboughtCategories) -> Value:
    """Whole days since that category was last bought, over its interval: from 1 on it is due."""
    return categories.most_regular(categories.lateness)


@tag("categories_due", CATEGORIES, counts("categories"), title=("Categories due", "待补货品类数"))
def categories_due(categories: ReboughtCategories) -> Value:
    """How many categories are due."""
    return categories.due.sum()


@tag("overdue_category", CATEGORIES, word("no category is due"), title=("Category most overdue", "最该补货品类"))
def overdue_category(categories: ReboughtCategories) -> Value:
    """Of the categories that are due the latest by its own interval; of equals the first by name."""
    return categories.most_overdue(categories.category)


@tag(
    "regular_item",
    ITEMS,
    word("bought no item on three days"),
    title=("Item bought most regularly", "最规律复购商品"),
)
def regular_item(items: ReboughtItems) -> Value:
    """The id of the item with the most even intervals between days with a purchase; of equals the first id."""
    return items.most_regular(items.item_id)


@tag(
    "regular_item_interval",
    ITEMS,
    real("days", "bought no item on three days"),
    title=("Interval of the regular item", "规律商品复购间隔"),
)
def regular_item_interval(items: ReboughtItems) -> Value:
    """Mean days from one purchase of that item to the next."""
    return items.most_regular(items.interval)


@tag(
    "regular_item_lateness",
    ITEMS,
    real("times the interval", "bought no item on three days"),
    title=("Lateness of the regular item", "规律商品补货逾期倍数"),
)
def regular_item_lateness(items: ReboughtItems) -> Value:
    """Whole days since that item was last bought, over its interval: from 1 on it is due."""
    return items.most_regular(items.lateness)


@tag("items_due", ITEMS, counts("items"), title=("Items due", "待补货商品数"))
def items_due(items: ReboughtItems) -> Value:
    """How many items are due."""
    return items.due.sum()


@tag("overdue_item", ITEMS, word("no item is due"), title=("Item most overdue", "最该补货商品"))
def overdue_item(items: ReboughtItems) -> Value:
    """Of the items that are due the id of the latest by its own interval; of equals the first id."""
    return items.most_overdue(items.item_id)
