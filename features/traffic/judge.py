"""Rules and forest, asked about one day."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from features.contracts.knowledge import FLAG_SCHEMA
from features.traffic.behaviour import behaviour
from features.traffic.config import TrafficConfig
from features.traffic.forest import NAME, Forest
from features.traffic.rows import DayRows
from features.traffic.rule import Reach, Rule
from features.traffic.rules import RULES

#: Names under which marks of one day's own rows stand.
OWN: Final = (*(name for name, rule in RULES.items() if rule.reach is Reach.DAY), NAME)

#: What an actor did in the session of a marked event, or to its item on that day, is part of the same pretence: the
#: view before a fake order, the praise after it, the clicks whose stays are made up.
_REDUCE: Final = """
WITH given_away AS (SELECT DISTINCT rule, exposed, score, actor, session, item FROM found JOIN rows USING (event_id)),
company AS (
    SELECT event_id, rule, exposed, score FROM found
    UNION ALL
    SELECT event_id, rule, greatest(seen, exposed), score FROM rows
    JOIN (SELECT DISTINCT rule, exposed, score, actor, session FROM given_away) USING (actor, session)
    UNION ALL
    SELECT event_id, rule, greatest(seen, exposed), score FROM rows
    JOIN (SELECT DISTINCT rule, exposed, score, actor, item FROM given_away) USING (actor, item)
),
first AS (SELECT event_id, rule, min(exposed) AS exposed FROM company GROUP BY ALL)
SELECT event_id, make_timestamptz(any_value(us)) AS occurred_at, rule, round(max(score), 6) AS score,
    CAST(exposed + 1 AS TIMESTAMPTZ) AS flagged_at
FROM company JOIN first USING (event_id, rule, exposed) JOIN rows USING (event_id)
GROUP BY event_id, rule, exposed
"""
_SUSPECTED: Final = "SELECT event_id, seen AS exposed, score FROM rows JOIN suspects USING (actor, seen)"
_FOUND: Final = pa.schema(
    [("event_id", pa.string()), ("exposed", pa.date32()), ("score", pa.float64()), ("rule", pa.string())]
)


class DayJudge:
    """Marks from what ``rows`` hold at the moment of asking."""

    def __init__(self, rows: DayRows, config: TrafficConfig) -> None:
        self._rows = rows
        self._connection = rows.connection
        self._config = config

    def own_marks(self, day: date, forest: Forest | None) -> pa.Table:
        """``FLAG_SCHEMA`` marks of the loaded day that follow from its own rows."""
        found = self._ask((rule for rule in RULES.values() if rule.reach is Reach.DAY), day)
        if forest is not None:
            found.append(self._suspected(forest))
        return self._reduce(pa.concat_tables(found))

    def span_marks(self, day: date, files: Iterable[Path]) -> pa.Table:
        """``FLAG_SCHEMA`` marks on events of ``day`` that follow from orders and refunds of the days around it.

        ``files`` are the event files of the day; where there are marks, ``rows`` are loaded anew.
        """
        found = pa.concat_tables(self._ask((rule for rule in RULES.values() if rule.reach is Reach.SPAN), day))
        if len(found):
            self._rows.load_actors_of(files, found)
        return self._reduce(found)

    def _ask(self, rules: Iterable[Rule], day: date) -> list[pa.Table]:
        tables = [_FOUND.empty_table()]
        for rule in rules:
            query = rule.query(self._config, day)
            rows = self._connection.sql(query.sql, params=dict(query.values)).to_arrow_table()
            tables.append(_named(rows, rule.name))
        return tables

    def _suspected(self, forest: Forest) -> pa.Table:
        measured = behaviour(self._connection, self._config)
        scores, fake = forest.judge(measured)
        suspects = measured.select(["actor", "seen"]).append_column("score", pa.array(scores)).filter(pa.array(fake))
        self._connection.register("suspects", suspects)
        return _named(self._connection.sql(_SUSPECTED).to_arrow_table(), NAME)

    def _reduce(self, found: pa.Table) -> pa.Table:
        if not len(found):
            return FLAG_SCHEMA.empty_table()
        self._connection.register("found", found)
        return self._connection.sql(_REDUCE).to_arrow_table().select(FLAG_SCHEMA.names).cast(FLAG_SCHEMA)


def _named(rows: pa.Table, rule: str) -> pa.Table:
    named = rows.append_column("rule", pa.repeat(pa.scalar(rule), len(rows)))
    return named.select(_FOUND.names).cast(_FOUND)
