"""From facts and retractions to the spans of time in which a link held."""

import duckdb
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.knowledge import ID_KIND
from features.identity.links import VALUE

SINCE = "since"
UNTIL = "until"
FIRST = "first"
_COLUMNS = (ID_KIND, VALUE, c.USER_ID, SINCE, UNTIL)


#: Users and the moment that each id was first heard of, whatever became of the link.
_USERS = """
SELECT user_id, min(known_at) AS first FROM links WHERE linked GROUP BY ALL
"""

#: Values that more than one user ever had; no other value can join anybody.
_SHARED = """
SELECT links.* FROM links SEMI JOIN (
    SELECT id_kind, value FROM links WHERE linked GROUP BY ALL HAVING min(user_id) <> max(user_id)
) USING (id_kind, value)
"""

#: What was said at each moment, "no" before "yes".
_SAID = """
SELECT id_kind, value, user_id, known_at,
    bool_and(linked) FILTER (source = 'operator') AS operator,
    bool_and(linked) FILTER (source <> 'operator') AS tables
FROM shared GROUP BY ALL
"""
#: What held from then on: the operator's last word, else the last word of the tables.
_STATES = """
SELECT id_kind, value, user_id, known_at, coalesce(
    last_value(operator IGNORE NULLS) OVER spoken, last_value(tables IGNORE NULLS) OVER spoken
) AS holds FROM said WINDOW spoken AS (PARTITION BY id_kind, value, user_id ORDER BY known_at ROWS UNBOUNDED PRECEDING)
"""
_CHANGES = """
SELECT * FROM states
QUALIFY holds <> lag(holds, 1, false) OVER (PARTITION BY id_kind, value, user_id ORDER BY known_at)
"""
_SPANS = """
SELECT id_kind, value, user_id, known_at AS since,
    lead(known_at) OVER (PARTITION BY id_kind, value, user_id ORDER BY known_at) AS until, holds
FROM changes QUALIFY holds
"""


def users_of(connection: duckdb.DuckDBPyConnection, links: pa.Table) -> pa.Table:
    """``(user_id, first)`` of every user of ``links`` (``LINK_SCHEMA``)."""
    connection.register("links", links)
    return connection.sql(_USERS).to_arrow_table()


def shared_spans(connection: duckdb.DuckDBPyConnection, links: pa.Table) -> pa.Table:
    """``(id_kind, value, user_id, since, until)``: when each user had an identity that others had as well.

    ``until`` of null: to this day. An identity that only one user ever had is left out.
    """
    connection.register("links", links)
    connection.register("shared", connection.sql(_SHARED).to_arrow_table())
    steps = f"WITH said AS ({_SAID}), states AS ({_STATES}), changes AS ({_CHANGES}) {_SPANS}"
    return connection.sql(steps).select(*_COLUMNS).to_arrow_table()
