"""What an engine is: a place with named relations that runs the SQL that Ibis writes."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import ibis
import pyarrow as pa

from features.tags.spec.vocabulary import Value


class Relations(Protocol):
    """Named relations of one session. Timestamps are UTC and naive inside."""

    #: What :func:`ibis.to_sql` calls the engine's SQL.
    dialect: str
    #: How many users a build computes at once; bounds its memory.
    users_at_once: int

    def add(self, name: str, table: pa.Table) -> None:
        """Let ``name`` stand for an Arrow table."""

    def add_parquet(self, name: str, files: Iterable[str]) -> None:
        """Let ``name`` stand for the rows of Parquet files, columns matched by name."""

    def keep(self, name: str, sql: str) -> None:
        """Compute the rows of ``sql`` once, under ``name``, in place of what had that name."""

    def view(self, name: str, sql: str) -> None:
        """Let ``name`` stand for ``sql``, computed at every use, in place of what had that name."""

    def beside(self, name: str, tables: Sequence[str], key: str) -> None:
        """Let ``name`` stand for the rows of the first of ``tables``, in order of ``key``, with the others' columns.

        Every table has a key once at most; the columns of one that lacks it are null there.
        """

    def rows(self, sql: str) -> pa.Table:
        """The rows of ``sql``."""

    def schema(self, name: str) -> pa.Schema:
        """Columns of a relation."""


def relation(relations: Relations, name: str) -> Value:
    """A relation as an Ibis table."""
    return ibis.table(ibis.Schema.from_pyarrow(relations.schema(name)), name=name)
