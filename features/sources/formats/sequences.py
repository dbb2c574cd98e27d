"""Sequence files: one user per line, ``user item item ...`` in time order, without timestamps."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import UnreadableSourceError
from features.sources.batch import Chunk, MalformedRow
from features.sources.formats.stream import read_lines


def read_sequences(file: Path) -> Iterator[Chunk]:
    """One row per (user, item) in the order of the file; columns ``user_id`` and ``item_id``.

    ``numbers`` is the line that a row came from, the same for all items of a user.
    """
    rows = 0
    for lines, first, read_bytes in read_lines(file):
        words = pc.split_pattern_regex(pc.utf8_trim_whitespace(pa.array(lines, pa.string())), r"\s+")
        lengths = pc.list_value_length(words).to_numpy(zero_copy_only=False).astype(np.int64)
        flat = words.flatten()
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        is_item = np.ones(len(flat), dtype=np.bool_)
        is_item[starts] = False
        owner = np.repeat(np.arange(len(lines)), lengths)[is_item]
        users = flat.take(pa.array(starts[owner]))
        alone = [i for i in np.flatnonzero(lengths < 2) if lines[i].strip()]
        rows += len(owner) + len(alone)
        yield Chunk(
            rows=pa.table({c.USER_ID: users, c.ITEM_ID: flat.filter(pa.array(is_item))}),
            numbers=pa.array(owner + first, pa.int64()),
            malformed=tuple(MalformedRow(first + int(i), lines[i], "the line has a user but no item") for i in alone),
            read_bytes=read_bytes,
        )
    if not rows:
        raise UnreadableSourceError(f"{file}: the file has no rows")
