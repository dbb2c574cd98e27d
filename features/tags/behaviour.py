"""Behaviour: how often each kind of thing was done, how long ago, and how steps lead to each other."""

from collections.abc import Callable

from features.tags.spec import Family, Value, counts, ratio, real, sums, tag
from features.tags.spec.bases import UserDays, UserItems
from features.tags.spec.columns import Column

FAMILY = Family("behaviour", "行为", "How often each kind of thing was done, how long ago, and how steps convert.")
WINDOWS = (7, 14, 30, 60, 90, 180, None)

_COUNTED = (
    ("views", UserDays.views, ("Item views", "商品浏览次数")),
    ("clicks", UserDays.clicks, ("Clicks", "点击次数")),
    ("searches", UserDays.searches, ("Searches", "搜索次数")),
    ("favorites", UserDays.favorites, ("Favourites added", "收藏次数")),
    ("cart_adds", UserDays.cart_adds, ("Cart additions", "加购次数")),
    ("cart_removes", UserDays.cart_removes, ("Cart removals", "移出购物车次数")),
    ("orders_placed", UserDays.orders_placed, ("Orders placed", "下单次数")),
    ("purchases", UserDays.purchases, ("Purchase lines", "购买行数")),
    ("reviews", UserDays.reviews, ("Reviews written", "评价次数")),
    ("articles_read", UserDays.articles_read, ("Articles read", "文章阅读次数")),
    ("dwells", UserDays.dwells, ("Dwell reports", "停留上报次数")),
)
_RECENT = (
    ("days_since_view", UserDays.since_view, "viewed an item", ("Days since the last view", "距最近浏览天数")),
    (
        "days_since_cart_add",
        UserDays.since_cart_add,
        "added to the cart",
        ("Days since the last cart addition", "距最近加购天数"),
    ),
    ("days_since_search", UserDays.since_search, "searched", ("Days since the last search", "距最近搜索天数")),
)


def _sum(measure: Column) -> Callable[..., Value]:
    def expression(days: UserDays) -> Value:
        return days.read(measure).sum()

    return expression


def _least(measure: Column) -> Callable[..., Value]:
    def expression(days: UserDays) -> Value:
        return days.read(measure).min()

    return expression


for _name, _measure, _title in _COUNTED:
    tag(_name, FAMILY, counts("events"), title=_title, over=WINDOWS, description=f"Number of {_measure.about} events.")(
        _sum(_measure)
    )

for _name, _measure, _never, _title in _RECENT:
    tag(
        _name, FAMILY, real("days", f"never {_never}"), title=_title, description=f"Time since the user last {_never}."
    )(_least(_measure))


@tag(
    "distinct_items_viewed",
    FAMILY,
    counts("items"),
    title=("Different items viewed", "浏览商品种数"),
    over=(7, 30, 90, None),
)
def distinct_items_viewed(items: UserItems) -> Value:
    """Different items viewed or clicked."""
    return items.distinct(items.views)


@tag(
    "cart_per_view",
    FAMILY,
    real("carts per view", "viewed nothing"),
    title=("Cart additions per view", "浏览加购率"),
    over=(30, 90, None),
)
def cart_per_view(cart_adds: Value, views: Value) -> Value:
    """Cart additions over item views; above 1 when things are added without a view."""
    return ratio(cart_adds, views)


@tag(
    "purchase_per_cart",
    FAMILY,
    real("lines per cart addition", "added nothing to the cart"),
    title=("Purchases per cart addition", "加购购买率"),
    over=(30, 90, None),
)
def purchase_per_cart(purchases: Value, cart_adds: Value) -> Value:
    """Purchase lines over cart additions."""
    return ratio(purchases, cart_adds)


@tag(
    "order_per_active_day",
    FAMILY,
    real("orders per day", "not active in the window"),
    title=("Orders per active day", "活跃日下单率"),
    over=(30, 90, None),
)
def order_per_active_day(orders: Value, active_days: Value) -> Value:
    """Paid orders over active days."""
    return ratio(orders, active_days)


@tag("cart_left", FAMILY, sums("lines"), title=("Cart additions not bought", "加购未购数"), over=(7, 30))
def cart_left(cart_adds: Value, cart_removes: Value, purchases: Value) -> Value:
    """Cart additions less removals and purchase lines of the same window, never below 0."""
    return (cart_adds - cart_removes - purchases).clip(lower=0)
