"""CDNOW: 69,659 purchases of 23,570 customers of a CD shop, January 1997 to June 1998."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.sources.batch import Chunk, MalformedRow, RawBatch
from features.sources.files import content_hash
from features.sources.formats.stream import read_lines
from features.sources.samples.packages import packaged_file

_INSTALL = "pip install --no-deps lifetimes==0.11.3"
_LINE = r"^\s*(?P<user_id>\d+)\s+(?P<occurred_at>\d{8})\s+(?P<quantity>\d+)\s+(?P<amount>[0-9.]+)\s*$"


class Cdnow:
    """The CDNOW master file (Fader, Hardie 2001). Day resolution, no items, one row per order."""

    name = "cdnow"
    ordered = False

    def fingerprint(self) -> str:
        return content_hash([self._file()], self.name)

    def size(self) -> int:
        return self._file().stat().st_size

    def events(self) -> Iterator[RawBatch]:
        file = self._file()
        mapping = {n: n for n in (c.USER_ID, c.OCCURRED_AT, c.QUANTITY, c.AMOUNT)}
        for lines, first, read_bytes in read_lines(file, header_lines=1):
            start = 1 - min(first, 1)
            text = pa.array(lines[start:], pa.string())
            numbers = pa.array(np.arange(first + start, first + len(lines), dtype=np.int64))
            parts = pc.extract_regex(text, _LINE)
            fits = parts.is_valid()
            broken = pc.and_(pc.invert(fits), pc.not_equal(pc.utf8_trim_whitespace(text), ""))
            whole = parts.filter(fits)
            chunk = Chunk(
                rows=pa.table({n: whole.field(n) for n in mapping}),
                numbers=numbers.filter(fits),
                lines=text.filter(fits),
                malformed=tuple(
                    MalformedRow(number, line, "the line is not: customer, date, CDs, dollars")
                    for number, line in zip(
                        numbers.filter(broken).to_pylist(), text.filter(broken).to_pylist(), strict=True
                    )
                ),
                read_bytes=read_bytes,
            )
            yield RawBatch(str(file), chunk, mapping)

    def items(self) -> pa.Table | None:
        return None

    def users(self) -> pa.Table | None:
        return None

    def _file(self) -> Path:
        return packaged_file("lifetimes", "CDNOW_master.txt", _INSTALL)
