"""Accepted events on their way into the lake: spilled to disk batch by batch, then identified, thinned and sorted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA, TIMESTAMP
from features.lake.commits import EventFile

_POSITION: Final = "position"  # order of reading over all files
_FILE: Final = "file_number"
_CONTENT: Final = "content"
_DAY: Final = "day"
_STAGED_SCHEMA: Final = pa.schema(
    [*(f.with_nullable(True) for f in EVENT_SCHEMA), pa.field(_POSITION, pa.int64()), pa.field(_FILE, pa.int32())]
)
_MEMORY_LIMIT: Final = "1500MB"
_ROW_GROUP: Final = 122_880
#: Columns whose values repeat; ids of events and free text do not.
DICTIONARY: Final = [n for n in EVENT_SCHEMA.names if n not in (c.EVENT_ID, c.PROPERTIES, c.OCCURRED_AT)]


@dataclass(frozen=True)
class Written:
    """Event files that stand in the staging folder, below ``date=YYYY-MM-DD/``."""

    files: tuple[EventFile, ...]  # paths relative to the folder of events
    rows: int
    last_event_at: datetime | None


class StagedEvents:
    """Collects events in a file of ``folder``; :meth:`write` turns them into files of the lake."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "staged.parquet"
        self._writer = pq.ParquetWriter(self._file, _STAGED_SCHEMA, compression="lz4", use_dictionary=DICTIONARY)
        self._files: list[str] = []
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()

    def add(self, file: str, events: pa.Table) -> None:
        """Take in ``events`` (``EVENT_SCHEMA``; ``event_id`` may be null) of ``file``, in the order of reading."""
        if file not in self._files:
            self._files.append(file)
        positions = np.arange(self.rows, self.rows + len(events), dtype=np.int64)
        numbers = pa.repeat(pa.scalar(self._files.index(file), pa.int32()), len(events))
        self._writer.write_table(
            pa.table([*events.columns, pa.array(positions), numbers], names=_STAGED_SCHEMA.names).cast(_STAGED_SCHEMA)
        )
        self.rows += len(events)

    def write(self, existing: Sequence[Path], name: str) -> Written:
        """Write the events whose id is neither in ``existing`` event files nor earlier in this one.

        One file ``name.parquet`` per day, sorted by user and time. A row without an id gets one from its content and
        its number among equal rows of its file: equal lines of one file are all kept, and the same file, or another
        that overlaps with it, adds nothing twice.
        """
        self._writer.close()
        with duckdb.connect(config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(self._folder)}) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
            staged = connection.read_parquet(str(self._file)).set_alias("staged")
            fresh = _identify(staged)
            if existing:
                known = connection.read_parquet([str(f) for f in existing]).project(c.EVENT_ID).set_alias("known")
                fresh = fresh.join(known, f"fresh.{c.EVENT_ID} = known.{c.EVENT_ID}", how="anti").set_alias("fresh")
            columns = [f"{'fresh' if n == c.EVENT_ID else 'staged'}.{n}" for n in EVENT_SCHEMA.names]
            rows = (
                staged.join(fresh, f"staged.{_POSITION} = fresh.{_POSITION}")
                .project(f"{', '.join(columns)}, staged.{_POSITION}, CAST({c.OCCURRED_AT} AS DATE) AS {_DAY}")
                .order(f"{_DAY}, {c.USER_ID} NULLS LAST, {c.OCCURRED_AT}, {_POSITION}")
            )
            return _write_days(rows.to_arrow_reader(_ROW_GROUP), self._folder, name)


def _identify(staged: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Position of the first row of every event id, ids made from content where there is none."""
    without = staged.filter(f"{c.EVENT_ID} IS NULL").project(
        f"{_POSITION}, {_FILE}, md5({_content_text()}) AS {_CONTENT}"
    )
    counted = without.project(
        f"{_POSITION}, {_CONTENT}, row_number() OVER (PARTITION BY {_FILE}, {_CONTENT} ORDER BY {_POSITION}) AS nth"
    )
    made = counted.project(
        f"{_POSITION}, CASE WHEN nth = 1 THEN {_CONTENT} ELSE {_CONTENT} || '-' || nth END AS {c.EVENT_ID}"
    )
    given = staged.filter(f"{c.EVENT_ID} IS NOT NULL").project(f"{_POSITION}, {c.EVENT_ID}")
    first = made.union(given).aggregate(f"min({_POSITION}) AS {_POSITION}, {c.EVENT_ID}", c.EVENT_ID)
    return first.set_alias("fresh")


def _content_text() -> str:
    """SQL for everything that makes two rows equal, as one text."""
    names = [n for n in EVENT_SCHEMA.names if n not in (c.EVENT_ID, c.RECEIVED_AT)]
    plain = [f"epoch_us({n})" if EVENT_SCHEMA.field(n).type == TIMESTAMP else n for n in names]
    return f"concat_ws(chr(31), {', '.join(f'coalesce(CAST({p} AS VARCHAR), chr(30))' for p in plain)})"


def _write_days(batches: pa.RecordBatchReader, folder: Path, name: str) -> Written:
    latest: list[datetime] = []
    with _DayWriter(folder, name) as writer:
        for batch in batches:
            if not batch.num_rows:
                continue
            table = pa.table(batch)
            latest.append(pc.max(table.column(c.OCCURRED_AT)).as_py().astimezone(UTC))
            for day, rows in _runs(table):
                writer.write(day, rows)
    files = tuple(EventFile(path=path, rows=rows) for path, rows in writer.written.items())
    return Written(files, sum(f.rows for f in files), max(latest, default=None))


def _runs(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """``table``, sorted by day, cut where the day changes."""
    days = table.column(_DAY).to_numpy()
    cuts = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
    rows = table.select(EVENT_SCHEMA.names).cast(EVENT_SCHEMA)
    for start, stop in pairwise(cuts):
        yield str(days[start]), rows.slice(start, stop - start)


class _DayWriter:
    """Writes rows that come day after day, one file per day."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._path = ""
        self._writer: pq.ParquetWriter | None = None
        self.written: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def write(self, day: str, rows: pa.Table) -> None:
        path = f"date={day}/{self._name}.parquet"
        if path != self._path:
            self._close()
            (self._folder / path).parent.mkdir(exist_ok=True)
            self._writer = pq.ParquetWriter(
                self._folder / path, EVENT_SCHEMA, compression="zstd", use_dictionary=DICTIONARY
            )
            self._path = path
            self.written[path] = 0
        assert self._writer is not None
        self._writer.write_table(rows, row_group_size=_ROW_GROUP)
        self.written[path] += len(rows)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
