"""From the log of links to the mapping that the tag engine joins: which user an id's events count for, over time."""

from datetime import datetime
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP
from features.contracts.knowledge import (
    ALIAS_SCHEMA,
    ANONYMOUS,
    ID_KIND,
    KNOWN_FROM,
    KNOWN_UNTIL,
    OCCURRED_FROM,
    OCCURRED_UNTIL,
    RAW_ID,
    USER,
)
from features.identity.components import ALWAYS, OPEN, Timelines, timelines
from features.identity.visits import Visits, visits

Ints = npt.NDArray[np.int64]

_SPANS: Final = (KNOWN_FROM, KNOWN_UNTIL, OCCURRED_FROM, OCCURRED_UNTIL)

#: A visit counts for the user that its login counted for at the time.
_FOLLOWED: Final = """
SELECT raw_id, coalesce(t.canonical, v.login) AS user_id,
    greatest(v.known_from, coalesce(t.since, v.known_from)) AS known_from,
    least(v.known_until, coalesce(t.until, v.known_until)) AS known_until,
    occurred_from, occurred_until
FROM visits AS v
LEFT JOIN timelines AS t ON v.login = t.login AND t.since < v.known_until AND t.until > v.known_from
"""
#: Neighbours in time that say the same are one row.
_ISLANDS: Final = """
SELECT *, sum(CASE WHEN user_id IS NOT DISTINCT FROM before AND known_from = ended THEN 0 ELSE 1 END)
    OVER (PARTITION BY raw_id, occurred_from ORDER BY known_from) AS island
FROM (SELECT *, lag(user_id) OVER told AS before, lag(known_until) OVER told AS ended FROM followed
      WINDOW told AS (PARTITION BY raw_id, occurred_from ORDER BY known_from))
"""
_JOINED: Final = """
SELECT raw_id, user_id, min(known_from) AS known_from, max(known_until) AS known_until,
    occurred_from, any_value(occurred_until) AS occurred_until
FROM islands GROUP BY raw_id, user_id, occurred_from, island
"""
#: Before the login was known, the visit was nobody's.
_NOBODY: Final = """
SELECT raw_id, CAST(NULL AS VARCHAR) AS user_id, -4611686018427387904 AS known_from, min(known_from) AS known_until,
    occurred_from, any_value(occurred_until) AS occurred_until
FROM joined GROUP BY raw_id, occurred_from HAVING min(known_from) > -4611686018427387904
"""


def resolve(links: pa.Table, logins: pa.Table, *, connection: duckdb.DuckDBPyConnection | None = None) -> pa.Table:
    """``ALIAS_SCHEMA``, sorted, from ``LINK_SCHEMA`` and ``LOGIN_SCHEMA`` rows in any order.

    A pure function of the set of facts: neither their order nor how often a fact is told changes the result. Users
    become one only through ``links``; ``logins`` say whose an anonymous id is, and never join two users.
    A ``connection`` at hand is used and left open.
    """
    engine = connection or duckdb.connect()
    try:
        engine.execute("SET TimeZone = 'UTC'")
        merged = timelines(engine, links)
        tables = [_users(merged), _visitors(engine, visits(engine, logins), merged)]
    finally:
        if connection is None:
            engine.close()
    order = [ID_KIND, RAW_ID, OCCURRED_FROM, KNOWN_FROM]
    return _dated(pa.concat_tables(tables).sort_by([(name, "ascending") for name in order]))


def merged_users(links: pa.Table) -> pa.Table:
    """The rows of kind :data:`USER` of :func:`resolve`, in any order: which users count for another, over time."""
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        return _dated(_users(timelines(engine, links)))


def canonical_users(aliases: pa.Table, at: datetime | None = None) -> dict[str, str]:
    """Merged user id -> the user he counts for as known ``at`` (now by default), from ``ALIAS_SCHEMA``."""
    rows = aliases.filter(pc.equal(aliases.column(ID_KIND), USER))
    since, until = rows.column(KNOWN_FROM), rows.column(KNOWN_UNTIL)
    if at is None:
        rows = rows.filter(until.is_null())
    else:
        moment = pa.scalar(at, TIMESTAMP)
        begun = pc.fill_null(pc.less_equal(since, moment), True)
        rows = rows.filter(pc.and_(begun, pc.fill_null(pc.greater(until, moment), True)))
    rows = rows.filter(pc.not_equal(rows.column(RAW_ID), rows.column(c.USER_ID)))
    return dict(zip(rows.column(RAW_ID).to_pylist(), rows.column(c.USER_ID).to_pylist(), strict=True))


def _users(merged: Timelines) -> pa.Table:
    count = len(merged.user)
    return _table(
        USER,
        merged.ids.take(pa.array(merged.user)),
        merged.ids.take(pa.array(merged.canonical)),
        (merged.since, merged.until, np.full(count, ALWAYS), np.full(count, OPEN)),
    )


def _visitors(engine: duckdb.DuckDBPyConnection, found: Visits, merged: Timelines) -> pa.Table:
    if not len(found.visitor):
        return _table(ANONYMOUS, found.visitor, found.login, (found.since,) * 4)
    spans = dict(zip(_SPANS, (found.since, found.until, found.begins, found.ends), strict=True))
    engine.register("visits", pa.table({RAW_ID: found.visitor, "login": found.login, **spans}))
    engine.register("timelines", _timeline_table(merged))
    steps = f"WITH followed AS ({_FOLLOWED}), islands AS ({_ISLANDS}), joined AS MATERIALIZED ({_JOINED})"
    table = engine.sql(f"{steps} FROM joined UNION ALL {_NOBODY}").to_arrow_table()
    return _table(ANONYMOUS, table.column(RAW_ID), table.column(c.USER_ID), tuple(table.column(n) for n in _SPANS))


def _timeline_table(merged: Timelines) -> pa.Table:
    users, canonical = merged.ids.take(pa.array(merged.user)), merged.ids.take(pa.array(merged.canonical))
    return pa.table({"login": users, "canonical": canonical, "since": merged.since, "until": merged.until})


def _table(kind: str, raw: pa.Array, user: pa.Array, spans: tuple[Ints | pa.ChunkedArray, ...]) -> pa.Table:
    columns = [pa.repeat(kind, len(raw)), raw, user, *spans]
    return pa.table(columns, names=[ID_KIND, RAW_ID, c.USER_ID, *_SPANS])


def _dated(table: pa.Table) -> pa.Table:
    columns = [_moments(table, f) if f.name in _SPANS else table.column(f.name) for f in ALIAS_SCHEMA]
    return pa.table(columns, ALIAS_SCHEMA)


def _moments(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    whole = table.column(field.name)
    ends = pc.is_in(whole, pa.array([ALWAYS, OPEN]))
    return pc.if_else(ends, None, whole).cast(TIMESTAMP)
