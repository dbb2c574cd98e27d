"""Events of a lake as they were known at a moment, row by row: what models of behaviour learn from."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import EventType
from features.engine.duck import DuckRelations
from features.engine.known import counting, known
from features.engine.log import LakeFiles, LakeLog
from features.engine.normalise import events_of
from features.engine.relations import relation
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value


def known_events(
    lake: LakeFiles,
    columns: Sequence[str],
    kinds: Collection[EventType],
    as_of: datetime,
    *,
    split: datetime | None = None,
    users: pa.Array | None = None,
) -> pa.Table:
    """Events of ``kinds`` before ``as_of`` (aware) under the users they count for, fake ones left out.

    Ordered by time and event id; with ``users`` only what counts for them. With ``split``, events before it are those
    that were known then: a model judged from there could not have known others. An empty lake raises
    :class:`MissingStateError`.
    """
    engine = DuckRelations()
    LakeLog(lake).add_to(engine, "raw_events")
    aliases, flags = lake.read_aliases(), [str(file) for file in lake.flag_files()]
    if aliases.num_rows:
        engine.add("aliases", aliases)
    if flags:
        engine.add_parquet("flags", flags)
    rows = known(
        events_of(relation(engine, "raw_events")),
        relation(engine, "aliases") if aliases.num_rows else None,
        relation(engine, "flags") if flags else None,
    )
    end = _naive(as_of)
    rows = rows.filter(rows[c.EVENT_TYPE].isin([kind.value for kind in kinds]), rows[c.OCCURRED_AT] < end)
    rows = counting(rows, end) if split is None else _split(rows, _naive(split), end)
    if users is not None:
        engine.add("wanted_users", pa.table({c.USER_ID: users}))
        rows = rows.semi_join(relation(engine, "wanted_users"), c.USER_ID)
    rows = rows.order_by(c.OCCURRED_AT, c.EVENT_ID).select(list(columns))
    return engine.rows(to_sql(rows, engine.dialect))


def _split(rows: Value, split: datetime, end: datetime) -> Value:
    """What was known at ``split`` of the time before it, and at ``end`` of the time after it."""
    before, after = rows.filter(rows[c.OCCURRED_AT] < split), rows.filter(rows[c.OCCURRED_AT] >= split)
    return counting(before, split).union(counting(after, end))


def _naive(moment: datetime) -> datetime:
    """Event rows hold UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
