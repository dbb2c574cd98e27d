"""Tables as answers: which of JSON, NDJSON, CSV and Parquet a caller accepts, and how each is written."""

import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

_ROWS = 5_000  # rows of a table that are text at a time


class TableFormat(StrEnum):
    """The formats by media type."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"


_WILDCARDS = {"*/*": TableFormat.JSON, "application/*": TableFormat.JSON, "text/*": TableFormat.CSV}


def accepted_format(accept: str | None) -> TableFormat | None:
    """The format that an ``Accept`` header likes best, JSON without one; None when it accepts none of them."""
    if not accept or not accept.strip():
        return TableFormat.JSON
    wishes: list[tuple[float, TableFormat]] = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        chosen = _WILDCARDS.get(media) or next((f for f in TableFormat if f == media), None)
        quality = _quality(parameters)
        if chosen is not None and quality > 0:
            wishes.append((quality, chosen))
    # Of equal wishes the first counts.
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None


def rows_of(table: pa.Table, json_columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows as JSON values; ``json_columns`` hold JSON text that becomes part of the row."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        for name in json_columns:
            row[name] = None if row[name] is None else orjson.loads(row[name])
    return rows


def written(table: pa.Table, kind: TableFormat, json_columns: tuple[str, ...]) -> Iterator[bytes]:
    """``table`` as a file of ``kind`` (not JSON), piece by piece."""
    if kind is TableFormat.PARQUET:
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        yield buffer.getvalue()
    elif kind is TableFormat.CSV:
        yield from _csv(table)
    else:
        for start in range(0, table.num_rows, _ROWS):
            rows = rows_of(table.slice(start, _ROWS), json_columns)
            yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _csv(table: pa.Table) -> Iterator[bytes]:
    for start in range(0, max(table.num_rows, 1), _ROWS):
        buffer = io.BytesIO()
        options = pyarrow.csv.WriteOptions(include_header=start == 0)
        pyarrow.csv.write_csv(table.slice(start, _ROWS), buffer, options)
        yield buffer.getvalue()


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
