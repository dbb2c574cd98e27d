"""Event, item and user tables on DuckDB, and their folds to days, kept from one build to the next."""

from collections.abc import Collection
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final, Protocol

import ibis
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.errors import MissingStateError
from features.contracts.progress import step
from features.engine.duck import DuckRelations
from features.engine.normalise import events_of, items_of, users_of
from features.engine.relations import Relations, relation, to_sql
from features.tags.spec.base import Folded
from features.tags.spec.bases import FOLDED, Users
from features.tags.spec.columns import DAY
from features.tags.spec.keyed import ITEMS
from features.tags.spec.rows import event_rows
from features.tags.spec.vocabulary import Value

_RAW: Final = "raw_"  # as handed in: raw_events, raw_items, raw_users
_KEPT: Final = "kept_"  # folded, settled days
_LIVE: Final = "live_"  # folded for one as_of: the running day, and days with late rows
_EVENTS: Final = "events"
_USERS_NOW: Final = "users_now"
_LATE_DAYS: Final = "late_days"
_WANTED: Final = "wanted_users"


class LakeFiles(Protocol):
    """What is needed of a lake."""

    def event_files(self) -> list[Path]: ...

    def read_items(self) -> pa.Table: ...

    def read_users(self) -> pa.Table: ...


class EventTables:
    """Events, items and users, ready for builds of tags at any ``as_of``.

    The first build folds the log to days and keeps the folds; further builds read those, the rows of the running day,
    and the days of users that have rows which arrived after the end of their day: which of them count depends on
    ``as_of``, so such days are folded anew. One object belongs to one thread.
    """

    def __init__(self, relations: Relations | None = None) -> None:
        self._relations = relations or DuckRelations()
        self._folds: dict[type[Folded], str] = {}  # in SQL, over live events
        self._late = False

    @classmethod
    def from_lake(cls, lake: LakeFiles, relations: Relations | None = None) -> "EventTables":
        """The tables of a lake. An empty one raises :class:`MissingStateError`."""
        files = lake.event_files()
        if not files:
            raise MissingStateError("the lake holds no events: run `mallard ingest` or `mallard sample` first")
        tables = cls(relations)
        tables._relations.add_parquet(_RAW + _EVENTS, [str(file) for file in files])
        tables._prepare(lake.read_items(), lake.read_users())
        return tables

    @classmethod
    def from_arrow(
        cls,
        events: pa.Table,
        items: pa.Table | None = None,
        users: pa.Table | None = None,
        relations: Relations | None = None,
    ) -> "EventTables":
        """Tables in memory. Columns of the contract may be missing; user, type and time of an event may not."""
        if not events.num_rows:
            raise MissingStateError("there are no events to build tags from")
        tables = cls(relations)
        tables._relations.add(_RAW + _EVENTS, events)
        tables._prepare(items, users)
        return tables

    def prepare(self, as_of: datetime, relations: Collection[str], users: Collection[str] | None) -> None:
        """Make ``relations`` (the tables that bases name) stand as they are seen at ``as_of`` (UTC, naive).

        With ``users`` only their rows are in them.
        """
        if users is not None:
            self._relations.add(_WANTED, pa.table({c.USER_ID: pa.array(list(users), pa.string())}))
        moment = ibis.timestamp(as_of)
        # Rows of one day are few and read once per base; late days may be the whole log, which is not copied.
        stand = self._relations.view if self._late else self._relations.keep
        stand(_LIVE + _EVENTS, self._sql(self._wanted(self._live_events(as_of), users)))
        for base in FOLDED:
            if base.table in relations:
                self._keep(base)
                self._relations.keep(_LIVE + base.table, self._folds[base])
                kept = self._table(_KEPT + base.table)
                kept = self._wanted(kept.filter(kept[DAY] < moment.date()), users)
                rows = kept.union(self._table(_LIVE + base.table))
                self._relations.view(base.table, self._sql(base.seen(rows, moment.date(), moment)))
        if Users.table in relations:
            self._relations.view(
                Users.table, self._sql(self._wanted(Users.seen(self._table(_USERS_NOW), moment), users))
            )

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows that ``sql`` selects from the prepared relations as relation ``name``."""
        self._relations.keep(name, sql)

    def query(self, sql: str) -> pa.Table:
        """The rows that ``sql`` selects from the prepared relations."""
        return self._relations.rows(sql)

    def first_event_at(self) -> datetime | None:
        """Time of the earliest event (UTC)."""
        first: datetime | None = self._scalar(self._table(_EVENTS)[c.OCCURRED_AT].min())
        return first

    def _prepare(self, items: pa.Table | None, users: pa.Table | None) -> None:
        self._relations.add(_RAW + ITEMS, ITEM_SCHEMA.empty_table() if items is None else items)
        self._relations.add(_RAW + Users.table, USER_SCHEMA.empty_table() if users is None else users)
        self._relations.view(_EVENTS, self._sql(events_of(self._table(_RAW + _EVENTS))))
        self._relations.keep(ITEMS, self._sql(items_of(self._table(_RAW + ITEMS))))
        self._relations.keep(_USERS_NOW, self._sql(users_of(self._table(_RAW + Users.table))))
        events = self._table(_EVENTS)
        day_end = events[DAY].cast("timestamp") + ibis.interval(days=1)
        late = events.filter(events[c.RECEIVED_AT] > day_end).select(c.USER_ID, DAY).distinct()
        self._relations.keep(_LATE_DAYS, self._sql(late))
        self._late = bool(self._scalar(self._table(_LATE_DAYS).count()))

    def _keep(self, base: type[Folded]) -> None:
        """Fold the settled days once."""
        if base in self._folds:
            return
        with step(f"folding events to {base.table.replace('_', ' ')}"):
            events = self._table(_EVENTS)
            if self._late:
                events = events.anti_join(self._table(_LATE_DAYS), [c.USER_ID, DAY])
            self._relations.keep(_KEPT + base.table, self._sql(base.fold(events)))
        self._folds[base] = self._sql(base.fold(event_rows(_LIVE + _EVENTS)))

    def _live_events(self, as_of: datetime) -> Value:
        """The events before ``as_of`` that kept days do not cover, without those that had not arrived by then."""
        events = self._table(_EVENTS)
        arrived = events[c.RECEIVED_AT].isnull() | (events[c.RECEIVED_AT] <= as_of)
        events = events.filter(arrived, events[c.OCCURRED_AT] < as_of)
        midnight = datetime.combine(as_of.date(), time.min)
        running = events.filter(events[c.OCCURRED_AT] >= midnight) if as_of > midnight else events.limit(0)
        if not self._late:
            return running
        before = events.filter(events[c.OCCURRED_AT] < midnight)
        return running.union(before.semi_join(self._table(_LATE_DAYS), [c.USER_ID, DAY]))

    def _wanted(self, rows: Value, users: Collection[str] | None) -> Value:
        return rows if users is None else rows.semi_join(self._table(_WANTED), c.USER_ID)

    def _scalar(self, expression: Value) -> Any:
        return self._relations.rows(self._sql(expression.as_table())).column(0)[0].as_py()

    @property
    def dialect(self) -> str:
        """The SQL that :meth:`keep` and :meth:`query` read."""
        return self._relations.dialect

    def _table(self, name: str) -> Value:
        return relation(self._relations, name)

    def _sql(self, expression: Value) -> str:
        return to_sql(expression, self._relations.dialect)
