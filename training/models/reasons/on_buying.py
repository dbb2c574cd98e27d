"""What is said of purchases, their rhythm, money, baskets and carts: concept -> stem of a tag -> its form."""

import math
from dataclasses import dataclass
from typing import Final

from training.models.reasons.phrases import (
    Both,
    Count,
    Days,
    More,
    Overdue,
    Phrase,
    Share,
    Since,
    Trend,
    Value,
)


@dataclass(frozen=True)
class Chance:
    """What the purchase rhythm alone says: the probability of no purchase within the period."""

    plain: float = 0.9

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):  # never bought, so there is no rhythm
            return None
        word, word_zh = ("unlikely", "可能性低") if raises else ("likely", "可能性高")
        return Both(
            f"by the own rhythm a purchase in this period is {word} ({100 * (1 - value):.0f} %)",
            f"按自身节奏，本期内购买的{word_zh}（{100 * (1 - value):.0f}%）",
        )


#: What both rhythm models say of the number of purchases.
_EXPECTED: Final = Value(
    "by the own rhythm {} purchases expected in this period", "按自身节奏，本期预期购买 {} 次", 0.8
)

BUYING: Final[dict[str, dict[str, Phrase]]] = {
    "purchase rhythm": {
        "days_since_purchase": Since("last purchase", "has never bought", "上次购买", "从未购买"),
        "days_since_order_placed": Since("last order", "has never ordered", "上次下单", "从未下单", 0.9),
        "purchase_overdue": Overdue("pause between purchases", "停购时长"),
        "rhythm_no_purchase": Chance(),
        "rhythm_pareto_no_purchase": Chance(),
        "rhythm_expected_purchases": _EXPECTED,
        "rhythm_pareto_expected_purchases": _EXPECTED,
        "days_to_next_purchase": Days("next purchase expected in {}", "距预期下次购买 {} 天"),
        "purchase_gap_mean": Days("usually buys every {}", "平均每 {} 天购买一次", 0.9),
        "purchase_gap_spread": Days("days between purchases vary by {}", "购买间隔波动 {} 天", 0.4),
        "purchase_gap_max": Days("longest pause before: {}", "此前最长停购 {} 天"),
        "days_since_first_purchase": Days("first purchase {} ago", "首次购买在 {} 天前"),
        "purchase_span_days": Days("{} between first and last purchase", "首末购买相隔 {} 天", 0.6),
        "second_purchase_after": Days("second purchase {} after the first", "首购后 {} 天复购", 0.6),
    },
    "purchases": {
        "orders": Count("order", "orders", "笔订单", "订单"),
        "purchase_days": Count("day with a purchase", "days with a purchase", "天购买", "购买天数"),
        "purchases": Count("line bought", "lines bought", "行购买", "购买", 0.7),
        "orders_placed": Count("order placed", "orders placed", "次下单", "下单", 0.8),
        "orders_trend": Trend("orders", "订单"),
        "order_per_active_day": Share("of the active days with an order", "活跃日下单率"),
        "paid_per_order_placed": Share("of the orders placed were paid", "下单支付率"),
    },
    "spend": {
        "spend": Value("spent {}", "消费 {}", 1.0),
        "net_spend": Value("spent {} less refunds", "净消费 {}", 0.7),
        "monthly_spend": Value("spent {} a month", "月均消费 {}", 0.8),
        "spend_trend": Trend("spend", "消费"),
        "average_order_value": Value("orders of {} on average", "平均每单 {}", 0.8),
        "max_order_value": Value("largest order {}", "最大单笔 {}"),
        "order_value_spread": Value("order values vary by {}", "客单价波动 {}", 0.3),
        "last_purchase_spend": Value("spent {} on the last day with a purchase", "最近购买日消费 {}"),
        "first_purchase_spend": Value("spent {} on the first day with a purchase", "首次购买日消费 {}", 0.6),
        "spend_to_next_level": Value("{} to spend until the next member level", "距下一会员等级还需消费 {}"),
    },
    "basket": {
        "pieces": Count("piece bought", "pieces bought", "件购买", "购买件数"),
        "pieces_per_order": Value("{} pieces an order", "每单 {} 件"),
        "lines_per_order": Value("{} lines an order", "每单 {} 行商品", 0.5),
        "distinct_items_bought": Count("different item bought", "different items bought", "种商品购买", "商品购买"),
        "distinct_categories_bought": Count("category bought", "categories bought", "个购买品类", "购买品类"),
        "distinct_brands_bought": Count("brand bought", "brands bought", "个购买品牌", "购买品牌", 0.8),
        "repeat_item_share": Share("of the items bought again", "复购商品占"),
        "brand_loyalty": Share("of the purchases of one brand in its category", "品牌忠诚度"),
        "category_entropy": Value("spread over categories: {}", "品类分散度 {}", 0.2),
        "average_piece_price": Value("a piece costs {} on average", "件单价 {}"),
        "main_price_band_share": Share("of the purchases in one price band", "主要价格带占", 0.4),
    },
    "cart": {
        "cart_adds": Count("thing put into the cart", "things put into the cart", "次加购", "加购"),
        "cart_removes": More(
            "thing taken out of the cart", "things taken out of the cart", "次移出购物车", "移出购物车"
        ),
        "days_since_cart_add": Since("last put something into the cart", "never used the cart", "上次加购", "从未加购"),
        "days_since_cart_remove": Since(
            "last took something out of the cart", "has never emptied the cart", "上次移出购物车", "从未移出购物车", 0.6
        ),
        "cart_adds_trend": Trend("things put into the cart", "加购"),
        "cart_per_view": Share("of the views led to the cart", "浏览加购率"),
        "cart_remove_rate": Share("of what went into the cart was taken out", "购物车移除率"),
        "cart_left": More("thing left in the cart", "things left in the cart", "件加购未购", "加购未购"),
        "purchase_per_cart": Share("of what went into the cart was bought", "加购购买率"),
        "purchase_per_view": Share("of the views led to a purchase", "浏览购买率"),
        "viewed_bought_share": Share("of the items viewed were bought", "浏览商品购买占"),
    },
    "wish list": {
        "favorites": Count("favourite added", "favourites added", "次收藏", "收藏"),
        "days_since_favorite": Since("last added a favourite", "has never added a favourite", "上次收藏", "从未收藏"),
        "favorite_per_view": Share("of the views became favourites", "浏览收藏率"),
    },
    "supplies": {
        "regular_category_interval": Days("buys the regular category every {}", "规律品类每 {} 天复购"),
        "regular_category_lateness": Overdue("pause in the regular category", "规律品类间隔"),
        "categories_due": More("regular category due", "regular categories due", "个待补货品类", "待补货品类"),
        "regular_item_interval": Days("buys the regular item every {}", "规律商品每 {} 天复购"),
        "regular_item_lateness": Overdue("pause in the regular item", "规律商品间隔"),
        "items_due": More("regular item due", "regular items due", "件待补货商品", "待补货商品"),
    },
}
