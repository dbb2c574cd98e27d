"""Buying and its troubles: consumption, replenishment, promotion, service, value."""

from tests.features.engine.oracle.parts import (
    BOUGHT,
    DAY,
    ENTROPY,
    OWN,
    TOP,
    TOP_SHARE,
    by,
    gaps,
    number,
    orders,
    plain,
    since,
    told,
)

_RATING = told("rating")
_SECONDS = told("dwell_seconds")
_RATED = f"event_type = 'review' AND {_RATING} BETWEEN 1 AND 5"


def band(price: str) -> str:
    """P1 below 10, P2 below 50, P3 below 200, P4 below 1000, else P5."""
    return f"""CASE WHEN {price} < 10 THEN 'P1' WHEN {price} < 50 THEN 'P2' WHEN {price} < 200 THEN 'P3'
                    WHEN {price} < 1000 THEN 'P4' WHEN {price} IS NOT NULL THEN 'P5' END"""


def _bands(value: str) -> str:
    """Purchase lines by the price that the user paid per piece of the item that day."""
    return f"""
    WITH days AS (SELECT user_id, count(*) AS lines,
                         sum(coalesce(amount, 0)) / sum(coalesce(quantity, 1)) AS price
                  FROM {{rows}} WHERE {BOUGHT} AND item_id IS NOT NULL GROUP BY user_id, item_id, {DAY}),
    bands AS (SELECT user_id, {band("price")} AS key, sum(lines) AS weight FROM days GROUP BY ALL),
    shares AS (SELECT *, weight / sum(weight) OVER (PARTITION BY user_id) AS share,
                      row_number() OVER (PARTITION BY user_id ORDER BY weight DESC, key) AS rank FROM bands)
    SELECT user_id, {value} AS value FROM shares GROUP BY user_id"""


def _rebought(key: str, value: str) -> str:
    """Keys bought on three days or more. ``late`` 1 is the latest that is due, ``even`` 1 the most even."""
    return f"""
    WITH days AS (SELECT DISTINCT user_id, {key} AS key, {DAY} AS day FROM {{rows}}
                  WHERE {BOUGHT} AND {key} IS NOT NULL),
    steps AS (SELECT *, day - lag(day) OVER (PARTITION BY user_id, key ORDER BY day) AS step FROM days),
    habits AS (SELECT user_id, key, avg(step) AS interval, ($as_of::DATE - max(day)) / avg(step) AS lateness,
                      round(stddev_pop(step) / avg(step), 9) AS spread
               FROM steps GROUP BY ALL HAVING count(*) >= 3),
    placed AS (SELECT *, round(lateness, 9) BETWEEN 1 AND 3 AS due,
                      row_number() OVER (PARTITION BY user_id ORDER BY spread, key) AS even,
                      row_number() OVER (PARTITION BY user_id, due ORDER BY round(lateness, 9) DESC, key) AS late
               FROM habits)
    SELECT user_id, {value} AS value FROM placed GROUP BY user_id"""


_DUE = "count(*) FILTER (WHERE due)"
_LATEST = "max(key) FILTER (WHERE due AND late = 1)"

BUYING: dict[str, str] = {
    "days_since_purchase": since("purchase"),
    "days_since_first_purchase": since("purchase", "min"),
    "distinct_items_bought": plain("count(DISTINCT item_id)", BOUGHT),
    "distinct_categories_bought": plain("count(DISTINCT category)", BOUGHT),
    "distinct_brands_bought": plain("count(DISTINCT brand)", BOUGHT),
    "main_brand_bought": by("brand", "count(*)", BOUGHT, TOP),
    "brand_loyalty": by("brand", "count(*)", BOUGHT, TOP_SHARE),
    "repeat_item_share": by("item_id", "count(*)", BOUGHT, "count(*) FILTER (WHERE weight > 1) / count(*)"),
    "category_entropy": by("category", "count(*)", BOUGHT, ENTROPY),
    "orders": orders("count(*)"),
    "spend": plain("sum(amount)", BOUGHT),
    "pieces": plain("sum(coalesce(quantity, 1))", BOUGHT),
    "purchase_days": plain(f"count(DISTINCT {DAY})", BOUGHT),
    "max_order_value": orders("max(amount)"),
    "order_value_spread": orders("stddev_samp(amount)"),
    "lines_per_order": orders("avg(lines)"),
    "purchase_gap_mean": gaps(BOUGHT, "avg(gap)"),
    "purchase_gap_spread": gaps(BOUGHT, "stddev_samp(gap)"),
    "purchase_gap_max": gaps(BOUGHT, "max(gap)"),
    "last_purchase_spend": gaps(BOUGHT, "coalesce(arg_max(coalesce(spent, 0), day), 0)"),
    "first_purchase_spend": gaps(BOUGHT, "coalesce(arg_min(coalesce(spent, 0), day), 0)"),
    "second_purchase_after": gaps(BOUGHT, "arg_min(gap, day) FILTER (WHERE gap IS NOT NULL)"),
    "main_price_band": _bands(TOP),
    "main_price_band_share": _bands(TOP_SHARE),
    "regular_category": _rebought("category", "max(key) FILTER (WHERE even = 1)"),
    "regular_category_interval": _rebought("category", "max(interval) FILTER (WHERE even = 1)"),
    "regular_category_lateness": _rebought("category", "max(lateness) FILTER (WHERE even = 1)"),
    "categories_due": _rebought("category", _DUE),
    "overdue_category": _rebought("category", _LATEST),
    "regular_item": _rebought("item_id", "max(key) FILTER (WHERE even = 1)"),
    "regular_item_interval": _rebought("item_id", "max(interval) FILTER (WHERE even = 1)"),
    "regular_item_lateness": _rebought("item_id", "max(lateness) FILTER (WHERE even = 1)"),
    "items_due": _rebought("item_id", _DUE),
    "overdue_item": _rebought("item_id", _LATEST),
    "coupons_received": number("coupon_receive"),
    "coupons_redeemed": number("coupon_redeem"),
    "days_since_coupon": since("coupon_redeem"),
    "days_since_coupon_received": since("coupon_receive"),
    "coupon_order_share": orders("count(*) FILTER (WHERE coupon) / count(*)"),
    "discounts": plain(f"sum({told('discount')})", BOUGHT),
    "discount_order_share": orders("count(*) FILTER (WHERE discount > 0) / count(*)"),
    "refunds": number("refund"),
    "refunded_amount": plain("sum(amount)", "event_type = 'refund'"),
    "days_since_refund": since("refund"),
    "bad_reviews": plain(f"count(*) FILTER (WHERE {_RATING} <= 2)", _RATED),
    "bad_review_share": plain(f"count(*) FILTER (WHERE {_RATING} <= 2) / count(*)", _RATED),
    "rating_mean": plain(f"avg({_RATING})", _RATED),
    "payment_failures": plain("count(*)", "event_type = 'order' AND properties ->> '$.payment' = 'failed'"),
    "impossible_dwell_share": plain(
        f"count(*) FILTER (WHERE {_SECONDS} NOT BETWEEN 0 AND 21600) / count(*)",
        f"event_type = 'dwell' AND {_SECONDS} IS NOT NULL",
    ),
    "busiest_hour_actions": f"""
        SELECT user_id, max(n) AS value FROM (
            SELECT user_id, channel, date_trunc('hour', occurred_at) AS hour, count(*) AS n
            FROM {{rows}} WHERE {OWN} GROUP BY ALL) GROUP BY user_id""",
    "same_day_refunds": f"""
        SELECT user_id, count(*) AS value FROM (
            SELECT user_id, {DAY} AS day FROM {{rows}} GROUP BY ALL
            HAVING bool_or({BOUGHT}) AND bool_or(event_type = 'refund')) GROUP BY user_id""",
}
