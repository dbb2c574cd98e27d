"""The log of links between ids: facts and their retractions, never changed, only added to."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Final

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP
from features.contracts.knowledge import ID_KIND
from features.identity.kinds import Kind

VALUE: Final = "value"
LINKED: Final = "linked"
SOURCE: Final = "source"
REASON: Final = "reason"
KNOWN_AT: Final = "known_at"


class LinkSource(StrEnum):
    """Who says so. What an operator says of a link counts before what users tables say, whenever they say it."""

    USERS = "users"
    OPERATOR = "operator"


#: A strong identity belongs to a user (or, with ``linked`` off, does no longer). Two users who share one are one user.
LINK_SCHEMA: Final = pa.schema(
    [
        pa.field(ID_KIND, pa.string(), nullable=False),  # one of STRONG_KINDS, or ``merge``
        pa.field(VALUE, pa.string(), nullable=False),  # keyed hash
        pa.field(c.USER_ID, pa.string(), nullable=False),
        pa.field(LINKED, pa.bool_(), nullable=False),
        pa.field(SOURCE, pa.string(), nullable=False),
        pa.field(REASON, pa.string()),  # what the operator wrote
        pa.field(KNOWN_AT, TIMESTAMP, nullable=False),
    ]
)

#: A user logged in where an anonymous id is: the first event of each hour that has both ids, each change of user within
#: an hour, or a call at login. With ``linked`` off, the logins of that user on that anonymous id that were known before
#: are taken back.
LOGIN_SCHEMA: Final = pa.schema(
    [
        pa.field(c.ANONYMOUS_ID, pa.string(), nullable=False),  # as the events have it
        pa.field(c.USER_ID, pa.string(), nullable=False),
        pa.field(c.OCCURRED_AT, TIMESTAMP, nullable=False),
        pa.field(KNOWN_AT, TIMESTAMP, nullable=False),
        pa.field(LINKED, pa.bool_(), nullable=False),
    ]
)


def merge_rows(user_id: str, other: str, *, reason: str, at: datetime) -> pa.Table:
    """``LINK_SCHEMA``: an operator declares two users to be one. Which of them is named first does not matter."""
    return _pair(user_id, other, reason=reason, at=at, linked=True)


def unmerge_rows(user_id: str, other: str, *, reason: str, at: datetime) -> pa.Table:
    """``LINK_SCHEMA``: takes back :func:`merge_rows` of the same two users."""
    return _pair(user_id, other, reason=reason, at=at, linked=False)


def unlink_row(kind: str, value: str, user_id: str, *, reason: str, at: datetime) -> pa.Table:
    """``LINK_SCHEMA``: the identity ``value`` (hashed) is not ``user_id``'s, whatever users tables say."""
    return _rows([(kind, value, user_id, False, LinkSource.OPERATOR.value, reason, at)])


def login_rows(logins: list[tuple[str, str, datetime]], *, linked: bool = True) -> pa.Table:
    """``LOGIN_SCHEMA`` from (anonymous id, user id, moment), known at that moment."""
    rows = [(anonymous, user, at, at, linked) for anonymous, user, at in logins]
    return pa.table(
        [pa.array([row[i] for row in rows], f.type) for i, f in enumerate(LOGIN_SCHEMA)], schema=LOGIN_SCHEMA
    )


def pair_value(user_id: str, other: str) -> str:
    """The value that two users share once an operator merged them."""
    return hashlib.sha256("\0".join(sorted((user_id, other))).encode()).hexdigest()[:32]


def _pair(user_id: str, other: str, *, reason: str, at: datetime, linked: bool) -> pa.Table:
    value = pair_value(user_id, other)
    source = LinkSource.OPERATOR.value
    return _rows([(Kind.MERGE.value, value, user, linked, source, reason, at) for user in sorted((user_id, other))])


def _rows(rows: list[tuple[str, str, str, bool, str, str, datetime]]) -> pa.Table:
    return pa.table([pa.array([row[i] for row in rows], f.type) for i, f in enumerate(LINK_SCHEMA)], schema=LINK_SCHEMA)
