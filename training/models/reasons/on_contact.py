"""What is said of messages, offers and trouble: concept -> stem of a tag -> its form."""

import math
from dataclasses import dataclass
from typing import Final

from training.models.reasons.phrases import Both, Count, More, Phrase, Share, Since, Value, number


@dataclass(frozen=True)
class Unopened:
    """Messages sent since one was opened."""

    plain: float = 1.0

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        if value == 0:
            return Both("opened the last message", "打开了最近一条消息")
        if value == 1:
            return Both("did not open the last message", "未打开最近一条消息")
        return Both(f"opened none of the last {number(value)} messages", f"最近 {number(value)} 条消息均未打开")


CONTACT: Final[dict[str, dict[str, Phrase]]] = {
    "messages": {
        "messages_since_opened": Unopened(),
        "messages_opened": Count("message opened", "messages opened", "条消息打开", "消息打开"),
        "message_open_rate": Share("of the messages opened", "消息打开率", 0.9),
        "messages_sent": More("message sent", "messages sent", "条触达消息", "触达消息", 0.8),
        "messages_since_active": More(
            "message since the last visit",
            "messages since the last visit",
            "条最近访问后的消息",
            "最近访问后的消息",
            0.9,
        ),
        "days_since_message_sent": Since("last message", "was never written to", "上次触达", "从未触达", 0.6),
        "days_since_message_opened": Since("last opened a message", "never opened one", "上次打开消息", "从未打开消息"),
    },
    "shown items": {
        "impressions": More("item shown", "items shown", "次曝光", "曝光"),
        "click_through_rate": Share("of the items shown were clicked", "点击率", 0.9),
        "impressions_since_active": More(
            "item shown since the last visit",
            "items shown since the last visit",
            "次最近访问后的曝光",
            "最近访问后的曝光",
            0.6,
        ),
        "days_since_impression": Since("last shown an item", "was never shown an item", "上次曝光", "从未曝光", 0.6),
        "shown_category_run": Value("the same category shown {} days running", "同类商品连续曝光 {} 天"),
        "shown_category_run_longest": Value("one category shown up to {} days running", "同类最长连续曝光 {} 天", 0.5),
    },
    "coupons and discounts": {
        "coupons_received": Count("coupon received", "coupons received", "张领取优惠券", "领券"),
        "coupons_redeemed": Count("coupon used", "coupons used", "张使用优惠券", "用券"),
        "coupon_use_rate": Share("of the coupons used", "优惠券使用率", 0.9),
        "coupons_per_order": Value("{} coupons an order", "每单用券 {} 张"),
        "days_since_coupon": Since("last used a coupon", "has never used a coupon", "上次用券", "从未用券"),
        "days_since_coupon_received": Since("last got a coupon", "has never got a coupon", "上次领券", "从未领券", 0.8),
        "coupon_order_share": Share("of the orders with a coupon", "用券订单占"),
        "discounts": Value("discounts of {}", "优惠 {}"),
        "discount_share": Share("discount", "折扣率", 0.6),
        "discount_order_share": Share("of the orders at a discount", "折扣订单占"),
    },
    "trouble": {
        "refunds": More("refund", "refunds", "次退款", "退款"),
        "refunded_amount": Value("{} refunded", "退款 {}"),
        "refund_rate": Share("of the orders refunded", "退款率", 0.9),
        "refunded_share": Share("of the spend refunded", "退款金额占消费"),
        "days_since_refund": Since("last refund", "has never had a refund", "上次退款", "从未退款"),
        "same_day_refunds": More(
            "purchase refunded the same day", "purchases refunded the same day", "天当日购退", "当日购退"
        ),
        "payment_failures": More("failed payment", "failed payments", "次支付失败", "支付失败"),
        "payment_failure_rate": Share("of the payments failed", "支付失败率", 0.8),
    },
}
