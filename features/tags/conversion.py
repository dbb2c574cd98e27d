"""Conversion: how the user's steps from looking to paying lead to each other."""

from features.tags.spec import Family, Value, ratio, real, share, sums, tag
from features.tags.spec.bases import UserItems

FAMILY = Family("conversion", "转化", "How the user's steps from looking to paying lead to each other.")
TO_CART = FAMILY.dimension("to_cart", "From looking to the cart", "浏览到加购")
TO_ORDER = FAMILY.dimension("to_order", "From the cart to the order", "加购到成交")
WINDOWS = (7, 30, 90, None)


@tag(
    "favorite_per_view",
    TO_CART,
    real("favourites per view", "viewed nothing"),
    title=("Favourites per view", "浏览收藏率"),
    over=WINDOWS,
)
def favorite_per_view(favorites: Value, views: Value) -> Value:
    """Favourites added over item views."""
    return ratio(favorites, views)


@tag(
    "cart_per_view",
    TO_CART,
    real("carts per view", "viewed nothing"),
    title=("Cart additions per view", "浏览加购率"),
    over=WINDOWS,
)
def cart_per_view(cart_adds: Value, views: Value) -> Value:
    """Cart additions over item views; above 1 when things are added without a view."""
    return ratio(cart_adds, views)


@tag(
    "cart_remove_rate",
    TO_CART,
    real("removals per cart addition", "added nothing to the cart"),
    title=("Cart removals per addition", "购物车移除率"),
    over=WINDOWS,
)
def cart_remove_rate(cart_removes: Value, cart_adds: Value) -> Value:
    """Cart removals over cart additions of the same window; above 1 when older ones go."""
    return ratio(cart_removes, cart_adds)


@tag("cart_left", TO_CART, sums("lines"), title=("Cart additions not bought", "加购未购数"), over=(7, 30))
def cart_left(cart_adds: Value, cart_removes: Value, purchases: Value) -> Value:
    """Cart additions less removals and purchase lines of the same window, never below 0."""
    return (cart_adds - cart_removes - purchases).clip(lower=0)


@tag(
    "purchase_per_cart",
    TO_ORDER,
    real("lines per cart addition", "added nothing to the cart"),
    title=("Purchases per cart addition", "加购购买率"),
    over=WINDOWS,
)
def purchase_per_cart(purchases: Value, cart_adds: Value) -> Value:
    """Purchase lines over cart additions."""
    return ratio(purchases, cart_adds)


@tag(
    "purchase_per_view",
    TO_ORDER,
    real("lines per view", "viewed nothing"),
    title=("Purchases per view", "浏览购买率"),
    over=WINDOWS,
)
def purchase_per_view(purchases: Value, views: Value) -> Value:
    """Purchase lines over item views; above 1 when things are bought without a view."""
    return ratio(purchases, views)


@tag(
    "viewed_bought_share",
    TO_ORDER,
    share("viewed no named item"),
    title=("Share of viewed items that he bought", "浏览商品购买占比"),
    over=WINDOWS[:-1],
)
def viewed_bought_share(items: UserItems) -> Value:
    """Items viewed or clicked that he also bought in the window, over all items viewed or clicked."""
    return ratio(((items.views > 0) & (items.purchases > 0)).sum(), items.distinct(items.views))


@tag(
    "paid_per_order_placed",
    TO_ORDER,
    real("paid per placed", "placed no order"),
    title=("Paid orders per order placed", "下单支付率"),
    over=WINDOWS,
)
def paid_per_order_placed(orders: Value, orders_placed: Value) -> Value:
    """Paid orders over orders placed in the same window; above 1 when older ones are paid or the log names no order."""
    return ratio(orders, orders_placed)


@tag(
    "order_per_active_day",
    TO_ORDER,
    real("orders per day", "not active in the window"),
    title=("Orders per active day", "活跃日下单率"),
    over=WINDOWS,
)
def order_per_active_day(orders: Value, active_days: Value) -> Value:
    """Paid orders over active days."""
    return ratio(orders, active_days)
