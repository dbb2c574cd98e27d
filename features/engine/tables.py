"""Events, items and users as tags read them at one moment."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Final

import ibis
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.knowledge import ALIAS_SCHEMA
from features.engine.duck import DuckRelations
from features.engine.folds import Folds, MemoryFolds, kept_name
from features.engine.known import canonical, known, naming, of_users
from features.engine.log import ArrowLog, EventLog, LakeFiles, LakeLog
from features.engine.normalise import events_of, items_of, users_of
from features.engine.open_days import OPEN_DAYS, OpenDays, open_name
from features.engine.partials import LakeFolds
from features.engine.relations import Relations, relation
from features.engine.texts import Texts
from features.engine.who import EVERYONE, SLICE, SLICES, Who
from features.tags.spec.base import Folded
from features.tags.spec.bases import FOLDED, UserDays, Users
from features.tags.spec.columns import DAY
from features.tags.spec.invited import CANONICAL
from features.tags.spec.keyed import ITEMS
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value

EVENTS: Final = "events"  # every known event, for whoever needs more than tags
_RAW: Final = "raw_"  # as handed in: raw_events, raw_items, raw_users
_ALIASES: Final = "aliases"
_FLAGS: Final = "flags"
_USERS_NOW: Final = "users_now"


class EventTables:
    """Events, items and users, ready for builds of tags at any ``as_of``.

    A build reads the kept folds of user-days, and folds the open ones anew: those of the running day, and those that
    were not yet what they are now. One object belongs to one thread.
    """

    def __init__(
        self,
        log: EventLog,
        relations: Relations,
        *,
        items: pa.Table | None,
        users: pa.Table | None,
        aliases: pa.Table | None = None,
        flags: Collection[str] | pa.Table = (),
        folds: Folds | None = None,
    ) -> None:
        self._log = log
        self._relations = relations
        relations.add(_RAW + ITEMS, ITEM_SCHEMA.empty_table() if items is None else items)
        relations.add(_RAW + Users.table, USER_SCHEMA.empty_table() if users is None else users)
        relations.keep(ITEMS, self._sql(items_of(self._table(_RAW + ITEMS))))
        relations.keep(_USERS_NOW, self._sql(users_of(self._table(_RAW + Users.table))))
        relations.add(_ALIASES, ALIAS_SCHEMA.empty_table() if aliases is None else aliases.cast(ALIAS_SCHEMA))
        self._aliases = aliases is not None and aliases.num_rows > 0
        self._flags = len(flags) > 0
        if self._flags:
            (relations.add if isinstance(flags, pa.Table) else relations.add_parquet)(_FLAGS, flags)
        log.add_to(relations, _RAW + EVENTS)
        relations.view(EVENTS, self._sql(of_users(self._known(_RAW + EVENTS))))
        self._folds = folds or MemoryFolds(EVENTS)
        self._texts = Texts(relations.dialect)
        self._open = OpenDays(log, relations, self._texts, self._known, everything=_RAW + EVENTS, aliases=_ALIASES)

    @classmethod
    def from_lake(cls, lake: LakeFiles, relations: Relations | None = None) -> "EventTables":
        """The tables of a lake. An empty one raises :class:`MissingStateError`.

        On DuckDB days are folded once and kept in the lake; another engine folds for itself.
        """
        log = LakeLog(lake)
        return cls(
            log,
            relations or DuckRelations(),
            items=lake.read_items(),
            users=lake.read_users(),
            aliases=lake.read_aliases(),
            flags=[str(file) for file in lake.flag_files()],
            folds=LakeFolds(lake, log) if relations is None else None,
        )

    @classmethod
    def from_arrow(
        cls,
        events: pa.Table,
        items: pa.Table | None = None,
        users: pa.Table | None = None,
        *,
        aliases: pa.Table | None = None,
        flags: pa.Table | None = None,
        relations: Relations | None = None,
    ) -> "EventTables":
        """Tables in memory. Columns of the contract may be missing; user, type and time of an event may not."""
        return cls(
            ArrowLog(events),
            relations or DuckRelations(),
            items=items,
            users=users,
            aliases=aliases,
            flags=() if flags is None else flags,
        )

    def add_recent(self, events: pa.Table) -> None:
        """Take in events that are not in the log yet, in place of those taken in before.

        One whose id is in the log as well counts once.
        """
        self._open.add_recent(events)

    def prepare(
        self, as_of: datetime, wanted: Collection[str], who: Who = EVERYONE, *, read_once: bool = False
    ) -> None:
        """Make the tables that bases name, those ``wanted``, stand as they are seen at ``as_of`` (UTC, naive).

        Only rows of ``who`` are in them. Tables that are ``read_once`` are not copied out of the kept folds.
        """
        self._texts.begin(as_of)
        kind = (who.everyone, who.names is None)
        who.add_to(self._relations)
        stand = self._relations.view if read_once else self._relations.keep
        bases = [base for base in FOLDED if base.table in wanted]
        unfolded = self._folds.add_to(self._relations, bases, as_of.date(), fold=who.names is None)
        # Slices share what is open for everybody: it is little, and lies scattered over many files.
        self._open.fold(bases, as_of, who if who.names is not None else EVERYONE, unfolded)
        for base in bases:
            stand(base.table, self._texts.of((base, kind), partial(self._as_seen, base, as_of, who)))
        if Users.table in wanted:
            seen = partial(Users.seen, who.of(self._table(_USERS_NOW)), ibis.timestamp(as_of))
            self._relations.keep(Users.table, self._texts.of((Users, kind), seen))
        if CANONICAL in wanted:
            ids = partial(canonical, self._table(_ALIASES), as_of)
            self._relations.view(CANONICAL, self._texts.of(CANONICAL, ids))

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows that ``sql`` selects from the prepared relations as relation ``name``."""
        self._relations.keep(name, sql)

    def beside(self, name: str, tables: Sequence[str]) -> None:
        """Let ``name`` stand for the users of the first of ``tables``, in order, with the columns of the others."""
        self._relations.beside(name, tables, c.USER_ID)

    def add(self, name: str, table: pa.Table) -> None:
        """Let ``name`` stand for rows from elsewhere."""
        self._relations.add(name, table)

    def query(self, sql: str) -> pa.Table:
        """The rows that ``sql`` selects from the prepared relations."""
        return self._relations.rows(sql)

    @property
    def dialect(self) -> str:
        """The SQL that :meth:`keep` and :meth:`query` read."""
        return self._relations.dialect

    @property
    def users_at_once(self) -> int:
        """How many users a build computes at once."""
        return self._relations.users_at_once

    def first_event_at(self) -> datetime | None:
        """Time of the earliest event (UTC)."""
        first: datetime | None = self._scalar(self._table(EVENTS)[c.OCCURRED_AT].min())
        return first

    def slices(self, users: int, before: date) -> list[Who]:
        """Everybody who was seen ``before`` a day or on it, in slices of ascending ids of about so many ``users``."""
        self._folds.add_to(self._relations, [UserDays], before)
        ids = self._table(kept_name(UserDays)).select(c.USER_ID)
        if self._log.add_to(self._relations, _RAW + "some", [before]):
            running = of_users(self._known(_RAW + "some"))
            ids = ids.union(running.filter(running[DAY] == before).select(c.USER_ID))
        ids = ids.distinct()
        place = ibis.row_number().over(ibis.window(order_by=ids[c.USER_ID]))
        self._relations.keep(SLICES, self._sql(ids.mutate(**{SLICE: place // users})))
        last = self._scalar(self._table(SLICES)[SLICE].max())
        return [Who(slice=number) for number in range(last + 1)] if last else [EVERYONE]

    # --- parts ----------------------------------------------------------------------------------------

    def _as_seen(self, base: type[Folded], as_of: datetime, who: Who) -> Value:
        """Kept rows of settled user-days and fresh rows of open ones, as tags see them."""
        moment = ibis.timestamp(as_of)
        kept = who.of(self._table(kept_name(base)))
        kept = kept.filter(kept[DAY] < as_of.date()).anti_join(self._table(OPEN_DAYS), [c.USER_ID, DAY])
        fresh = who.of(self._table(open_name(base)))
        return base.seen(kept.union(fresh.select(kept.columns)), moment.date(), moment)

    def _known(self, raw: str, ids: Value | None = None) -> Value:
        rows = self._table(raw)
        return known(
            events_of(rows if ids is None else naming(rows, ids)),
            self._table(_ALIASES) if self._aliases else None,
            self._table(_FLAGS) if self._flags else None,
        )

    def _scalar(self, expression: Value) -> Any:
        return self._relations.rows(self._sql(expression.as_table())).column(0)[0].as_py()

    def _table(self, name: str) -> Value:
        return relation(self._relations, name)

    def _sql(self, expression: Value) -> str:
        return to_sql(expression, self._relations.dialect)
