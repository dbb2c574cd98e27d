"""The same reading and screening as the lake's, into memory: for benchmarks and experiments."""

from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.contracts.progress import step
from features.quality import QualityConfig, QualityReport, Tally, screen
from features.sources import Source


class LoadedSource(NamedTuple):
    """A whole source in memory."""

    events: pa.Table  # (n,) EVENT_SCHEMA in the order of the files; an event without an id got its position as one
    items: pa.Table | None
    users: pa.Table | None
    report: QualityReport


def read_table(
    source: Source, *, now: datetime, timed: bool = True, limits: QualityConfig | None = None
) -> LoadedSource:
    """Read and screen ``source`` into memory.

    With ``timed`` off, ``occurred_at`` may be null. Quarantined rows are left out and counted in the report, whose
    limit is not enforced here. Raises ``UnreadableSourceError``.
    """
    limits = limits or QualityConfig()
    tally = Tally()
    tables: list[pa.Table] = []
    with step(f"reading {source.name}", total=source.size(), unit="bytes") as task:
        for batch in screen(source.events(), now=now, timed=timed, limits=limits):
            tally.add(batch)
            tables.append(batch.accepted)
            task.advance(batch.read_bytes)
    events = pa.concat_tables(tables or [EVENT_SCHEMA.empty_table()])
    unique = _first_of_each_id(events)
    duplicates = len(events) - len(unique)
    report = tally.report(source.name, source.fingerprint(), limits.error_limit, duplicates=duplicates)
    return LoadedSource(_with_ids(unique), source.items(), source.users(), report)


def _first_of_each_id(events: pa.Table) -> pa.Table:
    ids = events.column(c.EVENT_ID)
    given = len(ids) - ids.null_count
    if not given or given == pc.count_distinct(ids).as_py():
        return events
    positions = pa.table({c.EVENT_ID: ids, "position": np.arange(len(ids))})
    first = (
        positions.filter(ids.is_valid()).group_by(c.EVENT_ID).aggregate([("position", "min")]).column("position_min")
    )
    keep = np.array(ids.is_null())
    keep[first.to_numpy()] = True
    return events.filter(pa.array(keep))


def _with_ids(events: pa.Table) -> pa.Table:
    positions = pa.array(np.arange(len(events))).cast(pa.string())
    ids = pc.coalesce(events.column(c.EVENT_ID), positions)
    return events.set_column(0, c.EVENT_ID, ids).combine_chunks().cast(EVENT_SCHEMA)
