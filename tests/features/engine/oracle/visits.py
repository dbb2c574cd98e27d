"""Visits and what is done on them: activity, behaviour, conversion, time of day, channel."""

from tests.features.engine.oracle.parts import (
    BOUGHT,
    DAY,
    ENTROPY,
    INTEREST,
    ITEM,
    OWN,
    TOP,
    TOP_SHARE,
    by,
    gaps,
    number,
    plain,
    runs,
    since,
    told,
)

_HOUR = "hour(occurred_at)"
_WEEKDAY = "isodow(occurred_at) - 1"
_ACTIVE_DAYS = f"SELECT DISTINCT user_id, {DAY} AS day FROM counting WHERE {OWN}"
_SECONDS = told("dwell_seconds")
_VIEWED = "event_type IN ('view', 'click')"


def _hours(low: int, high: int) -> str:
    return plain(f"count(*) FILTER (WHERE {_HOUR} BETWEEN {low} AND {high}) / count(*)", OWN)


def _on(day: int) -> str:
    return plain(f"count(*) FILTER (WHERE isodow(occurred_at) = {day}) / count(*)", OWN)


def _end(order: str) -> str:
    """The channel of the first or the last hour."""
    return f"""SELECT DISTINCT ON (user_id) user_id, channel AS value FROM {{rows}}
               WHERE {OWN} AND channel IS NOT NULL ORDER BY user_id, date_trunc('hour', occurred_at) {order}, channel"""


VISITS: dict[str, str] = {
    "active_days": plain(f"count(DISTINCT {DAY})", OWN),
    "actions": plain("count(*)", OWN),
    "sessions": plain(f"count(DISTINCT (session_id, {DAY})) FILTER (WHERE session_id IS NOT NULL)", OWN),
    "days_since_active": since("own"),
    "tenure_days": since("own", "min"),
    "active_day_share": plain(f"count(DISTINCT {DAY}) / ($as_of::DATE - min({DAY}) + 1)::DOUBLE", OWN),
    "weekend_share": plain("count(*) FILTER (WHERE isodow(occurred_at) >= 6) / count(*)", OWN),
    "monday_share": _on(1),
    "tuesday_share": _on(2),
    "wednesday_share": _on(3),
    "thursday_share": _on(4),
    "friday_share": _on(5),
    "saturday_share": _on(6),
    "sunday_share": _on(7),
    "best_send_weekday": by(_WEEKDAY, "count(*)", OWN, TOP),
    "purchase_weekday": by(_WEEKDAY, "count(*)", BOUGHT, TOP),
    "weekday_entropy": by(_WEEKDAY, "count(*)", OWN, ENTROPY),
    "dwells": number("dwell"),
    "dwell_seconds": plain(f"coalesce(sum({_SECONDS}), 0)", f"event_type = 'dwell' AND {_SECONDS} BETWEEN 0 AND 21600"),
    "active_gap_mean": gaps(OWN, "avg(gap)"),
    "active_gap_max": gaps(OWN, "max(gap)"),
    "active_gap_spread": gaps(OWN, "stddev_samp(gap)"),
    "active_gap_last": gaps(OWN, "arg_max(gap, day)"),
    "current_streak": runs(_ACTIVE_DAYS, "user_id", "max(length) FILTER (WHERE last >= $as_of::DATE - 1)"),
    "longest_streak": runs(_ACTIVE_DAYS, "user_id", "max(length)"),
    "returns": gaps(OWN, "count(*) FILTER (WHERE gap > 30)"),
    "days_since_return": gaps(OWN, "$as_of::DATE - max(day) FILTER (WHERE gap > 30)"),
    "views": number("view"),
    "clicks": number("click"),
    "session_starts": number("session_start"),
    "searches": number("search"),
    "favorites": number("favorite"),
    "cart_adds": number("cart_add"),
    "cart_removes": number("cart_remove"),
    "orders_placed": number("order"),
    "purchases": number("purchase"),
    "reviews": number("review"),
    "articles_read": number("article_read"),
    "days_since_view": since("view"),
    "days_since_click": since("click"),
    "days_since_dwell": since("dwell"),
    "days_since_session_start": since("session_start"),
    "days_since_search": since("search"),
    "days_since_favorite": since("favorite"),
    "days_since_cart_add": since("cart_add"),
    "days_since_cart_remove": since("cart_remove"),
    "days_since_order_placed": since("order"),
    "days_since_review": since("review"),
    "days_since_article": since("article_read"),
    "distinct_items_viewed": plain("count(DISTINCT item_id)", _VIEWED),
    "views_per_item": plain("count(item_id) / nullif(count(DISTINCT item_id), 0)", _VIEWED),
    "viewed_bought_share": f"""
        WITH seen AS (SELECT DISTINCT user_id, item_id FROM {{rows}} WHERE {_VIEWED} AND item_id IS NOT NULL),
        bought AS (SELECT DISTINCT user_id, item_id, true AS bought FROM {{rows}} WHERE {BOUGHT})
        SELECT user_id, count(bought) / count(*) AS value FROM seen LEFT JOIN bought USING (user_id, item_id)
        GROUP BY user_id""",
    "wanted_item": by("item_id", f"CASE WHEN count(*) FILTER (WHERE {BOUGHT}) = 0 THEN {INTEREST} END", ITEM, TOP),
    "night_share": _hours(0, 5),
    "morning_share": _hours(6, 11),
    "afternoon_share": _hours(12, 17),
    "evening_share": _hours(18, 23),
    "best_send_hour": by(_HOUR, "count(*)", OWN, TOP),
    "purchase_hour": by(_HOUR, "count(*)", BOUGHT, TOP),
    "open_hour": by(_HOUR, "count(*)", "event_type = 'message_open'", TOP),
    "hour_entropy": by(_HOUR, "count(*)", OWN, ENTROPY),
    "main_channel": by("channel", "count(*)", OWN, TOP),
    "main_channel_share": by("channel", "count(*)", OWN, TOP_SHARE),
    "channels": by("channel", "count(*)", OWN, "count(*)"),
    "channel_entropy": by("channel", "count(*)", OWN, ENTROPY),
    "purchase_channel": by("channel", "count(*)", BOUGHT, TOP),
    "purchase_channel_share": by("channel", "count(*)", BOUGHT, TOP_SHARE),
    "first_channel": _end("ASC"),
    "last_channel": _end("DESC"),
}
