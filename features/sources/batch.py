"""What every source gives: raw rows in batches that remember where they came from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """Columns a reader looks for, by their names in the file."""

    required: Sequence[str] = ()  # the file cannot be used without them
    optional: Sequence[str] = ()  # taken where they stand


@dataclass(frozen=True)
class MalformedRow:
    """A row that could not even be split into columns."""

    number: int  # 1-based line of the file, the header not counted
    text: str  # the row as it stands in the file
    reason: str


@dataclass(frozen=True)
class Chunk:
    """``n`` rows of one file as a reader found them."""

    rows: pa.Table  # (n,) columns under the file's own names
    numbers: pa.Array  # (n,) int64, 1-based row of the file, the header not counted; in text files the line
    lines: pa.Array | None = None  # (n,) the text of each row, where the file is made of lines
    malformed: tuple[MalformedRow, ...] = ()
    read_bytes: int = 0  # what this chunk took from the disk, for progress


@dataclass(frozen=True)
class RawBatch:
    """A chunk with what is known of its columns.

    ``columns`` maps a canonical column to the column of the file; a canonical column that is not in it is absent.
    ``event_map`` maps words of the file to words of :class:`~features.contracts.events.EventType`.
    """

    file: str
    chunk: Chunk
    columns: Mapping[str, str]
    event_map: Mapping[str, str] = field(default_factory=dict)

    def raw_text(self, positions: pa.Array) -> list[str]:
        """The rows at ``positions`` as they came: the line of the file, or JSON of the file's columns."""
        if self.chunk.lines is not None:
            lines: list[str] = self.chunk.lines.take(positions).to_pylist()
            return lines
        return [_json(row) for row in self.chunk.rows.take(positions).to_pylist()]


def _json(row: dict[str, object]) -> str:
    return orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class Source(Protocol):
    """Somewhere that events come from. Reading it twice gives the same rows in the same order."""

    @property
    def name(self) -> str:
        """What people call it: the file or the sample."""

    @property
    def ordered(self) -> bool:
        """Whether rows without a time stand in time order (sequence files)."""

    def fingerprint(self) -> str:
        """SHA-256 over the content of its files and the way they are read."""

    def size(self) -> int:
        """Bytes on disk of the event files."""

    def events(self) -> Iterator[RawBatch]:
        """Raw events in file order. Raises ``UnreadableSourceError`` when a file cannot be read at all."""

    def items(self) -> pa.Table | None:
        """The catalogue in ``ITEM_SCHEMA``, one row per item, or ``None`` when the source has none."""

    def users(self) -> pa.Table | None:
        """The users in ``USER_SCHEMA``, one row per user, or ``None`` when the source has none."""
