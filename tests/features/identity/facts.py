"""Links and logins for tests, and the plainest possible reading of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.knowledge import (
    ID_KIND,
    KNOWN_FROM,
    KNOWN_UNTIL,
    OCCURRED_FROM,
    OCCURRED_UNTIL,
    RAW_ID,
    USER,
)
from features.identity.links import KNOWN_AT, LINK_SCHEMA, LINKED, LOGIN_SCHEMA, REASON, SOURCE, VALUE

START = datetime(2025, 1, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def link(value: str, user: str, minute: int, *, linked: bool = True, source: str = "users") -> dict[str, Any]:
    row = {ID_KIND: "phone", VALUE: value, c.USER_ID: user, LINKED: linked}
    return row | {SOURCE: source, REASON: None, KNOWN_AT: at(minute)}


def login(visitor: str, user: str, minute: int, known: int | None = None, *, linked: bool = True) -> dict[str, Any]:
    row = {c.ANONYMOUS_ID: visitor, c.USER_ID: user, c.OCCURRED_AT: at(minute)}
    return row | {KNOWN_AT: at(minute if known is None else known), LINKED: linked}


def links(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=LINK_SCHEMA)


def logins(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=LOGIN_SCHEMA)


def user_at(aliases: list[dict[str, Any]], kind: str, raw: str, known: datetime, occurred: datetime) -> str | None:
    """Reads rows of ``ALIAS_SCHEMA`` as the tag engine does; fails when two rows answer."""
    found = [
        row[c.USER_ID]
        for row in aliases
        if (row[ID_KIND], row[RAW_ID]) == (kind, raw)
        and _within(known, row[KNOWN_FROM], row[KNOWN_UNTIL])
        and _within(occurred, row[OCCURRED_FROM], row[OCCURRED_UNTIL])
    ]
    assert len(found) <= 1, f"{kind} {raw} has {len(found)} rows at {known}, {occurred}"
    return found[0] if found else (raw if kind == USER else None)


def told_users(rows: list[dict[str, Any]], known: datetime) -> dict[str, str]:
    """User -> canonical user by the book: what held at ``known``, then reach, then the id first heard of."""
    holds = {}
    for key in {(r[VALUE], r[c.USER_ID]) for r in rows}:
        said = [r for r in rows if (r[VALUE], r[c.USER_ID]) == key and r[KNOWN_AT] <= known]
        own = [r for r in said if r[SOURCE] == "operator"] or said
        if own:
            last = max(r[KNOWN_AT] for r in own)
            holds[key] = all(r[LINKED] for r in own if r[KNOWN_AT] == last)
    groups = {user: {user} for _, user in holds}
    for (value, user), held in holds.items():
        for (other_value, other), other_held in holds.items():
            if held and other_held and value == other_value and groups[user] is not groups[other]:
                joined = groups[user] | groups[other]
                groups.update(dict.fromkeys(joined, joined))
    first: dict[str, datetime] = {}
    for row in rows:
        if row[LINKED]:
            first[row[c.USER_ID]] = min(first.get(row[c.USER_ID], row[KNOWN_AT]), row[KNOWN_AT])
    late = at(10**6)
    return {user: min(group, key=lambda u: (first.get(u, late), u)) for user, group in groups.items()}


def told_visitor(rows: list[dict[str, Any]], visitor: str, known: datetime, occurred: datetime) -> str | None:
    """Whose an event of ``visitor`` is: the last login before it, else the first login; as known at ``known``."""
    mine = [r for r in rows if r[c.ANONYMOUS_ID] == visitor]
    taken_back = [r for r in mine if not r[LINKED] and r[KNOWN_AT] <= known]
    held = sorted(
        (r[c.OCCURRED_AT], r[c.USER_ID])
        for r in mine
        if r[LINKED]
        and r[KNOWN_AT] <= known
        and not any(b[c.USER_ID] == r[c.USER_ID] and b[KNOWN_AT] > r[KNOWN_AT] for b in taken_back)
    )
    before = [user for moment, user in held if moment <= occurred]
    return before[-1] if before else (held[0][1] if held else None)


def _within(moment: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or since <= moment) and (until is None or moment < until)
