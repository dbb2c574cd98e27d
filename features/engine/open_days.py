"""User-days that kept folds do not tell as of a moment, folded for one build.

They are those that change after the moment (late rows, merges, flags), those with events that are not in the log yet,
and all of the running day and of days that were not folded.
"""

from collections.abc import Callable, Hashable, Iterable
from datetime import date, datetime
from functools import partial
from typing import Final

import ibis
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.knowledge import RAW_ID
from features.engine.folds import SETTLING
from features.engine.known import SETTLES_AT, counted, of_users
from features.engine.log import EventLog
from features.engine.relations import Relations, relation
from features.engine.texts import Texts
from features.engine.who import Who
from features.tags.spec.base import Folded
from features.tags.spec.bases import FOLDED
from features.tags.spec.columns import DAY
from features.tags.spec.rows import event_rows
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value

#: User and day of the open user-days before the running day.
OPEN_DAYS: Final = "days_open"

_EVENTS: Final = "open_events"
_IDS: Final = "open_ids"
_RECENT: Final = "raw_recent"
_WHOLE_DAYS: Final = "raw_whole_days"
_SOME_DAYS: Final = "raw_some_days"


def open_name(base: type[Folded]) -> str:
    """The relation with the fold of a base's open days."""
    return f"open_{base.table}"


class OpenDays:
    """The open days of a log in an engine.

    ``known`` gives the known events (:func:`features.engine.known.known`) of a raw relation, of certain ids where these
    are given; ``aliases`` names the relation of identities.
    """

    def __init__(
        self,
        log: EventLog,
        relations: Relations,
        texts: Texts,
        known: Callable[[str, Value | None], Value],
        *,
        everything: str,
        aliases: str,
    ) -> None:
        self._log = log
        self._relations = relations
        self._texts = texts
        self._known = known
        self._everything = everything
        self._aliases = aliases
        self._recent = False
        self._stand_for: Hashable = None
        self._folded: set[type[Folded]] = set()
        self._folds = {base: to_sql(base.fold(event_rows(_EVENTS)), relations.dialect) for base in FOLDED}

    def add_recent(self, events: pa.Table) -> None:
        """Take in events that are not in the log yet, in place of those taken in before."""
        self._stand_for = None
        self._recent = events.num_rows > 0
        if self._recent:
            self._relations.add(_RECENT, events)

    def fold(self, bases: Iterable[type[Folded]], as_of: datetime, who: Who, unfolded: frozenset[date]) -> None:
        """Let :data:`OPEN_DAYS`, and :func:`open_name` of every base, stand as of a moment.

        ``unfolded`` are days of which no fold is kept. What stands for the same users already is not made again.
        """
        if self._stand_for != (asked := (as_of, who, unfolded)):
            self._keep_events(as_of, who, unfolded)
            self._stand_for = asked
            self._folded.clear()
        for base in bases:
            if base not in self._folded:
                self._relations.keep(open_name(base), self._folds[base])
                self._folded.add(base)

    def _keep_events(self, as_of: datetime, who: Who, unfolded: frozenset[date]) -> None:
        recent = self._known(_RECENT, None) if self._recent else None
        kind = (self._recent, who.everyone, who.names is None)
        pairs = partial(self._pairs, as_of, who, recent)
        self._relations.keep(OPEN_DAYS, self._texts.of((OPEN_DAYS, kind), pairs))
        whole = sorted(unfolded | {as_of.date()})
        some = sorted(self._days().difference(whole))
        logged = tuple(
            name
            for name, days in ((_WHOLE_DAYS, whole), (_SOME_DAYS, some))
            if days and self._log.add_to(self._relations, name, days)
        )
        if _SOME_DAYS in logged:
            self._relations.keep(_IDS, self._texts.of(_IDS, self._ids))
        events = partial(self._counted, as_of, who, recent, logged, whole)
        self._relations.keep(_EVENTS, self._texts.of((_EVENTS, kind, logged, *whole), events))

    def _pairs(self, as_of: datetime, who: Who, recent: Value | None) -> Value:
        settling = who.of(self._table(SETTLING))
        pairs = settling.filter(settling[SETTLES_AT] > as_of, settling[DAY] < as_of.date()).select(c.USER_ID, DAY)
        if recent is None:
            return pairs
        return pairs.union(who.of(of_users(recent)).select(c.USER_ID, DAY)).distinct()

    def _days(self) -> set[date]:
        days = self._table(OPEN_DAYS).select(DAY).distinct()
        return set(self._relations.rows(to_sql(days, self._relations.dialect))[DAY].to_pylist())

    def _ids(self) -> Value:
        """Ids whose events may be of a user with an open day."""
        users = self._table(OPEN_DAYS).select(c.USER_ID).distinct()
        stand_for_them = self._table(self._aliases).semi_join(users, c.USER_ID).select(RAW_ID)
        return users.rename({RAW_ID: c.USER_ID}).union(stand_for_them).distinct()

    def _counted(
        self, as_of: datetime, who: Who, recent: Value | None, logged: tuple[str, ...], whole: list[date]
    ) -> Value:
        """The events that counted, on ``whole`` days of everybody and on the open days."""
        # A log may hand over more days than it was asked for. Of the days that are open for some only, the events
        # that name one of them are picked out before anything is made of them.
        parts = []
        if _WHOLE_DAYS in logged:
            rows = self._known(_WHOLE_DAYS, None)
            parts.append(rows.filter(rows[DAY].isin(whole)))
        if _SOME_DAYS in logged:
            rows = self._known(_SOME_DAYS, self._table(_IDS))
            parts.append(rows.filter(~rows[DAY].isin(whole)))
        if not parts:
            nothing = ibis.literal(False)  # a limit of 0 would read everything
            parts = [self._known(self._everything, None).filter(nothing)]
        rows = parts[0] if len(parts) == 1 else parts[0].union(parts[1])
        if recent is not None:
            rows = rows.union(recent.anti_join(rows, c.EVENT_ID).select(rows.columns))
        seen = who.of(counted(of_users(rows), as_of))
        today = seen[DAY].isin(whole)
        return seen.filter(today).union(seen.filter(~today).semi_join(self._table(OPEN_DAYS), [c.USER_ID, DAY]))

    def _table(self, name: str) -> Value:
        return relation(self._relations, name)
