"""A tag table written in batches: sorted users, bounded memory, small row groups."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import InputError

#: Small row groups over sorted users: a look-up reads one of them.
ROW_GROUP: Final = 8_192


def write_batches(batches: Iterable[pa.Table], schema: pa.Schema, path: Path) -> int:
    """Write tables of ``schema`` one after the other; the number of rows.

    Users must ascend over all batches and stand there once, else :class:`InputError`. A batch is written while the next
    one is made; no more than these two are in memory.
    """
    if c.USER_ID not in schema.names:
        raise InputError(f"a tag table needs the column {c.USER_ID}")
    rows, last = 0, None
    waiting = schema.empty_table()
    pending: Future[None] | None = None
    # Only the user is looked up by value; statistics of five hundred tags would weigh more than they save.
    with (
        pq.ParquetWriter(path, schema, compression="zstd", write_statistics=[c.USER_ID]) as writer,
        ThreadPoolExecutor(1) as beside,
    ):
        for batch in batches:
            last = _check_order(batch[c.USER_ID], last)
            rows += batch.num_rows
            waiting = pa.concat_tables([waiting, batch.select(schema.names).cast(schema)])
            whole = waiting.num_rows // ROW_GROUP * ROW_GROUP
            if pending is not None:
                pending.result()
            pending = beside.submit(writer.write_table, waiting.slice(0, whole), ROW_GROUP) if whole else None
            waiting = waiting.slice(whole)
        if pending is not None:
            pending.result()
        if waiting.num_rows:
            writer.write_table(waiting, ROW_GROUP)
    return rows


def _check_order(users: pa.ChunkedArray, last: str | None) -> str | None:
    """Raise unless every user comes after the one before; the last one of all so far."""
    if not len(users):
        return last
    if users.null_count:
        raise InputError(f"a tag table needs a {c.USER_ID} in every row")
    users = users.combine_chunks()
    unordered = pc.less_equal(users[1:], users[:-1])
    place = pc.index(unordered, value=True).as_py()
    if place >= 0:
        raise InputError(f"users must ascend in a tag table: '{users[place + 1]}' comes after '{users[place]}'")
    if last is not None and users[0].as_py() <= last:
        raise InputError(f"users must ascend in a tag table: a batch begins with '{users[0]}' after '{last}'")
    return str(users[-1].as_py())
