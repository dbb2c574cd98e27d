"""DuckDB: the engine of one machine."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.sqltypes import TIMESTAMP_TZ

_PIECE: Final = 61_440  # rows


class DuckRelations:
    """Relations on one DuckDB connection, in memory (:class:`features.engine.relations.Relations`)."""

    dialect = "duckdb"
    users_at_once = 245_760  # two of DuckDB's row groups: fewer rows would keep one thread busy only

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        # Times are UTC whatever the machine's zone: the cast of a zoned time to a plain one depends on this.
        self._connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        self._tables: set[str] = set()

    def add(self, name: str, table: pa.Table) -> None:
        """Let ``name`` stand for an Arrow table, which is not copied."""
        naive = [column.with_type(_naive(column.type)) for column in table.schema]
        self._connection.register(name, table.cast(pa.schema(naive)))

    def add_parquet(self, name: str, files: Iterable[str]) -> None:
        """Let ``name`` stand for the rows of Parquet files."""
        rows = self._connection.read_parquet(list(files), union_by_name=True)
        zoned = [column for column, kind in zip(rows.columns, rows.types, strict=True) if kind == TIMESTAMP_TZ]
        # A cast would ask the calendar of the time zone about every value: a third of what reading events costs.
        naive = "".join(f', make_timestamp(epoch_us("{column}")) AS "{column}"' for column in zoned)
        rows.project(f"* REPLACE ({naive[2:]})" if zoned else "*").create_view(name, replace=True)

    def keep(self, name: str, sql: str) -> None:
        """Compute the rows of ``sql`` once."""
        if name not in self._tables:
            self._connection.execute(f'DROP VIEW IF EXISTS "{name}"')
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}')
        self._tables.add(name)

    def view(self, name: str, sql: str) -> None:
        """Let ``name`` stand for ``sql``, computed at every use."""
        if name in self._tables:
            self._connection.execute(f'DROP TABLE "{name}"')
            self._tables.remove(name)
        self._connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {sql}')

    def beside(self, name: str, tables: Sequence[str], key: str) -> None:
        """Let ``name`` stand for the rows of the first of ``tables``, with the columns of the others.

        Each is gathered in one go; a join of many wide tables would hand on every value at every step.
        """
        first, *others = (self._connection.table(table).to_arrow_table() for table in tables)
        first = first.sort_by(key)
        keys = first[key].combine_chunks()
        with ThreadPoolExecutor(os.cpu_count()) as cores:
            columns = dict(zip(first.column_names, first.columns, strict=True))
            for part in cores.map(lambda rows: _gathered(rows, keys, key), others):
                columns |= part
        # In pieces, which threads scan side by side.
        table = pa.table(columns)
        self.add(name, pa.Table.from_batches(table.to_batches(max_chunksize=_PIECE), table.schema))

    def rows(self, sql: str) -> pa.Table:
        """The rows of ``sql``."""
        return self._connection.sql(sql).to_arrow_table()

    def write_parquet(self, sql: str, file: Path, row_group: int) -> None:
        """Write the rows of ``sql``, in its order, ``row_group`` rows to a group."""
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group}"
        self._connection.execute(f"COPY ({sql}) TO '{_quoted(file)}' ({options})")

    def schema(self, name: str) -> pa.Schema:
        """Columns of a relation."""
        return self._connection.table(name).limit(0).to_arrow_table().schema


def _naive(kind: pa.DataType) -> pa.DataType:
    """Timestamps without their zone: in Arrow they are UTC whatever the zone says."""
    return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind


def _gathered(rows: pa.Table, keys: pa.Array, key: str) -> dict[str, pa.ChunkedArray]:
    """The other columns of ``rows`` in the order of ``keys``, null where there is no row."""
    rows = rows.combine_chunks()
    places = pc.index_in(keys, value_set=rows[key].combine_chunks())
    # From the system: Arrow's own allocator hands pages back and asks for them anew, which takes longer than the copy.
    found = pc.take(rows.drop_columns(key), places, memory_pool=pa.system_memory_pool())
    return dict(zip(found.column_names, found.columns, strict=True))


def _quoted(file: Path) -> str:
    return str(file).replace("'", "''")
