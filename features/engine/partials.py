"""Folds kept in the lake: a nightly build folds new days only.

A day's fold depends on its event files, its flags and the identities of its ids. When one of them changes, the day is
folded anew into a new segment, and the rows of the old one are passed over.
"""

import hashlib
import shutil
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Final

import ibis
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.contracts.knowledge import ALIAS_SCHEMA, ID_KIND, RAW_ID
from features.contracts.progress import step
from features.engine.duck import DuckRelations
from features.engine.folds import SETTLING, fold_expressions, kept_name
from features.engine.known import id_kind, known, of_users, raw_id
from features.engine.log import LakeFiles, LakeLog, files_by_day
from features.engine.normalise import events_of
from features.engine.relations import Relations, relation
from features.engine.segments import Manifest, Segment, SegmentFolder
from features.tags.spec.base import Folded
from features.tags.spec.columns import DAY
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value

#: Events that are folded at once; bounds the memory.
CHUNK_ROWS: Final = 6_000_000
#: More segments than this are merged: every one costs a build some file openings.
MOST_SEGMENTS: Final = 24

_ALIASES: Final = "aliases.parquet"
#: Which ids have events on which day: what a change of identities touches.
_IDS: Final = "ids"


class LakeFolds:
    """The kept folds of a lake (:class:`features.engine.folds.Folds`), brought up to date before they are read."""

    def __init__(self, lake: LakeFiles, log: LakeLog) -> None:
        self._log = log
        self._lake = lake
        self._aliases = lake.read_aliases().cast(ALIAS_SCHEMA)
        self._flags = files_by_day(lake.flag_files())
        self._expressions = fold_expressions("events")
        self._all = lake.partials
        self.folder = SegmentFolder(self._all / _hash([*_how_read(), *map(_text, self._expressions.values())]))
        self._wanted = {day: self._made_of(day) for day in log.days}
        self._shown: dict[str, Manifest] = {}

    def add_to(
        self, relations: Relations, bases: Collection[type[Folded]], before: date, *, fold: bool = True
    ) -> frozenset[date]:
        """Views on the files, without the rows that were superseded. The running day is never folded."""
        manifest = self.upto(before) if fold else self._valid(self.folder.manifest())
        for table, name in [(SETTLING, SETTLING), *((base.table, kept_name(base)) for base in bases)]:
            if self._shown.get(name) != manifest:
                rows = self._rows(relations, manifest, table)
                relations.view(name, to_sql(rows, relations.dialect))
                self._shown[name] = manifest
        return frozenset(day for day in self._wanted if day < before and day not in manifest.days)

    def upto(self, before: date) -> Manifest:
        """What is folded, after every day ``before`` one that is not was folded."""
        with self.folder.locked():
            stored = self.folder.manifest()
            valid = self._valid(stored)
            missing = [day for day in sorted(self._wanted) if day < before and day not in valid.days]
            if missing or valid != stored:
                valid = self._merged(Manifest(segments=(*valid.segments, *self._fold(missing))))
                self.folder.replace(valid)
                self._keep_aliases()
                self._drop_other_declarations()
        return valid

    # --- what is stale --------------------------------------------------------------------------------

    def _valid(self, manifest: Manifest) -> Manifest:
        """``manifest`` without the days whose files, flags or identities are others than when they were folded."""
        if not manifest.segments:
            return manifest
        changed = {day for day, made in manifest.days.items() if self._wanted.get(day) != made}
        return manifest.without(changed | self._touched_by_identities(manifest))

    def _made_of(self, day: date) -> str:
        files = [*self._log.days[day], *self._flags.get(day, ())]
        return _hash(sorted(f"{file.parent.parent.name}/{file.name}" for file in files))

    def _touched_by_identities(self, manifest: Manifest) -> frozenset[date]:
        """Days with events of ids that stand for somebody else than when they were folded."""
        file = self.folder.root / _ALIASES
        before = pq.read_table(file) if file.exists() else ALIAS_SCHEMA.empty_table()
        if before.equals(self._aliases):
            return frozenset()
        engine = DuckRelations()
        engine.add("now", self._aliases)
        engine.add("before", before)
        now, then = relation(engine, "now"), relation(engine, "before")
        changed = now.difference(then).union(then.difference(now)).rename({c.USER_ID: RAW_ID, "_": c.USER_ID})
        ids = self.folder.rows(engine, manifest, _IDS)
        days = ids.semi_join(changed, [ID_KIND, c.USER_ID]).select(DAY).distinct()
        return frozenset(engine.rows(to_sql(days, engine.dialect))[DAY].to_pylist())

    def _keep_aliases(self) -> None:
        aside = self.folder.root / f".{_ALIASES}"
        pq.write_table(self._lake.admitted_aliases(self._aliases), aside)
        aside.replace(self.folder.root / _ALIASES)

    def _drop_other_declarations(self) -> None:
        """Folds of a version whose bases were declared otherwise are of no use to this one."""
        for folder in self._all.iterdir():
            if folder != self.folder.root:
                shutil.rmtree(folder)

    def _rows(self, relations: Relations, manifest: Manifest, table: str) -> Value:
        """The rows of one table that count; without any segment there are none, of the right shape."""
        if manifest.segments:
            return self.folder.rows(relations, manifest, table)
        nothing = relations.schema("events").empty_table()
        relations.add("no_events", nothing)
        return fold_expressions("no_events")[table]

    # --- folding --------------------------------------------------------------------------------------

    def _fold(self, days: Collection[date]) -> list[Segment]:
        engine = DuckRelations()
        engine.add("aliases", self._aliases)
        segments = []
        with step("folding new days", total=len(days), unit="days") as task:
            for chunk, number in self._chunks(days):
                self._log.add_to(engine, "raw_events", chunk)
                aliases = relation(engine, "aliases") if self._aliases.num_rows else None
                events = events_of(relation(engine, "raw_events"))
                rows = of_users(known(events, aliases, self._flags_of(engine, chunk)))
                engine.keep("events", to_sql(rows, engine.dialect))
                made = {day: self._wanted[day] for day in chunk}
                tables = self._expressions | {_IDS: _ids(events)}
                segments.append(self.folder.write(engine, tables, events=number, days=made))
                task.advance(len(chunk))
        return segments

    def _flags_of(self, engine: DuckRelations, days: Iterable[date]) -> Value | None:
        files = [str(file) for day in days for file in self._flags.get(day, ())]
        if not files:
            return None
        engine.add_parquet("flags", files)
        return relation(engine, "flags")

    def _chunks(self, days: Iterable[date]) -> Iterator[tuple[list[date], int]]:
        """Days in groups of about :data:`CHUNK_ROWS` events, with their number."""
        group: list[date] = []
        total = 0
        for day in days:
            rows = sum(pq.read_metadata(file).num_rows for file in self._log.days[day])
            if group and total + rows > CHUNK_ROWS:
                yield group, total
                group, total = [], 0
            group.append(day)
            total += rows
        if group:
            yield group, total

    def _merged(self, manifest: Manifest) -> Manifest:
        """The manifest with its smallest segments made one when there are too many."""
        if len(manifest.segments) <= MOST_SEGMENTS:
            return manifest
        group: list[Segment] = []
        for segment in sorted(manifest.segments, key=lambda s: s.events):
            if len(group) > 1 and sum(s.events for s in group) + segment.events > CHUNK_ROWS:
                break
            group.append(segment)
        part = Manifest(segments=tuple(group))
        engine = DuckRelations()
        with step("merging folds of single days"):
            tables = {table: self.folder.rows(engine, part, table) for table in (*self._expressions, _IDS)}
            whole = self.folder.write(engine, tables, events=sum(s.events for s in group), days=part.days)
        return Manifest(segments=(*(s for s in manifest.segments if s not in group), whole))


def _ids(events: Value) -> Value:
    """Kind, id (in the place of the user) and day of what the events name."""
    named = {ID_KIND: id_kind(events), c.USER_ID: raw_id(events), DAY: events[DAY]}
    return events.select(**named).distinct()


def _how_read() -> tuple[str, str]:
    events = events_of(ibis.table(ibis.Schema.from_pyarrow(EVENT_SCHEMA), name="raw_events"))
    return _text(events), _text(_ids(events))


def _text(expression: Value) -> str:
    return to_sql(expression, DuckRelations.dialect)


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
