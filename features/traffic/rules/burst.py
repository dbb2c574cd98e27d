"""Bursts: more deeds of one kind in a short time than hands can do."""

from datetime import date

from features.traffic.config import TrafficConfig
from features.traffic.rule import Query, Rule


class Burst(Rule):
    """Counts different moments, not rows, in a sliding window.

    Forty lines of a basket are one moment, and in a log whose times are whole minutes nothing is ever a burst.
    """

    name = "burst"
    meaning = "more events of one kind in a short time than a person can make"
    meaning_zh = "短时间内同类行为次数超出人力所能"

    def query(self, config: TrafficConfig, day: date) -> Query:
        kinds = sorted(config.burst.limits)
        return Query(
            _SQL,
            {
                "kinds": [str(kind) for kind in kinds],
                "limits": [config.burst.limits[kind] for kind in kinds],
                "width": config.burst.seconds * 1_000_000,
            },
        )


_SQL = """
WITH limits AS (SELECT unnest($kinds) AS kind, unnest($limits) AS most),
busy AS (
    SELECT actor, kind, seen, most FROM rows JOIN limits USING (kind)
    GROUP BY ALL HAVING count(*) >= most
),
moments AS (SELECT DISTINCT actor, kind, seen, us, most FROM rows JOIN busy USING (actor, kind, seen)),
ahead AS (
    SELECT *, count(*) OVER (
        PARTITION BY actor, kind, seen ORDER BY us RANGE BETWEEN CURRENT ROW AND $width FOLLOWING
    ) AS deeds FROM moments
),
peaks AS (
    SELECT *, max(deeds) OVER (
        PARTITION BY actor, kind, seen ORDER BY us RANGE BETWEEN $width PRECEDING AND CURRENT ROW
    ) AS peak FROM ahead
)
SELECT event_id, seen AS exposed, peak / (peak + most) AS score
FROM rows JOIN peaks USING (actor, kind, seen, us) WHERE peak >= most
"""
