"""Kept folds on disk: segments of days, and the manifest that says which segment answers for which day."""

import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c
from features.engine.duck import DuckRelations
from features.engine.relations import Relations, relation
from features.tags.spec.columns import DAY
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value

#: A build walks through slices of users, each of which reads whole row groups.
ROW_GROUP: Final = 30_000

_MANIFEST: Final = "manifest.json"
_SEGMENT: Final = "segment"


class Segment(BaseModel):
    """Folds of some days."""

    model_config = ConfigDict(frozen=True)

    name: str
    events: int
    written: tuple[date, ...]
    """Days that its files hold."""
    days: dict[date, str]
    """Days that it answers for, each with the hash of what it was folded from."""


class Manifest(BaseModel):
    """The segments of one state; a day belongs to one of them."""

    model_config = ConfigDict(frozen=True)

    segments: tuple[Segment, ...] = ()

    @property
    def days(self) -> dict[date, str]:
        """Every folded day with the hash of what it was folded from."""
        return {day: made for segment in self.segments for day, made in segment.days.items()}

    @property
    def superseded(self) -> list[tuple[str, date]]:
        """Segment and day of the rows to pass over."""
        return [(s.name, day) for s in self.segments for day in s.written if day not in s.days]

    def without(self, days: Collection[date]) -> "Manifest":
        """The segments without these days; those that answer for nothing more are left out."""
        kept = (
            segment.model_copy(update={"days": {d: made for d, made in segment.days.items() if d not in days}})
            for segment in self.segments
        )
        return Manifest(segments=tuple(segment for segment in kept if segment.days))


class SegmentFolder:
    """Segments below one folder. Files are written aside and appear whole.

    ::

        manifest.json
        <segment>/<table>.parquet    rows of some days, sorted by user and day
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def manifest(self) -> Manifest:
        """The state that counts; empty when there is none yet."""
        file = self.root / _MANIFEST
        return Manifest.model_validate_json(file.read_bytes()) if file.exists() else Manifest()

    def rows(self, relations: Relations, manifest: Manifest, table: str) -> Value:
        """The rows of one table that count, of all segments, as an expression over ``relations``."""
        whole = [segment for segment in manifest.segments if len(segment.days) == len(segment.written)]
        parts = [self._read(relations, table, whole, f"{table}_whole")] if whole else []
        if pairs := manifest.superseded:
            names, days = zip(*pairs, strict=True)
            relations.add("superseded", pa.table({_SEGMENT: pa.array(names), DAY: pa.array(days, pa.date32())}))
            # Apart from the others: the join would cost every row of every segment.
            broken = [segment for segment in manifest.segments if segment not in whole]
            rows = self._read(relations, table, broken, f"{table}_broken")
            parts.append(rows.anti_join(relation(relations, "superseded"), [_SEGMENT, DAY]))
        return (parts[0] if len(parts) == 1 else parts[0].union(parts[1])).drop(_SEGMENT)

    def _read(self, relations: Relations, table: str, segments: Iterable[Segment], name: str) -> Value:
        relations.add_parquet(name, [str(self._file(segment.name, table)) for segment in segments])
        return relation(relations, name)

    def write(
        self, engine: DuckRelations, tables: Mapping[str, Value], *, events: int, days: Mapping[date, str]
    ) -> Segment:
        """A new segment with these tables, which no manifest names yet."""
        name = uuid.uuid4().hex[:12]
        aside = self.root / f".{name}"
        aside.mkdir()
        for table, rows in tables.items():
            sorted_rows = rows.mutate(**{_SEGMENT: ibis.literal(name)}).order_by(c.USER_ID, DAY)
            engine.write_parquet(to_sql(sorted_rows, engine.dialect), aside / f"{table}.parquet", ROW_GROUP)
        aside.rename(self.root / name)
        return Segment(name=name, events=events, written=tuple(days), days=dict(days))

    def replace(self, manifest: Manifest) -> None:
        """Make ``manifest`` the state that counts.

        Segments of the state before stay for readers that are under way; older ones and what a crash left go.
        """
        needed = {segment.name for state in (self.manifest(), manifest) for segment in state.segments}
        aside = self.root / f".{_MANIFEST}"
        aside.write_text(manifest.model_dump_json(), encoding="utf-8")
        aside.replace(self.root / _MANIFEST)
        for folder in self.root.iterdir():
            if folder.is_dir() and folder.name not in needed:
                shutil.rmtree(folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, over all processes of this machine."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a") as stream:
            flock(stream, LOCK_EX)  # ends with the stream
            yield

    def _file(self, segment: str, table: str) -> Path:
        return self.root / segment / f"{table}.parquet"
