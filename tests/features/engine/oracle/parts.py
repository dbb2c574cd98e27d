"""Pieces of queries that several families use."""

OWN = "event_type NOT IN ('impression', 'message_sent')"
ITEM = "event_type IN ('view', 'click', 'favorite', 'cart_add', 'purchase')"
BOUGHT = "event_type = 'purchase'"
DAY = "occurred_at::DATE"
INTEREST = """sum(CASE WHEN event_type IN ('view', 'click') THEN 1
                   WHEN event_type IN ('favorite', 'cart_add') THEN 3 ELSE 5 END)"""

TOP = "max(key) FILTER (WHERE rank = 1)"
TOP_SHARE = "max(share)"
ENTROPY = "-sum(share * ln(share))"


def plain(value: str, where: str = "true") -> str:
    return f"SELECT user_id, {value} AS value FROM {{rows}} WHERE {where} GROUP BY user_id"


def number(kind: str) -> str:
    return plain("count(*)", f"event_type = '{kind}'")


def since(kind: str, which: str = "max") -> str:
    where = OWN if kind == "own" else f"event_type = '{kind}'"
    return plain(f"(epoch_us($as_of) - epoch_us({which}(occurred_at))) / 86400e6", where)


def told(key: str) -> str:
    """A number of ``properties``; null where the value is none."""
    path = f"properties -> '$.{key}'"
    kinds = "('BIGINT', 'UBIGINT', 'DOUBLE')"
    return f"CASE WHEN json_type({path}) IN {kinds} THEN CAST({path} AS DOUBLE) END"


def gaps(where: str, value: str) -> str:
    """Days with such an event, each with the days since the one before; of those in the window."""
    return f"""
    WITH days AS (SELECT user_id, {DAY} AS day, sum(amount) FILTER (WHERE {BOUGHT}) AS spent
                  FROM counting WHERE {where} GROUP BY ALL),
    gaps AS (SELECT *, day - lag(day) OVER (PARTITION BY user_id ORDER BY day) AS gap FROM days)
    SELECT user_id, {value} AS value FROM gaps WHERE day >= {{since}} GROUP BY user_id"""


def runs(days: str, by: str, value: str) -> str:
    """Runs of days one after the other within ``by``; of those that end in the window. ``days`` is a query."""
    return f"""
    WITH days AS ({days}),
    marked AS (SELECT *, coalesce(day - lag(day) OVER (PARTITION BY {by} ORDER BY day), 0) <> 1 AS starts FROM days),
    numbered AS (SELECT *, sum(starts::INT) OVER (PARTITION BY {by} ORDER BY day) AS run FROM marked),
    runs AS (SELECT {by}, run, max(day) AS last, count(*) AS length FROM numbered GROUP BY ALL)
    SELECT user_id, {value} AS value FROM runs WHERE last >= {{since}} GROUP BY user_id"""


def orders(value: str) -> str:
    return f"""
    SELECT user_id, {value} AS value FROM (
        SELECT user_id, coalesce(order_id, event_id) AS number, {DAY} AS day, count(*) AS lines,
               sum(coalesce(amount, 0)) AS amount, coalesce(sum({told("discount")}), 0) AS discount,
               bool_or(nullif(properties ->> '$.coupon_id', '') IS NOT NULL) AS coupon
        FROM {{rows}} WHERE {BOUGHT} GROUP BY ALL) GROUP BY user_id"""


def by(key: str, weight: str, where: str, value: str) -> str:
    """Weights per user and key, then a value over a user's keys; ``rank`` is 1 for the strongest key."""
    return ranked(f"SELECT user_id, {key} AS key, {weight} AS weight FROM {{rows}} WHERE {where} GROUP BY ALL", value)


def ranked(weights: str, value: str) -> str:
    """A value over a user's keys, whose weights the query ``weights`` gives."""
    return f"""
    WITH weights AS (SELECT * FROM ({weights}) WHERE key IS NOT NULL AND weight > 0),
    shares AS (SELECT *, weight / sum(weight) OVER (PARTITION BY user_id) AS share,
                      row_number() OVER (PARTITION BY user_id ORDER BY weight DESC, key) AS rank FROM weights)
    SELECT user_id, {value} AS value FROM shares GROUP BY user_id"""


def key_at(place: int) -> str:
    return f"max(key) FILTER (WHERE rank = {place})"


def share_at(place: int) -> str:
    return f"max(share) FILTER (WHERE rank = {place})"
