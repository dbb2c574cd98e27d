"""The one place where Ibis expressions become DuckDB's SQL."""

from collections.abc import Iterable

import duckdb
import ibis
import pyarrow as pa

from features.tags.spec.vocabulary import Value


def to_sql(expression: Value) -> str:
    """The expression as DuckDB reads it; relations are called by their names."""
    return str(ibis.to_sql(expression, dialect="duckdb", pretty=False))


class Relations:
    """Named relations on one DuckDB connection, in memory."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        # Times are UTC whatever the machine's zone: the cast of a zoned time to a plain one depends on this.
        self._connection.execute("SET TimeZone = 'UTC'")

    def add(self, name: str, table: pa.Table) -> None:
        """Let ``name`` stand for an Arrow table, which is not copied."""
        self._connection.register(name, table)

    def add_parquet(self, name: str, files: Iterable[str]) -> None:
        """Let ``name`` stand for the rows of Parquet files."""
        self._connection.read_parquet(list(files), union_by_name=True).create_view(name)

    def keep(self, name: str, sql: str) -> None:
        """Compute the rows of ``sql`` once."""
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}')

    def view(self, name: str, sql: str) -> None:
        """Let ``name`` stand for ``sql``, computed at every use."""
        self._connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {sql}')

    def rows(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()

    def __getitem__(self, name: str) -> Value:
        """The relation as an Ibis table."""
        found = self._connection.table(name).limit(0).to_arrow_table().schema
        return ibis.table(ibis.Schema.from_pyarrow(found), name=name)
