"""Parquet files without the rows that name somebody: streamed, written aside, and put in the old one's place whole.

A file keeps its name, so that readers which learnt of it before find it; whoever has it open reads on in the old one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.lake.commits import flush

Bools = npt.NDArray[np.bool_]

_ROWS: Final = 122_880


@dataclass(frozen=True)
class Naming:
    """How rows of a table name somebody, and what the table is without him."""

    columns: tuple[str, ...]
    """What :attr:`names` reads."""
    names: Callable[[pa.Table], Bools]
    """(n,) which rows name him."""
    change: Callable[[pa.Table], pa.Table] | None = None
    """The table without him, where rows that name him are more than left out."""

    @classmethod
    def by(cls, column: str, ids: Sequence[str]) -> "Naming":
        """A row names him when ``column`` holds one of ``ids``."""
        return cls((column,), lambda table: one_of(table[column], ids))

    def without(self, table: pa.Table) -> pa.Table:
        """``table`` without him."""
        return table.filter(pa.array(~self.names(table))) if self.change is None else self.change(table)


def one_of(values: pa.ChunkedArray, ids: Sequence[str]) -> Bools:
    """(n,) which ``values`` are one of ``ids``; null is none."""
    found: Bools = pc.is_in(values, pa.array(list(ids), pa.string())).to_numpy()
    return found


def count(file: Path, naming: Naming) -> int:
    """How many rows of ``file`` name him."""
    with pq.ParquetFile(file) as source:
        batches = source.iter_batches(_ROWS, columns=list(naming.columns))
        return sum(int(naming.names(pa.table(batch)).sum()) for batch in batches)


def take_out(file: Path, naming: Naming, *, row_group: int = _ROWS, **options: Any) -> int:
    """Take him out of ``file``; the number of rows that named him. Without any the file stays untouched.

    ``row_group`` and ``options`` are those that ``file`` was written with. Killed at any moment, the file is the old
    one or the new one.
    """
    found = count(file, naming)
    if not found:
        return 0
    aside = file.with_name(f".{file.name}.erasing")
    with (
        pq.ParquetFile(file) as source,
        pq.ParquetWriter(aside, source.schema_arrow, compression="zstd", **options) as writer,
    ):
        for batch in source.iter_batches(row_group):
            writer.write_table(naming.without(pa.table(batch)).cast(source.schema_arrow), row_group_size=row_group)
    flush(aside)
    aside.replace(file)
    flush(file.parent)
    return found
