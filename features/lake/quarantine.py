"""The quarantine: rows that failed a check, with the reason and the row as it came. One file per source content."""

import re
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from features.quality import QUARANTINE_SCHEMA

_BETWEEN: Final = re.compile(r"[,;|\t:{}\[\]]")
_AROUND: Final = " \"'\\\r\n"


class QuarantineWriter:
    """Collects rows aside; :meth:`publish` puts them into place in one step."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "quarantine.parquet"
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def add(self, rows: pa.Table) -> None:
        if not len(rows):
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, QUARANTINE_SCHEMA, compression="zstd")
        self._writer.write_table(rows)

    def publish(self, target: Path) -> None:
        """Move what was collected to ``target``, replacing what the same source left there before."""
        self._close()
        if self._file.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file.rename(target)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def read_quarantine(folder: Path) -> pa.Table:
    """All quarantined rows, in ``QUARANTINE_SCHEMA``."""
    tables = [pq.read_table(f, schema=QUARANTINE_SCHEMA) for f in sorted(folder.glob("*.parquet"))]
    return pa.concat_tables([QUARANTINE_SCHEMA.empty_table(), *tables])


def values_of(raw: str) -> frozenset[str]:
    """Every value that a row as it came holds, as text: of a line its fields, of JSON all that is in it.

    Which column is whose id is not known of a row that could not be read, so any value may be one.
    """
    found = {part.strip(_AROUND) for part in _BETWEEN.split(raw)}
    try:
        pending = [orjson.loads(raw)]
    except orjson.JSONDecodeError:
        pending = []
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value
        elif value is not None:
            found |= {str(value), *(part.strip(_AROUND) for part in _BETWEEN.split(str(value)))}
    return frozenset(found - {""})
