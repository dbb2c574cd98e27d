"""Impossible dwell: stays on pages that cannot have been."""

from datetime import date
from typing import Final

from features.contracts.events import EventType
from features.traffic.config import TrafficConfig
from features.traffic.rule import Query, Rule

#: What opens another page.
PAGES: Final = (EventType.VIEW, EventType.CLICK, EventType.SEARCH)


class ImpossibleDwell(Rule):
    """Series of stays that are longer than the time around them, zero, or all equal.

    Some logs write a stay when it ends, some when it begins, and people open tabs. So a stay is impossible only when it
    began before the actor's first event on that page of the day, and also would not have ended before his next page.
    A single one proves nothing (clocks, restored tabs): a series that makes most of the actor's day does.
    """

    name = "impossible_dwell"
    meaning = "series of page stays longer than the time between events, zero, or all equal"
    meaning_zh = "停留时长长于前后事件间隔、为零或完全相同，且连续出现"

    def query(self, config: TrafficConfig, day: date) -> Query:
        own = config.impossible_dwell
        return Query(
            _SQL,
            {
                "stay": str(EventType.DWELL),
                "pages": [str(kind) for kind in PAGES],
                "run": own.run,
                "share": own.share,
                "slack": own.slack_seconds,
                "zero": own.zero_seconds,
            },
        )


_SQL = """
WITH many AS (SELECT actor, seen FROM rows WHERE dwell IS NOT NULL GROUP BY ALL HAVING count(*) >= $run),
around AS (
    SELECT event_id, kind, actor, seen, dwell, clock / 1e6 AS clock,
        (us - min(us) OVER (PARTITION BY actor, seen, item)) / 1e6 AS open,
        (min(us) FILTER (list_contains($pages, kind)) OVER later - us) / 1e6 AS until
    FROM rows SEMI JOIN many USING (actor, seen)
    WINDOW later AS (PARTITION BY actor, seen ORDER BY us RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
stays AS (
    SELECT *, round(dwell, 1) AS rounded,
        (until IS NOT NULL AND dwell > greatest(open, until) + $slack + clock) OR dwell NOT BETWEEN 0 AND 86400
            AS impossible,
        dwell BETWEEN 0 AND $zero AS nothing,
        count(*) OVER (PARTITION BY actor, seen, round(dwell, 1)) AS equals
    FROM around WHERE kind = $stay AND dwell IS NOT NULL
),
odd AS (
    SELECT *, impossible OR nothing OR equals >= $run AS is_odd FROM stays
),
shares AS (
    SELECT actor, seen, count(*) FILTER (is_odd) AS n, count(*) FILTER (is_odd) / count(*) AS share
    FROM odd GROUP BY ALL
)
SELECT event_id, seen AS exposed, share * n / (n + $run) AS score
FROM odd JOIN shares USING (actor, seen) WHERE is_odd AND n >= $run AND share >= $share
"""
