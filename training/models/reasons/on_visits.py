"""What is said of visits, absence, browsing, habits and channels: concept -> stem of a tag -> its form."""

from typing import Final

from training.models.reasons.phrases import (
    WEEKDAYS,
    Count,
    Days,
    Moment,
    More,
    Overdue,
    Phrase,
    Share,
    Since,
    Trend,
    Value,
)

_ZH_DAYS = "一二三四五六日"

VISITS: Final[dict[str, dict[str, Phrase]]] = {
    "visits": {
        "active_days": Count("active day", "active days", "天活跃", "活跃天数"),
        "sessions": Count("visit", "visits", "次访问", "访问"),
        "session_starts": Count("visit", "visits", "次访问", "访问", 0.9),
        "actions": Count("action", "actions", "次行为", "行为", 0.8),
        "active_day_share": Share("of the days since the first visit active", "自首次访问以来活跃天数占"),
        "sessions_per_active_day": Value("{} visits on a day when active", "活跃日日均访问 {} 次"),
        "actions_per_active_day": Value("{} actions on a day when active", "活跃日日均行为 {} 次"),
        "actions_per_session": Value("{} actions a visit", "每次访问行为 {} 次"),
        "current_streak": Days("here {} running until now", "已连续活跃 {} 天"),
        "longest_streak": Days("here at most {} running", "最长连续活跃 {} 天", 0.5),
        "active_days_trend": Trend("active days", "活跃天数"),
        "actions_trend": Trend("actions", "行为次数"),
        "busiest_hour_actions": Value("{} actions in the busiest hour", "单小时最多 {} 次行为", 0.3),
    },
    "absence": {
        "days_since_active": Since("last seen", "has never been here", "上次到访", "从未到访"),
        "days_since_session_start": Since("last visit", "has never opened the mall", "上次启动", "从未启动", 0.9),
        "visit_overdue": Overdue("absence", "未访问时长"),
        "visit_lateness": Value("late for a visit by {} times the usual spread", "访问晚于平时波动的 {} 倍", 0.4),
        "days_to_next_visit": Days("next visit expected in {}", "距预期下次访问 {} 天"),
        "active_gap_mean": Days("usually comes every {}", "平均每 {} 天访问一次", 0.9),
        "active_gap_spread": Days("days between visits vary by {}", "访问间隔波动 {} 天", 0.4),
        "active_gap_max": Days("longest absence before: {}", "此前最长 {} 天未访问"),
        "active_gap_last": Days("was away {} before the last visit", "上次访问前间隔 {} 天"),
    },
    "time on pages": {
        "dwell_seconds": Value("{} seconds on pages", "页面停留 {} 秒"),
        "dwells": Count("page read", "pages read", "次页面停留", "页面停留", 0.8),
        "dwell_per_report": Value("{} seconds a page", "单页停留 {} 秒"),
        "dwell_per_view": Value("{} seconds an item viewed", "每次浏览停留 {} 秒"),
        "dwell_per_session": Value("{} seconds on pages a visit", "每次访问停留 {} 秒"),
        "days_since_dwell": Since("last read a page", "has never stayed on a page", "上次停留", "从未停留"),
        "dwell_seconds_trend": Trend("seconds on pages", "页面停留"),
        "impossible_dwell_share": Share("of the page times impossible", "异常停留占", 0.3),
    },
    "browsing": {
        "views": Count("item view", "item views", "次商品浏览", "商品浏览"),
        "clicks": Count("click", "clicks", "次点击", "点击"),
        "distinct_items_viewed": Count(
            "different item viewed", "different items viewed", "种商品浏览", "商品浏览", 0.8
        ),
        "views_per_session": Value("{} item views a visit", "每次访问浏览 {} 件商品"),
        "views_per_item": Value("{} views an item", "单品浏览 {} 次", 0.5),
        "days_since_view": Since(
            "last looked at an item", "has never looked at an item", "上次浏览商品", "从未浏览商品"
        ),
        "days_since_click": Since("last click", "has never clicked", "上次点击", "从未点击", 0.8),
        "views_trend": Trend("item views", "商品浏览"),
    },
    "searching": {
        "searches": Count("search", "searches", "次搜索", "搜索"),
        "days_since_search": Since("last search", "has never searched", "上次搜索", "从未搜索"),
        "searches_trend": Trend("searches", "搜索"),
    },
    "interests": {
        "top_category_share": Share("of the interest in one category", "首位品类关注度占"),
        "top_department_share": Share("of the interest in one department", "首位一级品类关注度占"),
        "category_2_share": Share("of the interest in the second category", "第二品类关注度占", 0.4),
        "category_3_share": Share("of the interest in the third category", "第三品类关注度占", 0.4),
        "interest_categories": Count("category of interest", "categories of interest", "个关注品类", "关注品类"),
        "interest_entropy": Value("spread of interest over categories: {}", "品类兴趣分散度 {}", 0.3),
        "rising_category_gain": Share("more of the interest went to a rising category", "上升品类关注度增加", 0.4),
        "fading_category_loss": Share("less of the interest went to a fading category", "下降品类关注度减少", 0.4),
        "top_brand_share": Share("of the interest in one brand", "首位品牌关注度占"),
        "brand_2_share": Share("of the interest in the second brand", "第二品牌关注度占", 0.4),
        "brand_3_share": Share("of the interest in the third brand", "第三品牌关注度占", 0.4),
        "top_price_band_share": Share("of the interest in one price band", "首位价格带关注度占", 0.5),
        "price_band_2_share": Share("of the interest in the second price band", "第二价格带关注度占", 0.4),
        "price_band_3_share": Share("of the interest in the third price band", "第三价格带关注度占", 0.4),
    },
    "time as a customer": {
        "tenure_days": Days("first seen {} ago", "首次访问距今 {} 天"),
        "days_since_registration": Days("registered {} ago", "注册已 {} 天"),
        "days_in_stage": Days("in the present stage for {}", "处于当前阶段 {} 天", 0.5),
        "days_to_first_purchase": Days("bought first {} after the first visit", "首访后 {} 天首次购买"),
    },
    "coming back": {
        "returns": Count("return after a long absence", "returns after a long absence", "次回流", "回流"),
        "days_since_return": Since(
            "came back after a long absence", "has never been lost", "上次回流", "从未流失", 0.8
        ),
    },
    "habits": {
        **{
            f"{day.lower()}_share": Share(f"of the actions on {day}s", f"周{zh}行为占", 0.4)
            for day, zh in zip(WEEKDAYS, _ZH_DAYS, strict=True)
        },
        "weekend_share": Share("of the actions at weekends", "周末行为占", 0.6),
        "weekday_entropy": Value("spread over the weekdays: {}", "星期分散度 {}", 0.2),
        "best_send_weekday": Moment("mostly here on {}s", "多在{}活跃", weekday=True),
        "purchase_weekday": Moment("mostly buys on {}s", "多在{}购买", weekday=True),
        "night_share": Share("of the actions at night", "凌晨行为占", 0.6),
        "morning_share": Share("of the actions in the morning", "上午行为占", 0.6),
        "afternoon_share": Share("of the actions in the afternoon", "下午行为占", 0.6),
        "evening_share": Share("of the actions in the evening", "晚间行为占", 0.6),
        "best_send_hour": Moment("mostly here about {} (UTC)", "多在 {}（UTC）活跃", weekday=False),
        "purchase_hour": Moment("mostly buys about {} (UTC)", "多在 {}（UTC）购买", weekday=False),
        "open_hour": Moment("mostly opens messages about {} (UTC)", "多在 {}（UTC）打开消息", weekday=False),
        "hour_entropy": Value("spread over the hours: {}", "时段分散度 {}", 0.2),
    },
    "channels": {
        "main_channel_share": Share("of the actions through one channel", "主要渠道行为占"),
        "channels": Count("channel used", "channels used", "个使用渠道", "使用渠道"),
        "purchase_channel_share": Share("of the purchases through one channel", "主要购买渠道占", 0.6),
        "channel_entropy": Value("spread over channels: {}", "渠道分散度 {}", 0.3),
    },
    "sharing": {
        "shares": Count("share", "shares", "次分享", "分享"),
        "invites": Count("invitation", "invitations", "次邀请", "邀请"),
        "shares_per_view": Share("of the views shared", "浏览分享率", 0.5),
        "days_since_share": Since("last shared something", "has never shared", "上次分享", "从未分享"),
        "days_since_invite": Since("last invited somebody", "has never invited anybody", "上次邀请", "从未邀请"),
        "invited_users": Count("user brought along", "users brought along", "位邀请到的用户", "邀请到的用户"),
        "invite_success": Share("of the invitations brought a user", "邀请成功率", 0.6),
    },
    "writing and reading": {
        "articles_read": Count("article read", "articles read", "次文章阅读", "文章阅读"),
        "reviews": Count("review written", "reviews written", "次评价", "评价"),
        "days_since_review": Since("last review", "has never written a review", "上次评价", "从未评价"),
        "days_since_article": Since(
            "last read an article", "has never read an article", "上次阅读文章", "从未阅读文章"
        ),
        "rating_mean": Value("rates with {} stars on average", "平均评分 {} 星"),
        "bad_reviews": More("bad review", "bad reviews", "次差评", "差评"),
        "bad_review_share": Share("of the reviews bad", "差评率"),
    },
}
