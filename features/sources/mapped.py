"""Files of any layout, read through a column mapping."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.errors import UnreadableSourceError
from features.contracts.events import EVENT_SCHEMA
from features.sources.batch import Chunk, RawBatch, Wanted
from features.sources.files import content_hash
from features.sources.formats import read_sequences, reader_of
from features.sources.master import read_master


@dataclass(frozen=True)
class MappedTable:
    """Some files of one kind and how their columns are called."""

    files: Sequence[Path]
    columns: Mapping[str, str]  # empty: canonical names

    def read(self, names: Sequence[str], keys: Sequence[str]) -> Iterator[tuple[Path, Chunk, dict[str, str]]]:
        """Chunks of every file with the mapping that holds for them.

        ``names`` are the canonical columns; the file must have one of ``keys``.
        """
        wanted = Wanted(required=tuple(self.columns.values())) if self.columns else Wanted(optional=names)
        for file in self.files:
            for chunk in reader_of(file)(file, wanted):
                found = chunk.rows.column_names
                mapping = dict(self.columns) or {n: n for n in names if n in found}
                if not any(k in mapping for k in keys) and len(chunk.rows):
                    raise UnreadableSourceError(
                        f"{file}: there is no column '{keys[0]}'; the file has {', '.join(found) or 'none of ours'}. "
                        "Map the columns of the file to Mallard's names"
                    )
                yield file, chunk, mapping

    def described(self) -> str:
        """The mapping as text, part of the fingerprint."""
        return json.dumps(dict(self.columns), sort_keys=True)


@dataclass(frozen=True)
class MappedSource:
    """Event files with a column mapping, and the catalogue and user files beside them."""

    name: str
    table: MappedTable
    event_map: Mapping[str, str] = field(default_factory=dict)
    item_table: MappedTable | None = None
    user_table: MappedTable | None = None
    ordered: bool = False

    def fingerprint(self) -> str:
        tables = [t for t in (self.table, self.item_table, self.user_table) if t is not None]
        reading = json.dumps([[t.described() for t in tables], dict(self.event_map)], sort_keys=True)
        return content_hash([f for t in tables for f in t.files], reading)

    def size(self) -> int:
        return sum(f.stat().st_size for f in self.table.files)

    def events(self) -> Iterator[RawBatch]:
        keys = (c.USER_ID, c.ANONYMOUS_ID)
        for file, chunk, mapping in self.table.read(EVENT_SCHEMA.names, keys):
            yield RawBatch(str(file), chunk, mapping, self.event_map)

    def items(self) -> pa.Table | None:
        return _master(self.item_table, ITEM_SCHEMA, c.ITEM_ID)

    def users(self) -> pa.Table | None:
        return _master(self.user_table, USER_SCHEMA, c.USER_ID)


@dataclass(frozen=True)
class SequenceSource:
    """A file of ``user item item ...`` lines."""

    name: str
    files: Sequence[Path]
    item_table: MappedTable | None = None
    user_table: MappedTable | None = None
    ordered: bool = True

    def fingerprint(self) -> str:
        tables = [t for t in (self.item_table, self.user_table) if t is not None]
        reading = json.dumps(["sequences", *(t.described() for t in tables)])
        return content_hash([*self.files, *(f for t in tables for f in t.files)], reading)

    def size(self) -> int:
        return sum(f.stat().st_size for f in self.files)

    def events(self) -> Iterator[RawBatch]:
        mapping = {c.USER_ID: c.USER_ID, c.ITEM_ID: c.ITEM_ID}
        for file in self.files:
            for chunk in read_sequences(file):
                yield RawBatch(str(file), chunk, mapping)

    def items(self) -> pa.Table | None:
        return _master(self.item_table, ITEM_SCHEMA, c.ITEM_ID)

    def users(self) -> pa.Table | None:
        return _master(self.user_table, USER_SCHEMA, c.USER_ID)


def _master(table: MappedTable | None, schema: pa.Schema, key: str) -> pa.Table | None:
    """The whole of an items or users table, if there is one."""
    return None if table is None else read_master(table.read(schema.names, (key,)), schema, key)
