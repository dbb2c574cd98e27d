"""When an event counts, and for whom: late rows, merged identities and fake traffic in one join.

An event counts from ``known_from`` (null: always) until ``known_until`` (null: to this day); see
``docs/decisions/0006-what-is-known-when.md``. One event makes a row for every user it ever counted for.
"""

from datetime import datetime
from typing import Any

import ibis

from features.contracts import columns as c
from features.contracts.knowledge import (
    ANONYMOUS,
    FLAGGED_AT,
    ID_KIND,
    KNOWN_FROM,
    KNOWN_UNTIL,
    OCCURRED_FROM,
    OCCURRED_UNTIL,
    RAW_ID,
    USER,
)
from features.tags.spec.columns import DAY
from features.tags.spec.vocabulary import Value

#: The moment from which a user's day is what it will always be, where that is later than the day's end.
SETTLES_AT = "settles_at"


def known(events: Value, aliases: Value | None, flags: Value | None) -> Value:
    """Typed events (:func:`features.engine.normalise.events_of`) with :data:`KNOWN_FROM` and :data:`KNOWN_UNTIL`.

    ``aliases`` (``ALIAS_SCHEMA``) and ``flags`` (``FLAG_SCHEMA``) of ``None`` mean that there are none. Where nobody
    knows the user, ``user_id`` is null.
    """
    rows = events.rename({KNOWN_FROM: c.RECEIVED_AT}).mutate(**{KNOWN_UNTIL: ibis.null("timestamp")})
    if aliases is not None:
        rows = _resolved(rows, aliases)
    if flags is not None:
        rows = _flagged(rows, flags)
    return rows


def of_users(rows: Value) -> Value:
    """Known events whose user is known: what tags are folded from."""
    return rows.filter(rows[c.USER_ID].notnull()).drop(c.ANONYMOUS_ID, c.EVENT_ID, c.ORDER_ID)


def canonical(aliases: Value, moment: datetime) -> Value:
    """Ids of users and the users whom they stood for at ``moment`` (UTC, naive); those never merged are not there."""
    rows = _unzoned(aliases)
    return counting(rows.filter(rows[ID_KIND] == USER), moment).select(RAW_ID, c.USER_ID)


def id_kind(events: Value) -> Value:
    """Whether an event names a user or an anonymous visitor."""
    return ibis.ifelse(events[c.USER_ID].notnull(), USER, ANONYMOUS)


def raw_id(events: Value) -> Value:
    """The id that an event names."""
    return ibis.coalesce(events[c.USER_ID], events[c.ANONYMOUS_ID])


def naming(raw: Value, ids: Value) -> Value:
    """The raw events, whose columns may be missing, that name one of ``ids`` (relation with :data:`RAW_ID`)."""
    named = [raw[name].cast("string") for name in (c.USER_ID, c.ANONYMOUS_ID) if name in raw.columns]
    return raw.mutate(_raw=ibis.coalesce(*named)).semi_join(ids, [("_raw", RAW_ID)]).drop("_raw")


def counting(rows: Value, moment: datetime) -> Value:
    """The rows that counted at ``moment`` (UTC, naive), whenever they happened."""
    start, end = rows[KNOWN_FROM], rows[KNOWN_UNTIL]
    now = ibis.timestamp(moment)
    return rows.filter(start.isnull() | (start <= now), end.isnull() | (end > now))


def counted(rows: Value, moment: datetime) -> Value:
    """The rows that happened before ``moment`` (UTC, naive) and counted then."""
    return counting(rows.filter(rows[c.OCCURRED_AT] < ibis.timestamp(moment)), moment)


def settled(rows: Value) -> Value:
    """The rows as they are known for good."""
    return rows.filter(rows[KNOWN_UNTIL].isnull())


def settling(rows: Value) -> Value:
    """User, day and :data:`SETTLES_AT` of the user-days that change after their end."""
    over = rows[DAY].cast("timestamp") + ibis.interval(days=1)
    rows = rows.filter(rows[KNOWN_UNTIL].notnull() | (rows[KNOWN_FROM] > over))
    changes = ibis.greatest(rows[KNOWN_FROM], rows[KNOWN_UNTIL])  # both engines pass over nulls
    return rows.group_by([c.USER_ID, DAY]).aggregate(**{SETTLES_AT: changes.max()})


def _resolved(rows: Value, aliases: Value) -> Value:
    """Every row under the users that its id stood for, one row per interval."""
    keys: dict[str, Any] = {name: f"_{name}" for name in aliases.columns}
    named = _unzoned(aliases).rename({new: old for old, new in keys.items()})
    rows = rows.mutate(_raw_kind=id_kind(rows), _raw=raw_id(rows))
    after, before = named[keys[OCCURRED_FROM]], named[keys[OCCURRED_UNTIL]]
    joined = rows.left_join(
        named,
        [
            rows._raw == named[keys[RAW_ID]],
            rows._raw_kind == named[keys[ID_KIND]],
            after.isnull() | (rows[c.OCCURRED_AT] >= after),
            before.isnull() | (rows[c.OCCURRED_AT] < before),
        ],
    )
    return joined.mutate(
        **{
            c.USER_ID: ibis.ifelse(joined[keys[RAW_ID]].isnull(), joined[c.USER_ID], joined[keys[c.USER_ID]]),
            KNOWN_FROM: ibis.greatest(joined[KNOWN_FROM], joined[keys[KNOWN_FROM]]),
            KNOWN_UNTIL: joined[keys[KNOWN_UNTIL]],
        }
    ).drop("_raw_kind", "_raw", *keys.values())


def _flagged(rows: Value, flags: Value) -> Value:
    """Every row until its first flag."""
    flags = _unzoned(flags)
    first = flags.group_by(_flagged_event=flags[c.EVENT_ID]).aggregate(_flagged_at=flags[FLAGGED_AT].min())
    joined = rows.left_join(first, rows[c.EVENT_ID] == first._flagged_event)
    until = ibis.least(joined[KNOWN_UNTIL], joined._flagged_at)
    return joined.mutate(**{KNOWN_UNTIL: until}).drop("_flagged_event", "_flagged_at")


def _unzoned(rows: Value) -> Value:
    """Times as event rows have them: UTC, naive."""
    return rows.mutate(
        **{name: rows[name].cast("timestamp") for name in rows.columns if rows[name].type().is_timestamp()}
    )
