"""Parquet files, streamed by batches of rows with the types they have."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts.errors import UnreadableSourceError
from features.sources.batch import Chunk, Wanted
from features.sources.formats.stream import require_columns

_BATCH_ROWS = 1 << 17


def read_parquet(file: Path, wanted: Wanted) -> Iterator[Chunk]:
    """Rows of a Parquet file with all its columns, so that a row can be shown as it came."""
    try:
        with pq.ParquetFile(file) as parquet:
            rows = parquet.metadata.num_rows
            require_columns(file, wanted.required, parquet.schema_arrow.names)
            per_row = file.stat().st_size / max(rows, 1)
            first = 1
            for batch in parquet.iter_batches(_BATCH_ROWS):
                numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
                yield Chunk(pa.table(batch), pa.array(numbers), read_bytes=int(per_row * batch.num_rows))
                first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise UnreadableSourceError(f"{file}: is not a whole Parquet file: {error}") from error
    if not rows:
        raise UnreadableSourceError(f"{file}: the file has no rows")
