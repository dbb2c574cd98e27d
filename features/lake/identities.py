"""Links between ids in the lake: rows that a commit adds, in files of their own, and what they come to together.

::

    lake/links/*.parquet    LINK_SCHEMA, strong identities and operators' merges
    lake/logins/*.parquet   LOGIN_SCHEMA, users who logged in where an anonymous id is
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP
from features.identity import LINK_SCHEMA, LOGIN_SCHEMA, resolve, strong_identities
from features.identity.kinds import PASSED_ON
from features.lake.commits import Commit, flush

#: Identities of users that the log does not hold already, and the ones that they end: a user has one phone at a time.
_NEWS = """
WITH held AS (
    SELECT id_kind, value, user_id FROM links WHERE source = 'users'
    GROUP BY ALL HAVING arg_max(linked, (known_at, NOT linked))
), fresh AS (SELECT DISTINCT * FROM told ANTI JOIN held USING (id_kind, value, user_id)),
ended AS (
    SELECT held.* FROM held SEMI JOIN (SELECT * FROM told WHERE id_kind IN $passed_on) AS now USING (id_kind, user_id)
    ANTI JOIN told USING (id_kind, value, user_id)
    WHERE id_kind IN $passed_on
)
SELECT *, true AS linked FROM fresh UNION ALL SELECT *, false AS linked FROM ended
ORDER BY user_id, id_kind, value, linked
"""
#: Where both ids stand: the first event of each hour, and each change of user within one on a shared device.
_LOGINS = """
WITH both_ids AS (
    SELECT anonymous_id, user_id, occurred_at, coalesce(received_at, occurred_at) AS known_at FROM events
    WHERE anonymous_id IS NOT NULL AND user_id IS NOT NULL
), shared AS (SELECT anonymous_id FROM both_ids GROUP BY ALL HAVING min(user_id) <> max(user_id)),
turns AS (
    SELECT both_ids.* FROM both_ids SEMI JOIN shared USING (anonymous_id)
    WINDOW told AS (PARTITION BY anonymous_id ORDER BY occurred_at, user_id, known_at)
    QUALIFY user_id IS DISTINCT FROM lag(user_id) OVER told
        OR date_trunc('hour', occurred_at) > lag(date_trunc('hour', occurred_at)) OVER told
), hours AS (
    SELECT anonymous_id, user_id, min(occurred_at) AS occurred_at,
        arg_min(known_at, (occurred_at, known_at)) AS known_at
    FROM both_ids ANTI JOIN shared USING (anonymous_id)
    GROUP BY anonymous_id, user_id, date_trunc('hour', both_ids.occurred_at)
)
SELECT *, true AS linked FROM turns UNION ALL SELECT *, true AS linked FROM hours
ORDER BY anonymous_id, occurred_at, user_id
"""


def new_links(links: pa.Table, users: pa.Table | None, now: datetime) -> pa.Table:
    """``LINK_SCHEMA``: what ``users`` (hashed) say that ``links`` does not hold yet, known from ``now`` on.

    A new phone number ends the link to the old one, which may be somebody else's by now. An identity that is not
    mentioned any more ends nothing: another channel's export may not know it.
    """
    told = None if users is None else strong_identities(users)
    if told is None or not len(told):
        return LINK_SCHEMA.empty_table()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("links", links)
        connection.register("told", told)
        parameters = {"passed_on": [str(kind) for kind in PASSED_ON]}
        news = connection.sql(_NEWS, params=parameters).to_arrow_table()
    given = {"source": pa.repeat("users", len(news)), "reason": pa.nulls(len(news), pa.string())}
    given["known_at"] = pa.repeat(pa.scalar(now, TIMESTAMP), len(news))
    columns = [given[f.name] if f.name in given else news.column(f.name) for f in LINK_SCHEMA]
    return pa.table(columns, names=LINK_SCHEMA.names).cast(LINK_SCHEMA)


def logins_of(files: Sequence[Path]) -> pa.Table:
    """``LOGIN_SCHEMA``: the logins that event ``files`` tell of."""
    if not any(_may_have(file, c.ANONYMOUS_ID) and _may_have(file, c.USER_ID) for file in files):
        return LOGIN_SCHEMA.empty_table()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("events", connection.read_parquet([str(file) for file in files]))
        table = connection.sql(_LOGINS).to_arrow_table()
    return table.select(LOGIN_SCHEMA.names).cast(LOGIN_SCHEMA)


def write_rows(root: Path, rows: pa.Table, target: str) -> str | None:
    """Put ``rows`` into ``target`` (relative to ``root``); ``None``, and no file, when there are none."""
    if not len(rows):
        return None
    final = root / target
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.name}")
    pq.write_table(rows, aside, compression="zstd")
    flush(aside)
    aside.rename(final)
    return target


def read_rows(root: Path, paths: Iterable[str | None], schema: pa.Schema) -> pa.Table:
    """The rows of all files, in the order of their commits."""
    tables = [pq.read_table(root / path, schema=schema) for path in paths if path is not None]
    return pa.concat_tables([schema.empty_table(), *tables])


class Aliases:
    """The log of links resolved, once for every state of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: tuple[tuple[str, ...], pa.Table] | None = None

    def links(self, commits: Sequence[Commit]) -> pa.Table:
        """``LINK_SCHEMA``, every fact and retraction."""
        return read_rows(self._root, (commit.links for commit in commits), LINK_SCHEMA)

    def logins(self, commits: Sequence[Commit]) -> pa.Table:
        """``LOGIN_SCHEMA``, every fact and retraction."""
        return read_rows(self._root, (commit.logins for commit in commits), LOGIN_SCHEMA)

    def read(self, commits: Sequence[Commit]) -> pa.Table:
        """``ALIAS_SCHEMA`` after ``commits``."""
        state = tuple(path for commit in commits for path in (commit.links, commit.logins) if path is not None)
        kept = self._kept
        if kept is None or kept[0] != state:
            kept = self._kept = (state, resolve(self.links(commits), self.logins(commits)))
        return kept[1]


def _may_have(file: Path, column: str) -> bool:
    """Whether the statistics of ``file`` allow a value in ``column``."""
    metadata = pq.read_metadata(file)
    place = metadata.schema.to_arrow_schema().get_field_index(column)
    for group in range(metadata.num_row_groups):
        told = metadata.row_group(group).column(place).statistics
        if told is None or not told.has_null_count or told.null_count < metadata.row_group(group).num_rows:
            return True
    return False
