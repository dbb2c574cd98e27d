"""Tastes, and what the mall makes of them: interest, fatigue."""

from tests.features.engine.oracle.buying import band
from tests.features.engine.oracle.parts import (
    DAY,
    ENTROPY,
    INTEREST,
    ITEM,
    OWN,
    TOP,
    TOP_SHARE,
    by,
    key_at,
    number,
    ranked,
    runs,
    share_at,
    since,
)

_DEPARTMENT = "split_part(category, ' > ', 1)"


def _price_bands(value: str) -> str:
    """Interest by the price paid for a piece of the item that day, or by the listed price where nothing was bought."""
    return ranked(
        f"""
        WITH days AS (
            SELECT user_id, {INTEREST} AS interest,
                   CASE WHEN bool_or(event_type = 'purchase')
                        THEN (sum(coalesce(amount, 0)) FILTER (WHERE event_type = 'purchase'))
                             / (sum(coalesce(quantity, 1)) FILTER (WHERE event_type = 'purchase'))
                        ELSE max(price) END AS price
            FROM {{rows}} WHERE {ITEM} AND item_id IS NOT NULL GROUP BY user_id, item_id, {DAY})
        SELECT user_id, {band("price")} AS key, sum(interest) AS weight FROM days GROUP BY ALL""",
        value,
    )


def _shift(sign: int, value: str) -> str:
    """Change of a category's share from the 60 days before the last 30 to these, times ``sign``, above 0."""
    recent = "occurred_at >= $as_of::DATE - 30"
    return f"""
    WITH interest AS (
        SELECT user_id, category AS key, coalesce({INTEREST} FILTER (WHERE {recent}), 0) AS recent,
               coalesce({INTEREST} FILTER (WHERE NOT ({recent})), 0) AS before
        FROM counting WHERE {ITEM} AND category IS NOT NULL AND occurred_at >= $as_of::DATE - 90 GROUP BY ALL),
    shares AS (SELECT user_id, key, round({sign} * (recent / nullif(sum(recent) OVER (PARTITION BY user_id), 0)
                      - before / nullif(sum(before) OVER (PARTITION BY user_id), 0)), 9) AS change FROM interest),
    placed AS (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY change DESC, key) AS rank
               FROM shares WHERE change > 0)
    SELECT user_id, {value} AS value FROM placed WHERE rank = 1 GROUP BY user_id"""


def _quiet(kind: str, where: str = OWN) -> str:
    """Events of the mall on days after the last one with an event of ``where``; all of them without one."""
    return f"""
    SELECT r.user_id, count(*) AS value FROM {{rows}} r LEFT JOIN (
        SELECT user_id, max({DAY}) AS day FROM {{rows}} WHERE {where} GROUP BY user_id) AS l USING (user_id)
    WHERE event_type = '{kind}' AND r.occurred_at::DATE > coalesce(l.day, '-infinity'::DATE) GROUP BY r.user_id"""


def _shown(value: str) -> str:
    days = f"""
        SELECT DISTINCT ON (user_id, day) user_id, day, category FROM (
            SELECT user_id, {DAY} AS day, category, count(*) AS n FROM {{rows}}
            WHERE event_type = 'impression' AND category IS NOT NULL GROUP BY ALL)
        ORDER BY user_id, day, n DESC, category"""
    return runs(days, "user_id, category", value)


TASTES: dict[str, str] = {
    "top_category": by("category", INTEREST, ITEM, TOP),
    "top_category_share": by("category", INTEREST, ITEM, TOP_SHARE),
    "category_2": by("category", INTEREST, ITEM, key_at(2)),
    "category_2_share": by("category", INTEREST, ITEM, share_at(2)),
    "category_3": by("category", INTEREST, ITEM, key_at(3)),
    "category_3_share": by("category", INTEREST, ITEM, share_at(3)),
    "interest_categories": by("category", INTEREST, ITEM, "count(*)"),
    "interest_entropy": by("category", INTEREST, ITEM, ENTROPY),
    "top_department": by(_DEPARTMENT, INTEREST, ITEM, TOP),
    "top_department_share": by(_DEPARTMENT, INTEREST, ITEM, TOP_SHARE),
    "top_brand": by("brand", INTEREST, ITEM, TOP),
    "top_brand_share": by("brand", INTEREST, ITEM, TOP_SHARE),
    "brand_2": by("brand", INTEREST, ITEM, key_at(2)),
    "brand_2_share": by("brand", INTEREST, ITEM, share_at(2)),
    "brand_3": by("brand", INTEREST, ITEM, key_at(3)),
    "brand_3_share": by("brand", INTEREST, ITEM, share_at(3)),
    "top_price_band": _price_bands(TOP),
    "top_price_band_share": _price_bands(TOP_SHARE),
    "price_band_2": _price_bands(key_at(2)),
    "price_band_2_share": _price_bands(share_at(2)),
    "price_band_3": _price_bands(key_at(3)),
    "price_band_3_share": _price_bands(share_at(3)),
    "top_item": by("item_id", INTEREST, ITEM, TOP),
    "rising_category": _shift(1, "max(key)"),
    "rising_category_gain": _shift(1, "max(change)"),
    "fading_category": _shift(-1, "max(key)"),
    "fading_category_loss": _shift(-1, "max(change)"),
    "messages_sent": number("message_sent"),
    "messages_opened": number("message_open"),
    "impressions": number("impression"),
    "days_since_message_sent": since("message_sent"),
    "days_since_message_opened": since("message_open"),
    "days_since_impression": since("impression"),
    "messages_since_active": _quiet("message_sent"),
    "impressions_since_active": _quiet("impression"),
    "messages_since_opened": _quiet("message_sent", "event_type = 'message_open'"),
    "shown_category": _shown("arg_max(category, last)"),
    "shown_category_run": _shown("arg_max(length, last)"),
    "shown_category_run_longest": _shown("max(length)"),
}
