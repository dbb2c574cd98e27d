"""What one actor did on one day, in measures that a machine finds hard to fake all at once.

All sums are sums of integers, so that threads do not show in them.
"""

from typing import Any, Final

import duckdb
import pyarrow as pa

from features.contracts.events import EventType
from features.traffic.config import TrafficConfig
from features.traffic.rules.impossible_dwell import PAGES

#: Measures of an actor-day, the input of the forest. Null: there was nothing to measure.
MEASURES: Final = (
    "moments",  # ln(1 + different moments)
    "per_minute",  # moments per minute with any
    "peak",  # moments of the busiest minute
    "hours",  # different hours with any
    "mean_gap",  # ln of the mean gap within sittings (gaps under half an hour), seconds
    "gap_spread",  # standard deviation of these gaps over their mean
    "short_gaps",  # share of gaps under a second
    "novelty",  # different items per event on an item
    "top_item",  # share of the most frequent item
    "night",  # share of events at night
    "dwell",  # ln(1 + mean stay), seconds
    "dwell_variety",  # different stays (to 0.1 s) per stay
    "devices",  # devices of the account
    "accounts",  # accounts on its device, ln
    "orders",  # ln(1 + orders)
    "order_rate",  # orders per view
    "refunds",  # ln(1 + refunds)
)
EVIDENCE: Final = "odd"
#: No actor-day at all.
NOTHING: Final = pa.schema(
    [
        ("actor", pa.string()),
        ("seen", pa.date32()),
        *((name, pa.float64()) for name in MEASURES),
        (EVIDENCE, pa.bool_()),
    ]
).empty_table()

_SITTING_MS: Final = 1_800_000


def behaviour(connection: duckdb.DuckDBPyConnection, config: TrafficConfig) -> pa.Table:
    """``actor, seen``, :data:`MEASURES` and :data:`EVIDENCE` of the loaded day, in the order of actor and seen."""
    forest, odd = config.forest, config.forest.evidence
    values: dict[str, Any] = {
        "least": forest.least_moments,
        "sitting": _SITTING_MS,
        "night_from": forest.night_hours[0],
        "night_to": forest.night_hours[1],
        "deal": [str(EventType.ORDER), str(EventType.PURCHASE)],
        "refund": str(EventType.REFUND),
        "pages": [str(kind) for kind in PAGES],
        "view": [str(EventType.VIEW), str(EventType.CLICK)],
        "busy": odd.peak,
        "even": odd.spread,
        "evidence_gaps": config.metronome.gaps - 1,
        "crowd": odd.accounts,
        "returns": odd.refunds,
        "false_stays": odd.dwell_share,
        "slack": config.impossible_dwell.slack_seconds,
    }
    return connection.sql(_SQL, params=values).to_arrow_table().cast(NOTHING.schema)


_SQL: Final = """
WITH active AS (SELECT actor, seen FROM rows GROUP BY ALL HAVING count(DISTINCT us) >= $least),
mine AS (SELECT * FROM rows SEMI JOIN active USING (actor, seen)),
moments AS (SELECT actor, seen, us, max(clock) // 1000 AS clock FROM mine GROUP BY ALL),
gaps AS (
    SELECT *, us // 60000000 AS minute, us // 3600000000 AS hour,
        (us - lag(us) OVER (PARTITION BY actor, seen ORDER BY us)) // 1000 AS gap FROM moments
),
minutes AS (SELECT actor, seen, max(n) AS peak, count(*) AS minutes FROM (
    SELECT actor, seen, minute, count(*) AS n FROM gaps GROUP BY ALL) GROUP BY ALL),
rhythm AS (
    SELECT actor, seen, count(*) AS moments, count(DISTINCT hour) AS hours, max(clock) AS clock,
        count(gap) FILTER (gap < $sitting) AS n,
        CAST(sum(gap) FILTER (gap < $sitting) AS DOUBLE) AS total,
        CAST(sum(gap * gap) FILTER (gap < $sitting) AS DOUBLE) AS squares,
        count(gap) FILTER (gap < 1000) AS short,
        count(*) FILTER (CASE WHEN $night_from <= $night_to
            THEN hour % 24 BETWEEN $night_from AND $night_to
            ELSE hour % 24 >= $night_from OR hour % 24 <= $night_to END) AS night
    FROM gaps GROUP BY ALL
),
items AS (SELECT actor, seen, max(n) AS top, count(*) AS items, sum(n) AS rows FROM (
    SELECT actor, seen, item, count(*) AS n FROM mine WHERE item IS NOT NULL GROUP BY ALL) GROUP BY ALL),
deals AS (
    SELECT actor, seen, count(DISTINCT CASE WHEN list_contains($deal, kind) THEN coalesce(order_key, event_id) END)
        AS orders, count(DISTINCT CASE WHEN kind = $refund THEN coalesce(order_key, event_id) END) AS refunds,
        count(*) FILTER (list_contains($view, kind)) AS views, count(DISTINCT device) AS devices,
        max(device) AS device
    FROM mine GROUP BY ALL
),
crowds AS (SELECT device, seen, count(DISTINCT actor) AS accounts FROM rows WHERE device IS NOT NULL GROUP BY ALL),
around AS (
    SELECT actor, seen, dwell, clock / 1e6 AS clock,
        (us - min(us) OVER (PARTITION BY actor, seen, item)) / 1e6 AS open,
        (min(us) FILTER (list_contains($pages, kind)) OVER later - us) / 1e6 AS until
    FROM mine
    WINDOW later AS (PARTITION BY actor, seen ORDER BY us RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
stays AS (
    SELECT actor, seen, count(*) AS stays, count(DISTINCT round(dwell, 1)) AS variety,
        CAST(sum(CAST(least(dwell, 86400) * 10 AS BIGINT)) AS DOUBLE) / 10 AS total,
        count(*) FILTER (dwell > greatest(open, until) + $slack + clock AND until IS NOT NULL) AS impossible
    FROM around WHERE dwell >= 0 GROUP BY ALL
),
measured AS (
    SELECT actor, seen, ln(1 + moments) AS moments, moments / minutes AS per_minute, peak, hours,
        CASE WHEN n > 0 THEN ln(0.001 + rhythm.total / n / 1000) END AS mean_gap,
        CASE WHEN n > 1 AND rhythm.total > 0
            THEN sqrt(greatest(squares / n - (rhythm.total / n) ** 2, 0) + clock * clock / 6) / (rhythm.total / n) END
            AS gap_spread,
        CASE WHEN n > 0 THEN short / n END AS short_gaps,
        items / items.rows AS novelty, top / items.rows AS top_item, night / moments AS night,
        ln(1 + stays.total / stays) AS dwell, variety / stays AS dwell_variety, devices,
        ln(accounts) AS accounts, ln(1 + orders) AS orders, orders / (views + 1) AS order_rate,
        ln(1 + refunds) AS refunds, n AS gaps, refunds AS returns, accounts AS crowd,
        impossible / stays AS false_stays, stays
    FROM rhythm JOIN minutes USING (actor, seen) JOIN deals USING (actor, seen)
    LEFT JOIN items USING (actor, seen) LEFT JOIN stays USING (actor, seen)
    LEFT JOIN crowds ON crowds.device = deals.device AND crowds.seen = rhythm.seen
)
SELECT actor, seen, moments, per_minute, peak, hours, mean_gap, gap_spread, short_gaps, novelty, top_item, night, dwell,
    dwell_variety, devices, accounts, orders, order_rate, refunds,
    peak >= $busy OR coalesce(gaps >= $evidence_gaps AND gap_spread <= $even, FALSE) OR coalesce(crowd >= $crowd, FALSE)
        OR returns >= $returns OR coalesce(false_stays >= $false_stays AND stays >= 5, FALSE) AS odd
FROM measured ORDER BY actor, seen
"""
