"""Behaviour: how often each kind of thing was done, and how long ago."""

from collections.abc import Callable

from features.tags.spec import COUNTED_DAYS, Dimension, Family, Value, counts, ratio, real, tag, word
from features.tags.spec.bases import UserDays, UserItems
from features.tags.spec.columns import Column

FAMILY = Family("behaviour", "行为", "How often each kind of thing was done, and how long ago.")
BROWSING = FAMILY.dimension("browsing", "Browsing", "浏览")
SEARCHING = FAMILY.dimension("searching", "Searching", "搜索")
WISHES = FAMILY.dimension("wishes", "Wishes", "收藏意愿")
CART = FAMILY.dimension("cart", "Shopping cart", "购物车")
ORDERING = FAMILY.dimension("ordering", "Ordering", "下单")
CONTENT = FAMILY.dimension("content", "Reading and writing", "内容互动")
WINDOWS = (*COUNTED_DAYS, None)

_COUNTED: tuple[tuple[str, Column, Dimension, tuple[str, str]], ...] = (
    ("views", UserDays.views, BROWSING, ("Item views", "商品浏览次数")),
    ("clicks", UserDays.clicks, BROWSING, ("Clicks", "点击次数")),
    ("session_starts", UserDays.session_starts, BROWSING, ("Session starts", "启动次数")),
    ("searches", UserDays.searches, SEARCHING, ("Searches", "搜索次数")),
    ("favorites", UserDays.favorites, WISHES, ("Favourites added", "收藏次数")),
    ("cart_adds", UserDays.cart_adds, CART, ("Cart additions", "加购次数")),
    ("cart_removes", UserDays.cart_removes, CART, ("Cart removals", "移出购物车次数")),
    ("orders_placed", UserDays.orders_placed, ORDERING, ("Orders placed", "下单次数")),
    ("purchases", UserDays.purchases, ORDERING, ("Purchase lines", "购买行数")),
    ("reviews", UserDays.reviews, CONTENT, ("Reviews written", "评价次数")),
    ("articles_read", UserDays.articles_read, CONTENT, ("Articles read", "文章阅读次数")),
)
_RECENT: tuple[tuple[str, Column, Dimension, str, tuple[str, str]], ...] = (
    ("view", UserDays.since_view, BROWSING, "viewed an item", ("the last view", "最近浏览")),
    ("click", UserDays.since_click, BROWSING, "clicked", ("the last click", "最近点击")),
    ("dwell", UserDays.since_dwell, BROWSING, "stayed on a page", ("the last dwell report", "最近停留")),
    (
        "session_start",
        UserDays.since_session_start,
        BROWSING,
        "began a session",
        ("the last session start", "最近启动"),
    ),
    ("search", UserDays.since_search, SEARCHING, "searched", ("the last search", "最近搜索")),
    ("favorite", UserDays.since_favorite, WISHES, "added a favourite", ("the last favourite", "最近收藏")),
    ("cart_add", UserDays.since_cart_add, CART, "added to the cart", ("the last cart addition", "最近加购")),
    (
        "cart_remove",
        UserDays.since_cart_remove,
        CART,
        "took out of the cart",
        ("the last cart removal", "最近移出购物车"),
    ),
    ("order_placed", UserDays.since_order_placed, ORDERING, "placed an order", ("the last order placed", "最近下单")),
    ("review", UserDays.since_review, CONTENT, "wrote a review", ("the last review", "最近评价")),
    ("article", UserDays.since_article, CONTENT, "read an article", ("the last article", "最近阅读文章")),
)


def _sum(measure: Column) -> Callable[..., Value]:
    def expression(days: UserDays) -> Value:
        return days.read(measure).sum()

    return expression


def _least(measure: Column) -> Callable[..., Value]:
    def expression(days: UserDays) -> Value:
        return days.read(measure).min()

    return expression


for _name, _measure, _dimension, _title in _COUNTED:
    tag(
        _name,
        _dimension,
        counts("events"),
        title=_title,
        over=WINDOWS,
        description=f"Number of {_measure.about} events.",
    )(_sum(_measure))

for _name, _measure, _dimension, _never, _title in _RECENT:
    tag(
        f"days_since_{_name}",
        _dimension,
        real("days", f"never {_never}"),
        title=(f"Days since {_title[0]}", f"距{_title[1]}天数"),
        description=f"Time since the user last {_never}.",
    )(_least(_measure))


@tag(
    "distinct_items_viewed",
    BROWSING,
    counts("items"),
    title=("Different items viewed", "浏览商品种数"),
    over=(7, 30, 90, None),
)
def distinct_items_viewed(items: UserItems) -> Value:
    """Different items viewed or clicked."""
    return items.distinct(items.views)


@tag(
    "views_per_item",
    BROWSING,
    real("views per item", "viewed no named item"),
    title=("Views per item", "单品浏览次数"),
    over=(90,),
)
def views_per_item(items: UserItems) -> Value:
    """Views and clicks of named items over different items viewed: 1 when he looks at nothing twice."""
    return ratio(items.views.sum(), items.distinct(items.views))


@tag("wanted_item", WISHES, word("wants no item"), title=("Item wanted but not bought", "想要未买商品"), over=(30,))
def wanted_item(items: UserItems) -> Value:
    """The id of the item with the greatest interest among those he did not buy in the window."""
    return items.top((items.purchases == 0).ifelse(items.interest, 0))
