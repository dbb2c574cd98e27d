"""JSON lines: one object per line. Keys may be missing in some rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts.errors import UnreadableSourceError
from features.sources.batch import Chunk, MalformedRow, Wanted
from features.sources.formats.stream import read_lines


def read_jsonl(file: Path, wanted: Wanted) -> Iterator[Chunk]:
    """Rows of a JSON-lines file, UTF-8, plain or gzip; columns are the keys in ``wanted`` as text.

    Nested values stay JSON text. An optional key becomes a column once a row has it. Raises
    :class:`UnreadableSourceError` when a required key stands in no row at all.
    """
    keys = list(dict.fromkeys([*wanted.required, *wanted.optional]))
    seen: set[str] = set()
    rows = 0
    connection = duckdb.connect()
    for lines, first, read_bytes in read_lines(file):
        text = pa.array(lines, pa.string())
        filled = pc.not_equal(pc.utf8_trim_whitespace(text), "")
        numbers = pa.array(np.arange(first, first + len(lines), dtype=np.int64)).filter(filled)
        chunk = _take_apart(connection, text.filter(filled), numbers, keys)
        seen.update(n for n in keys if chunk.rows.column(n).null_count < len(chunk.rows))
        rows += len(numbers)
        unseen = [n for n in wanted.optional if n not in seen]
        yield replace(chunk, rows=chunk.rows.drop_columns(unseen), read_bytes=read_bytes)
    if not rows:
        raise UnreadableSourceError(f"{file}: the file has no rows")
    missing = [n for n in wanted.required if n not in seen]
    if missing:
        raise UnreadableSourceError(f"{file}: column '{missing[0]}' is in no row")


def _take_apart(
    connection: duckdb.DuckDBPyConnection, lines: pa.Array, numbers: pa.Array, keys: Sequence[str]
) -> Chunk:
    valid = connection.from_arrow(pa.table({"line": lines})).project("json_valid(line) AS valid").to_arrow_table()
    whole = pc.and_(valid.column("valid").combine_chunks(), pc.match_substring_regex(lines, r"^\s*\{"))
    broken = pc.invert(whole)
    malformed = tuple(
        MalformedRow(number, line, "the line is not a JSON object")
        for number, line in zip(numbers.filter(broken).to_pylist(), lines.filter(broken).to_pylist(), strict=True)
    )
    good = lines.filter(whole)
    paths = ", ".join(_quoted(f'$."{key}"') for key in keys)
    named = ", ".join(f'found[{i}] AS "{_escaped(key)}"' for i, key in enumerate(keys, 1))
    objects = connection.from_arrow(pa.table({"line": good}))
    rows = objects.project(f"json_extract_string(line, [{paths}]) AS found").project(named).to_arrow_table()
    return Chunk(rows, numbers.filter(whole), good, malformed)


def _escaped(name: str) -> str:
    return name.replace('"', '""')


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
