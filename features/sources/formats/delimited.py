"""CSV and TSV. Every value stays text: what it means is decided later, so that one bad value costs one row.

Lines are cut before quotes are read. So a quote sign too many costs its own row, where a reader that trusts quotes
would swallow the rest of the file into one value.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from features.contracts.errors import UnreadableSourceError
from features.sources.batch import Chunk, MalformedRow, Wanted
from features.sources.formats.stream import read_lines, require_columns

#: Most lines that one row may take; a quote that stays open longer is taken for a mistake.
_MAX_LINES = 100
_STRAY_QUOTE = "a quote sign is missing or there is one too many"


def read_csv(file: Path, wanted: Wanted) -> Iterator[Chunk]:
    """Rows of a comma-separated file with a header line, UTF-8, plain or gzip."""
    return _read(file, wanted, ",")


def read_tsv(file: Path, wanted: Wanted) -> Iterator[Chunk]:
    """Rows of a tab-separated file with a header line, UTF-8, plain or gzip."""
    return _read(file, wanted, "\t")


def _read(file: Path, wanted: Wanted, delimiter: str) -> Iterator[Chunk]:
    header: list[str] = []
    waiting = _Records()
    rows = 0
    for block, first, read_bytes in read_lines(file, header_lines=1, delimiter=delimiter):
        lines, start = block, first
        if not header:
            header = next(csv.reader(lines[:1], delimiter=delimiter), [])
            require_columns(file, wanted.required, header)
            lines, start = lines[1:], 1
        fresh = _Records(list(lines), list(range(start, start + len(lines))))
        whole, waiting = _join_lines(waiting + fresh, len(header), delimiter)
        rows += len(whole.texts) + len(whole.malformed)
        yield _parse(whole, header, delimiter, read_bytes)
    if waiting.texts:
        # The file ends inside a quoted value: its first line is at fault, the others are rows of their own.
        whole, _ = _join_lines(waiting, len(header), delimiter, last=True)
        rows += len(whole.texts) + len(whole.malformed)
        yield _parse(whole, header, delimiter, 0)
    if not rows:
        raise UnreadableSourceError(f"{file}: the file has {'a header but ' if header else ''}no rows")


@dataclass
class _Records:
    """Rows as text, each with the file row it starts at."""

    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    malformed: list[MalformedRow] = field(default_factory=list)

    def __add__(self, other: "_Records") -> "_Records":
        return _Records(self.texts + other.texts, self.numbers + other.numbers)


def _join_lines(lines: _Records, width: int, delimiter: str, *, last: bool = False) -> tuple[_Records, _Records]:
    """Rows made of ``lines``, and the lines from an open quote on that must wait for more.

    A row of several lines has ``width`` columns when joined; an open quote that finds no end is a malformed row.
    """
    quotes = pc.count_substring(pa.array(lines.texts, pa.string()), '"').to_numpy()
    odd = np.flatnonzero(quotes % 2).tolist()
    if not odd:
        return lines, _Records()
    whole, done, total = _Records(), 0, len(lines.texts)
    for opening, closing in zip(odd, [*odd[1:], total], strict=True):
        if opening < done:
            continue  # it closed the row before
        whole.texts += lines.texts[done:opening]
        whole.numbers += lines.numbers[done:opening]
        if closing == total and not last and total - opening <= _MAX_LINES:
            return whole, _Records(lines.texts[opening:], lines.numbers[opening:])
        joined = "\n".join(lines.texts[opening : closing + 1])
        if closing - opening < _MAX_LINES and closing < total and _columns(joined, delimiter) == width:
            whole.texts.append(joined)
            whole.numbers.append(lines.numbers[opening])
            done = closing + 1
        else:
            whole.malformed.append(MalformedRow(lines.numbers[opening], lines.texts[opening], _STRAY_QUOTE))
            done = opening + 1
    whole.texts += lines.texts[done:]
    whole.numbers += lines.numbers[done:]
    return whole, _Records()


def _columns(text: str, delimiter: str) -> int:
    """Columns of ``text`` as one row, 0 when it is not one row."""
    try:
        found = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return 0
    return len(found[0]) if len(found) == 1 else 0


def _parse(records: _Records, header: Sequence[str], delimiter: str, read_bytes: int) -> Chunk:
    texts, numbers = records.texts, np.array(records.numbers, dtype=np.int64)
    if "" in texts:
        filled = np.array([text != "" for text in texts])
        texts, numbers = [text for text in texts if text], numbers[filled]
    malformed = list(records.malformed)
    refused: list[int] = []

    def refuse(row: pa_csv.InvalidRow) -> str:
        position = row.number - 1
        reason = f"the row has {row.actual_columns} columns, the header has {row.expected_columns}"
        malformed.append(MalformedRow(int(numbers[position]), row.text, reason))
        refused.append(position)
        return "skip"

    content = "\n".join(texts).encode()
    if not content:
        nothing = pa.table({name: pa.array([], pa.string()) for name in header})
        return Chunk(nothing, pa.array([], pa.int64()), None, tuple(malformed), read_bytes)
    table = pa_csv.read_csv(
        pa.BufferReader(content),
        pa_csv.ReadOptions(column_names=list(header), use_threads=False, block_size=len(content) + 1),
        pa_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse, ignore_empty_lines=False
        ),
        pa_csv.ConvertOptions(
            default_column_type=pa.string(), check_utf8=False, strings_can_be_null=True, null_values=[""]
        ),
    )
    return Chunk(table, pa.array(np.delete(numbers, refused)), None, tuple(malformed), read_bytes)
