"""What an operator can do about identities: see, merge and part. Every step is a fact in the log of links."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.contracts.knowledge import ID_KIND
from features.identity import LinkSource, canonical_users, merge_rows, unlink_row, unmerge_rows
from features.identity.kinds import Kind
from features.identity.links import KNOWN_AT, LINKED, REASON, SOURCE, VALUE, pair_value
from features.lake.lake import Lake


@dataclass(frozen=True)
class Held:
    """A link that holds now."""

    kind: str
    value: str  # keyed hash
    user_id: str
    source: str
    reason: str | None
    known_at: datetime


@dataclass(frozen=True)
class Known:
    """A user as he is known now."""

    user_id: str  # for whom all his events count
    members: tuple[str, ...]  # every id that is he, by name
    links: tuple[Held, ...]


@dataclass(frozen=True)
class Merged:
    """What a merge came to."""

    user_id: str
    changed: bool  # False: an operator had merged them before


def known_user(lake: Lake, user_id: str) -> Known:
    """Who ``user_id`` is now."""
    merged = canonical_users(lake.read_aliases())
    canonical = merged.get(user_id, user_id)
    members = tuple(sorted({canonical, *(user for user, target in merged.items() if target == canonical)}))
    return Known(canonical, members, tuple(_held(lake.read_links(), members)))


def merge_users(lake: Lake, user_id: str, other: str, *, reason: str, now: datetime) -> Merged:
    """Declare two users to be one. Raises :class:`InputError` for one id twice, or no reason."""
    _check(user_id, other, reason)
    pair = (Kind.MERGE.value, pair_value(user_id, other))
    changed = not any((link.kind, link.value) == pair for link in _held(lake.read_links(), (user_id, other)))
    if changed:
        rows = merge_rows(user_id, other, reason=reason, at=now)
        lake.identify(links=rows, batch_id=f"merge-{pair[1]}-{now.isoformat()}", now=now)
    return Merged(known_user(lake, user_id).user_id, changed)


def unmerge_users(lake: Lake, user_id: str, other: str, *, reason: str, now: datetime) -> tuple[str, ...]:
    """Part two users: takes back an operator's merge, and the identities that both have from ``other``.

    Users tables that name such an identity again do not join them again. Returns the kinds of the links that were
    taken back. Raises :class:`InputError` when nothing joins the two directly.
    """
    _check(user_id, other, reason)
    held = _held(lake.read_links(), (user_id, other))
    mine = {(link.kind, link.value) for link in held if link.user_id == user_id}
    shared = [(link.kind, link.value) for link in held if link.user_id == other and (link.kind, link.value) in mine]
    if not shared:
        known = known_user(lake, user_id)
        chain = f"; they are one through others: {', '.join(known.members)}" if other in known.members else ""
        raise InputError(f"nothing joins the users '{user_id}' and '{other}' directly{chain}")
    rows = [
        unmerge_rows(user_id, other, reason=reason, at=now)
        if kind == Kind.MERGE
        else unlink_row(kind, value, other, reason=reason, at=now)
        for kind, value in shared
    ]
    batch = f"unmerge-{pair_value(user_id, other)}-{now.isoformat()}"
    lake.identify(links=pa.concat_tables(rows), batch_id=batch, now=now)
    return tuple(kind for kind, _ in shared)


def _held(links: pa.Table, users: tuple[str, ...]) -> list[Held]:
    """The links of ``users`` that hold now, an operator's word before a table's."""
    said: dict[tuple[str, str, str], dict[str, Any]] = {}
    rows = links.filter(pc.is_in(links.column(c.USER_ID), pa.array(users, pa.string()))).to_pylist()
    rows.sort(key=lambda row: (row[SOURCE] == LinkSource.OPERATOR, row[KNOWN_AT], not row[LINKED]))
    for row in rows:
        said[row[ID_KIND], row[VALUE], row[c.USER_ID]] = row
    return [
        Held(row[ID_KIND], row[VALUE], row[c.USER_ID], row[SOURCE], row[REASON], row[KNOWN_AT])
        for row in rows
        if row[LINKED] and said[row[ID_KIND], row[VALUE], row[c.USER_ID]] is row
    ]


def _check(user_id: str, other: str, reason: str) -> None:
    if user_id == other:
        raise InputError(f"'{user_id}' is named twice; give two different users")
    if not reason.strip():
        raise InputError("give a reason: whoever looks at the merge later needs to know why")
