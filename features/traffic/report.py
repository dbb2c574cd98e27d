"""How much of the traffic is marked, by rule and day."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.knowledge import RULE
from features.contracts.progress import track
from features.lake import Lake
from features.traffic.marking import files_by_day

#: The line over all rules: an event that several rules mark counts once.
ANY: Final = "any"

_COUNTED: Final = """
WITH whose AS (
    SELECT rule, event_id, actor FROM marks JOIN events USING (event_id)
), counted AS (
    SELECT rule, count(*) AS events, count(DISTINCT actor) AS users FROM whose GROUP BY rule
    UNION ALL
    SELECT $any, count(DISTINCT event_id), count(DISTINCT actor) FROM whose
)
SELECT rule, events, users, (SELECT count(*) FROM events) FROM counted WHERE events > 0 ORDER BY rule
"""


@dataclass(frozen=True)
class Line:
    """What one rule marked on one day."""

    day: date
    rule: str
    events: int
    users: int
    share: float
    """Of all events of the day, 0 to 1."""


def report(lake: Lake, since: date | None = None) -> list[Line]:
    """Lines by day and rule, of days that have marks; those of rule ``any`` are over all rules.

    Raises :class:`MissingStateError` when no day was judged yet.
    """
    if not lake.flag_days():
        raise MissingStateError("no day was judged yet: mallard traffic mark")
    files = files_by_day(lake)
    lines: list[Line] = []
    with duckdb.connect() as connection:
        for path in track(lake.flag_files(), "counting marks", unit="days"):
            day = date.fromisoformat(path.parent.name.removeprefix("date="))
            if since is not None and day < since:
                continue
            connection.read_parquet(str(path)).project(f"{c.EVENT_ID} AS event_id, {RULE} AS rule").create_view("marks")
            events = connection.read_parquet([str(file) for file in files[day]], union_by_name=True)
            actor = f"coalesce({c.USER_ID}, '?' || {c.ANONYMOUS_ID}) AS actor"
            events.project(f"{c.EVENT_ID} AS event_id, {actor}").create_view("events")
            rows = connection.sql(_COUNTED, params={"any": ANY}).fetchall()
            lines += [Line(day, rule, n, users, n / total) for rule, n, users, total in rows]
            connection.execute("DROP VIEW marks; DROP VIEW events")
    return lines
