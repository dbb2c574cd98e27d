"""Items and users: whole tables, replaced by every commit that changes them."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.sources.master import last_of_each


def read_or_empty(root: Path, path: str | None, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """The table at ``path`` (relative to ``root``), or one without rows; ``columns`` of it, or all."""
    names = schema.names if columns is None else list(columns)
    if path is None:
        return schema.empty_table().select(names)
    return pq.read_table(root / path, schema=schema, columns=names)


def merge(root: Path, path: str | None, rows: pa.Table | None, schema: pa.Schema, target: str) -> str | None:
    """Write the table at ``path`` with ``rows`` laid over it by id to ``target``.

    Returns ``target``, or ``None`` when nothing changes. The first column of ``schema`` is the id; whole rows are
    replaced. Both paths are relative to ``root``.
    """
    if rows is None or not len(rows):
        return None
    before = read_or_empty(root, path, schema)
    after = last_of_each(pa.concat_tables([before, rows.select(schema.names).cast(schema)]), schema.names[0])
    if after.equals(before):
        return None
    final = root / target
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.name}")
    pq.write_table(after, aside, compression="zstd")
    aside.rename(final)
    return target
