"""Reading items and users: small tables that must be right, so that a bad value is an error and not a loss."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts.errors import UnreadableSourceError
from features.sources.batch import Chunk
from features.sources.typed import Typist


def read_master(read: Iterable[tuple[Path, Chunk, Mapping[str, str]]], schema: pa.Schema, key: str) -> pa.Table:
    """All rows in ``schema``, one per ``key``; the last one of an id counts.

    Raises :class:`UnreadableSourceError` that names file, row and column of the first value that cannot be used.
    """
    typist = Typist(schema)
    tables = []
    for file, chunk, mapping in read:
        for row in chunk.malformed:
            raise UnreadableSourceError(f"{file}: row {row.number}: {row.reason}")
        typed = typist.type_rows(chunk.rows, mapping)
        for name, mark in typed.unreadable.items():
            first = pc.index(mark, True).as_py()
            value = chunk.rows.column(mapping[name])[first].as_py()
            where = f"{file}: row {chunk.numbers[first]}, column '{mapping[name]}'"
            raise UnreadableSourceError(f"{where}: {value!r} is not a {_kind(schema, name)}")
        ids = typed.values.column(key)
        if ids.null_count:
            first = pc.index(ids.is_null(), True).as_py()
            raise UnreadableSourceError(
                f"{file}: row {chunk.numbers[first]}, column '{mapping[key]}': the id is missing"
            )
        tables.append(typed.values)
    return last_of_each(pa.concat_tables(tables), key).cast(schema)


def last_of_each(table: pa.Table, key: str) -> pa.Table:
    """One row per value of ``key``, the last one, sorted by ``key``."""
    order = table.append_column("position", pa.array(np.arange(len(table)))).select([key, "position"])
    last = order.group_by(key).aggregate([("position", "max")]).sort_by(key)
    return table.take(last.column("position_max"))


def _kind(schema: pa.Schema, name: str) -> str:
    wanted = schema.field(name).type
    if pa.types.is_timestamp(wanted):
        return "date or time"
    return "yes or no" if pa.types.is_boolean(wanted) else "number"
