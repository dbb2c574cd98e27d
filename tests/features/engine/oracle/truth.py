"""The tables that the queries read, and how they are run."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from tests.features.engine.oracle.parts import OWN


class Oracle:
    """The truth about one set of tables at one moment.

    In :attr:`queries` ``{rows}`` stands for the events of the window that count at ``as_of``, ``{since}`` for the first
    day of the window, ``counting`` for all events that count, and ``$as_of`` for the moment.
    """

    queries: ClassVar[dict[str, str]]

    def __init__(self, events: pa.Table, items: pa.Table, users: pa.Table, as_of: datetime) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        for name, given in (("events", events), ("items", items), ("users_given", users)):
            self._connection.register(name, given)
        self._as_of = as_of.astimezone(UTC).replace(tzinfo=None)
        self._run("""CREATE TABLE counting AS
            SELECT e.* REPLACE (occurred_at::TIMESTAMP AS occurred_at,
                                CASE WHEN json_valid(properties) THEN properties::JSON END AS properties),
                   category, brand, price
            FROM events e LEFT JOIN items USING (item_id)
            WHERE occurred_at::TIMESTAMP < $as_of AND coalesce(received_at::TIMESTAMP <= $as_of, true)
                  AND user_id IS NOT NULL""")
        self._connection.execute(
            "CREATE TABLE users AS SELECT * REPLACE (registered_at::TIMESTAMP AS registered_at) FROM users_given"
        )

    def population(self) -> list[str]:
        rows = self._connection.execute(f"SELECT DISTINCT user_id FROM counting WHERE {OWN} ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def values(self, stem: str, days: int | None) -> dict[str, Any]:
        """The tag's value per user that has one."""
        rows, since = "counting", "'-infinity'::DATE"
        if days is not None:
            since = f"($as_of::DATE - {days})"
            rows = f"(SELECT * FROM counting WHERE occurred_at >= {since})"
        found = self._run(self.queries[stem].format(rows=rows, since=since)).fetchall()
        return {user: value for user, value in found if value is not None}

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        given = {"as_of": self._as_of} if "$as_of" in sql else None
        return self._connection.execute(sql, given)
