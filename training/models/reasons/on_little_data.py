"""Why no churn model can be fitted, in words: what is missing of a log, in numbers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from features.contracts.events import Activity, EventType, SignOfLife
from training.models.churn_config import ChurnLabel
from training.models.reasons.phrases import Both

#: What a user who stays would do, in Chinese; in English it is the word of the contract.
DONE: Final[Mapping[SignOfLife, str]] = {
    EventType.VIEW: "浏览",
    EventType.CLICK: "点击",
    EventType.DWELL: "停留",
    EventType.SEARCH: "搜索",
    EventType.FAVORITE: "收藏",
    EventType.CART_ADD: "加购",
    EventType.CART_REMOVE: "移出购物车",
    EventType.ORDER: "下单",
    EventType.PURCHASE: "购买",
    EventType.REFUND: "退款",
    EventType.REVIEW: "评价",
    EventType.SHARE: "分享",
    EventType.INVITE: "邀请",
    EventType.SESSION_START: "启动",
    EventType.ARTICLE_READ: "文章阅读",
    EventType.COUPON_RECEIVE: "领券",
    EventType.COUPON_REDEEM: "用券",
    EventType.MESSAGE_OPEN: "打开消息",
    Activity.ANY: "活动",
}


def no_event(event: SignOfLife, cutoff: datetime) -> Both:
    """There is no ``event`` before ``cutoff``."""
    return Both(
        f"there is no {event} before {cutoff.isoformat()}; churn cannot be learnt",
        f"{_moment(cutoff)} 之前没有{DONE[event]}记录，无法学习流失规律",
    )


def short_history(label: ChurnLabel, first: datetime, cutoff: datetime, needed: datetime) -> Both:
    """History begins at ``first``; a cut-off before ``needed`` is too early for the horizon of ``label``."""
    days, least = ((moment - first) / timedelta(days=1) for moment in (cutoff, needed))
    return Both(
        f"history is too short: the first {label.event} before {cutoff.isoformat()} is at {first.isoformat()}, "
        f"which is {days:.1f} days; a horizon of {label.horizon_days:g} days needs {least:g} days, "
        f"so wait until {needed.isoformat()} or take a shorter horizon",
        f"历史太短：{_moment(cutoff)} 之前最早的{DONE[label.event]}在 {_moment(first)}，仅有 {days:.1f} 天；"
        f"{label.horizon_days:g} 天的观察窗口需要 {least:g} 天历史，请等到 {_moment(needed)}，或缩短观察窗口",
    )


def few_of_a_kind(label: ChurnLabel, count: int, snapshots: int, cutoff: datetime, least: int, *, left: bool) -> Both:
    """Only ``count`` users of all ``snapshots`` ``left``, or stayed, where ``least`` are needed."""
    did, did_zh = ("had no", "没有") if left else ("had a", "有过")
    opens = f"从第 {label.opens / timedelta(days=1):g} 天起 " if label.opens else ""
    return Both(
        f"{count} users of {snapshots} snapshots before {cutoff.isoformat()} {did} {label.text}; "
        f"at least {least} are needed to learn what sets them apart",
        f"在 {_moment(cutoff)} 之前的 {snapshots} 个快照中，{opens}{label.horizon_days:g} 天内{did_zh}"
        f"{DONE[label.event]}的用户只有 {count} 名；至少需要 {least} 名才能学到差异",
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
