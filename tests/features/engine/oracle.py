"""What tags should be, in plain SQL straight on events: no Ibis, no partial tables, nothing shared with the product.

``{rows}`` stands for the events of the window that count at ``as_of``, ``$as_of`` for the moment. A tag that reads
events directly has an entry here, under its name without the window; a test finds those that have none.
"""

from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

_OWN = "event_type NOT IN ('impression', 'message_sent')"
_ITEM = "event_type IN ('view', 'click', 'favorite', 'cart_add', 'purchase')"
_INTEREST = """sum(CASE WHEN event_type IN ('view', 'click') THEN 1
                    WHEN event_type IN ('favorite', 'cart_add') THEN 3 ELSE 5 END)"""


def _plain(value: str, where: str = "true") -> str:
    return f"SELECT user_id, {value} AS value FROM {{rows}} WHERE {where} GROUP BY user_id"


def _number(kind: str) -> str:
    return _plain("count(*)", f"event_type = '{kind}'")


def _since(kind: str, which: str = "max") -> str:
    where = _OWN if kind == "own" else f"event_type = '{kind}'"
    return _plain(f"(epoch_us($as_of) - epoch_us({which}(occurred_at))) / 86400e6", where)


def _gaps(where: str, value: str) -> str:
    return f"""
    WITH days AS (SELECT DISTINCT user_id, occurred_at::DATE AS day FROM {{rows}} WHERE {where}),
    gaps AS (SELECT user_id, day, day - lag(day) OVER (PARTITION BY user_id ORDER BY day) AS gap FROM days)
    SELECT user_id, {value} AS value FROM gaps GROUP BY user_id"""


def _orders(value: str) -> str:
    return f"""
    SELECT user_id, {value} AS value FROM (
        SELECT user_id, coalesce(order_id, event_id) AS number, occurred_at::DATE AS day, count(*) AS lines,
               sum(coalesce(amount, 0)) AS amount
        FROM {{rows}} WHERE event_type = 'purchase' GROUP BY ALL) GROUP BY user_id"""


def _by(key: str, weight: str, where: str, value: str) -> str:
    """Weights per user and key, then a value over a user's keys; ``rank`` is 1 for the strongest key."""
    return f"""
    WITH weights AS (SELECT user_id, {key} AS key, {weight} AS weight
                     FROM {{rows}} WHERE {where} AND {key} IS NOT NULL GROUP BY ALL),
    shares AS (SELECT *, weight / sum(weight) OVER (PARTITION BY user_id) AS share,
                      row_number() OVER (PARTITION BY user_id ORDER BY weight DESC, key) AS rank FROM weights)
    SELECT user_id, {value} AS value FROM shares GROUP BY user_id"""


_TOP = "max(key) FILTER (WHERE rank = 1)"
_TOP_SHARE = "max(share)"
_ENTROPY = "-sum(share * ln(share))"
_BOUGHT = "event_type = 'purchase'"
_HOUR = "hour(occurred_at)"


def _hours(low: int, high: int) -> str:
    return _plain(f"count(*) FILTER (WHERE {_HOUR} BETWEEN {low} AND {high}) / count(*)", _OWN)


def _quiet(kind: str) -> str:
    return f"""
    SELECT r.user_id, count(*) AS value FROM {{rows}} r JOIN (
        SELECT user_id, max(occurred_at::DATE) AS day FROM {{rows}} WHERE {_OWN} GROUP BY user_id) AS l USING (user_id)
    WHERE event_type = '{kind}' AND occurred_at::DATE > l.day GROUP BY r.user_id"""


def _user(value: str) -> str:
    return f"SELECT user_id, {value} AS value FROM users"


ORACLE: dict[str, str] = {
    "active_days": _plain("count(DISTINCT occurred_at::DATE)", _OWN),
    "actions": _plain("count(*)", _OWN),
    "sessions": _plain("count(DISTINCT (session_id, occurred_at::DATE)) FILTER (WHERE session_id IS NOT NULL)", _OWN),
    "days_since_active": _since("own"),
    "tenure_days": _since("own", "min"),
    "active_day_share": _plain(
        "count(DISTINCT occurred_at::DATE) / ($as_of::DATE - min(occurred_at::DATE) + 1)::DOUBLE", _OWN
    ),
    "weekend_share": _plain("count(*) FILTER (WHERE isodow(occurred_at) >= 6) / count(*)", _OWN),
    "active_gap_mean": _gaps(_OWN, "avg(gap)"),
    "active_gap_max": _gaps(_OWN, "max(gap)"),
    "active_gap_last": _gaps(_OWN, "arg_max(gap, day)"),
    "views": _number("view"),
    "clicks": _number("click"),
    "searches": _number("search"),
    "favorites": _number("favorite"),
    "cart_adds": _number("cart_add"),
    "cart_removes": _number("cart_remove"),
    "orders_placed": _number("order"),
    "purchases": _number("purchase"),
    "reviews": _number("review"),
    "articles_read": _number("article_read"),
    "dwells": _number("dwell"),
    "refunds": _number("refund"),
    "shares": _number("share"),
    "invites": _number("invite"),
    "coupons_received": _number("coupon_receive"),
    "coupons_redeemed": _number("coupon_redeem"),
    "messages_sent": _number("message_sent"),
    "messages_opened": _number("message_open"),
    "impressions": _number("impression"),
    "days_since_view": _since("view"),
    "days_since_cart_add": _since("cart_add"),
    "days_since_search": _since("search"),
    "days_since_purchase": _since("purchase"),
    "days_since_first_purchase": _since("purchase", "min"),
    "days_since_refund": _since("refund"),
    "days_since_share": _since("share"),
    "days_since_coupon": _since("coupon_redeem"),
    "days_since_message_sent": _since("message_sent"),
    "days_since_message_opened": _since("message_open"),
    "distinct_items_viewed": _plain("count(DISTINCT item_id)", "event_type IN ('view', 'click')"),
    "distinct_items_bought": _plain("count(DISTINCT item_id)", _BOUGHT),
    "distinct_categories_bought": _plain("count(DISTINCT category)", _BOUGHT),
    "repeat_item_share": _by("item_id", "count(*)", _BOUGHT, "count(*) FILTER (WHERE weight > 1) / count(*)"),
    "category_entropy": _by("category", "count(*)", _BOUGHT, _ENTROPY),
    "orders": _orders("count(*)"),
    "spend": _plain("sum(amount)", _BOUGHT),
    "pieces": _plain("sum(coalesce(quantity, 1))", _BOUGHT),
    "purchase_days": _plain("count(DISTINCT occurred_at::DATE)", _BOUGHT),
    "max_order_value": _orders("max(amount)"),
    "order_value_spread": _orders("stddev_samp(amount)"),
    "lines_per_order": _orders("avg(lines)"),
    "purchase_gap_mean": _gaps(_BOUGHT, "avg(gap)"),
    "purchase_gap_spread": _gaps(_BOUGHT, "stddev_samp(gap)"),
    "purchase_gap_max": _gaps(_BOUGHT, "max(gap)"),
    "refunded_amount": _plain("sum(amount)", "event_type = 'refund'"),
    "top_category": _by("category", _INTEREST, _ITEM, _TOP),
    "top_category_share": _by("category", _INTEREST, _ITEM, _TOP_SHARE),
    "interest_categories": _by("category", _INTEREST, _ITEM, "count(*)"),
    "interest_entropy": _by("category", _INTEREST, _ITEM, _ENTROPY),
    "top_department": _by("split_part(category, ' > ', 1)", _INTEREST, _ITEM, _TOP),
    "top_brand": _by("brand", _INTEREST, _ITEM, _TOP),
    "top_brand_share": _by("brand", _INTEREST, _ITEM, _TOP_SHARE),
    "top_item": _by("item_id", _INTEREST, _ITEM, _TOP),
    "main_channel": _by("channel", "count(*)", _OWN, _TOP),
    "main_channel_share": _by("channel", "count(*)", _OWN, _TOP_SHARE),
    "channels": _by("channel", "count(*)", _OWN, "count(*)"),
    "purchase_channel": _by("channel", "count(*)", _BOUGHT, _TOP),
    "night_share": _hours(0, 5),
    "morning_share": _hours(6, 11),
    "afternoon_share": _hours(12, 17),
    "evening_share": _hours(18, 23),
    "best_send_hour": _by(_HOUR, "count(*)", _OWN, _TOP),
    "purchase_hour": _by(_HOUR, "count(*)", _BOUGHT, _TOP),
    "hour_entropy": _by(_HOUR, "count(*)", _OWN, _ENTROPY),
    "messages_since_active": _quiet("message_sent"),
    "impressions_since_active": _quiet("impression"),
    "days_since_registration": """SELECT user_id, (epoch_us($as_of) - epoch_us(registered_at)) / 86400e6 AS value
                                  FROM users WHERE registered_at < $as_of""",
    "source_channel": _user("source_channel"),
    "given_member_level": _user("member_level"),
    "accepts_marketing": _user("consent_marketing"),
    "accepts_personalization": _user("consent_personalization"),
} | {
    key: _user(f"demographics ->> '$.{key}'")
    for key in ("age", "gender", "city", "income", "marital_status", "household_size", "kids_count")
}


class Oracle:
    """The truth about one set of tables at one moment."""

    def __init__(self, events: pa.Table, items: pa.Table, users: pa.Table, as_of: datetime) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        for name, given in (("events", events), ("items", items), ("users_given", users)):
            self._connection.register(name, given)
        self._as_of = as_of.astimezone(UTC).replace(tzinfo=None)
        self._run("""CREATE TABLE counting AS
            SELECT e.* REPLACE (occurred_at::TIMESTAMP AS occurred_at), category, brand
            FROM events e LEFT JOIN items USING (item_id)
            WHERE occurred_at::TIMESTAMP < $as_of AND coalesce(received_at::TIMESTAMP <= $as_of, true)
                  AND user_id IS NOT NULL""")
        self._connection.execute(
            "CREATE TABLE users AS SELECT * REPLACE (registered_at::TIMESTAMP AS registered_at) FROM users_given"
        )

    def population(self) -> list[str]:
        rows = self._connection.execute(f"SELECT DISTINCT user_id FROM counting WHERE {_OWN} ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def values(self, stem: str, days: int | None) -> dict[str, Any]:
        """The tag's value per user that has one."""
        rows = "counting"
        if days is not None:
            rows = f"""(SELECT * FROM counting
                        WHERE occurred_at >= date_trunc('day', $as_of::TIMESTAMP) - INTERVAL {days} DAY)"""
        found = self._run(ORACLE[stem].format(rows=rows)).fetchall()
        return {user: value for user, value in found if value is not None}

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        given = {"as_of": self._as_of} if "$as_of" in sql else None
        return self._connection.execute(sql, given)
