"""How new the events are that tags were built from."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from features.contracts import columns as c


def newest_events(files: Iterable[Path], as_of: datetime) -> dict[str, datetime]:
    """The time of the last event before ``as_of`` of every type that the event files hold."""
    paths = [str(path) for path in files]
    if not paths:
        return {}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        events = connection.read_parquet(paths, union_by_name=True)
        moment = as_of.astimezone(UTC).isoformat()
        rows = (
            events.filter(f"{c.OCCURRED_AT} < TIMESTAMPTZ '{moment}'")
            .aggregate(f"{c.EVENT_TYPE}, epoch_us(max({c.OCCURRED_AT}))")
            .fetchall()
        )
    return {kind: datetime.fromtimestamp(microseconds / 1e6, UTC) for kind, microseconds in rows}
