"""Metronomes: deeds that follow each other too evenly."""

from datetime import date

from features.traffic.config import TrafficConfig
from features.traffic.rule import Query, Rule


class Metronome(Rule):
    """A long row of gaps whose spread is small against their mean.

    Gaps between human deeds are heavy-tailed (Barabási, "The origin of bursts and heavy tails in human dynamics",
    Nature 435, 2005); a timer's are not. The rounding of the log's clock is added to the spread, so that a coarse clock
    does not make anybody a metronome.
    """

    name = "metronome"
    meaning = "events of one kind that follow each other at too regular gaps"
    meaning_zh = "同类行为间隔过于规律"

    def query(self, config: TrafficConfig, day: date) -> Query:
        own = config.metronome
        return Query(
            _SQL, {"gaps": own.gaps, "spread": own.spread, "longest": own.longest_seconds * 1_000, "back": own.gaps - 1}
        )


#: Gaps are whole milliseconds: sums of integers do not depend on their order.
_SQL = """
WITH busy AS (SELECT actor, kind, seen FROM rows GROUP BY ALL HAVING count(*) > $gaps),
moments AS (
    SELECT actor, kind, seen, us, max(clock) / 1000.0 AS clock FROM rows SEMI JOIN busy USING (actor, kind, seen)
    GROUP BY ALL
),
gaps AS (
    SELECT *, (us - lag(us) OVER (PARTITION BY actor, kind, seen ORDER BY us)) // 1000 AS gap FROM moments
),
sums AS (
    SELECT *, count(gap) OVER recent AS n, CAST(sum(gap) OVER recent AS DOUBLE) AS total,
        CAST(sum(gap * gap) OVER recent AS DOUBLE) AS squares
    FROM gaps
    WINDOW recent AS (PARTITION BY actor, kind, seen ORDER BY us ROWS BETWEEN $back PRECEDING AND CURRENT ROW)
),
spreads AS (
    SELECT *, CASE WHEN n = $gaps AND total / n BETWEEN 1 AND $longest
        THEN sqrt(greatest(squares / n - (total / n) ** 2, 0) + clock * clock / 6) / (total / n) END AS spread
    FROM sums
),
-- A row of gaps touches the moment before its first gap as well.
tightest AS (
    SELECT *, min(spread) OVER (
        PARTITION BY actor, kind, seen ORDER BY us ROWS BETWEEN CURRENT ROW AND $gaps FOLLOWING
    ) AS tight FROM spreads
)
SELECT event_id, seen AS exposed, 1 - tight / (tight + $spread) AS score
FROM rows JOIN tightest USING (actor, kind, seen, us) WHERE tight <= $spread
"""
