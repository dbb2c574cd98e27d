"""DuckDB: the engine of one machine."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa


class DuckRelations:
    """Relations on one DuckDB connection, in memory (:class:`features.engine.relations.Relations`)."""

    dialect = "duckdb"

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        # Times are UTC whatever the machine's zone: the cast of a zoned time to a plain one depends on this.
        self._connection.execute("SET TimeZone = 'UTC'")

    def add(self, name: str, table: pa.Table) -> None:
        """Let ``name`` stand for an Arrow table, which is not copied."""
        self._connection.register(name, table)

    def add_parquet(self, name: str, files: Iterable[str]) -> None:
        """Let ``name`` stand for the rows of Parquet files."""
        self._connection.read_parquet(list(files), union_by_name=True).create_view(name, replace=True)

    def keep(self, name: str, sql: str) -> None:
        """Compute the rows of ``sql`` once."""
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}')

    def view(self, name: str, sql: str) -> None:
        """Let ``name`` stand for ``sql``, computed at every use."""
        self._connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {sql}')

    def rows(self, sql: str) -> pa.Table:
        """The rows of ``sql``."""
        return self._connection.sql(sql).to_arrow_table()

    def schema(self, name: str) -> pa.Schema:
        """Columns of a relation."""
        return self._connection.table(name).limit(0).to_arrow_table().schema
