"""Churn lists: filtered pages over one snapshot, and what changed between two."""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import InputError
from serving.marketing.columns import ACTION, CHANGE, COMPARED, LIFECYCLE, TIER, VALUE_AT_RISK
from serving.marketing.snapshot import Snapshot
from training.interactions import Bool, Int64


class Change(StrEnum):
    """What happened to a user between two snapshots."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class ListFilter:
    """Who belongs on the list. None: no restriction."""

    tier: str | None = None
    segment: str | None = None
    min_value: float | None = None  # of value_at_risk, in the mall's currency; a user of unknown value is left out
    action: str | None = None


@dataclass(frozen=True)
class Cursor:
    """Where a page starts. It names its snapshots, so pages stay whole while newer snapshots are written."""

    snapshot: str
    since: str | None
    position: int

    def encode(self) -> str:
        raw = orjson.dumps([self.snapshot, self.since, self.position])
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The inverse of :meth:`encode`; raises :class:`InputError` for anything that it did not write."""
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            snapshot, since, position = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError, TypeError, ValueError):
            raise InputError("cursor: this is not a cursor of an earlier page") from None
        if not isinstance(snapshot, str) or not isinstance(since, str | None):
            raise InputError("cursor: this is not a cursor of an earlier page")
        if not isinstance(position, int) or isinstance(position, bool) or position < 0:
            raise InputError("cursor: this is not a cursor of an earlier page")
        return cls(snapshot, since, position)


@dataclass(frozen=True)
class Page:
    """Some rows of a list, most likely to leave first. ``next`` is None on the last page."""

    rows: pa.Table
    total: int  # rows of the whole list
    next: Cursor | None


def churn_page(snapshot: Snapshot, wanted: ListFilter, *, position: int = 0, limit: int | None = None) -> Page:
    """Rows of ``snapshot`` under ``wanted``, from the row of the number ``position`` on."""
    rows = np.flatnonzero(_matches(snapshot, wanted))
    start = int(np.searchsorted(snapshot.number[rows], position))
    stop = len(rows) if limit is None else min(start + limit, len(rows))
    following = Cursor(snapshot.info.id, None, int(snapshot.number[rows[stop]])) if stop < len(rows) else None
    return Page(snapshot.rows.take(pa.array(rows[start:stop])), len(rows), following)


def delta(snapshot: Snapshot, older: Snapshot, wanted: ListFilter) -> pa.Table:
    """Users who came to the list, changed on it, or left it since ``older``; a ``change`` column says which.

    Removed users are shown as they were. Keyed by user_id, applying the rows to a copy of the older list gives the
    newer one in everything but small moves of the probability (see ``COMPARED``).
    """
    now, before = _matches(snapshot, wanted), _matches(older, wanted)
    new_rows, old_rows = np.flatnonzero(now), np.flatnonzero(before)
    counterpart = older.rows_of(snapshot.rows[c.USER_ID].take(pa.array(new_rows))).astype(np.int64)
    listed_before = np.zeros(len(new_rows), dtype=np.bool_)
    listed_before[counterpart >= 0] = before[counterpart[counterpart >= 0]]
    both_new, both_old = new_rows[listed_before], counterpart[listed_before]
    changed = both_new[_differ(snapshot, both_new, older, both_old)]
    present = np.isin(old_rows, both_old)
    parts = [
        _labelled(snapshot, new_rows[~listed_before], Change.ADDED),
        _labelled(snapshot, changed, Change.CHANGED),
        _labelled(older, old_rows[~present], Change.REMOVED),
    ]
    return pa.concat_tables(parts).combine_chunks()


def delta_page(rows: pa.Table, newer: str, since: str, *, position: int = 0, limit: int | None = None) -> Page:
    """A page of a :func:`delta`."""
    stop = rows.num_rows if limit is None else min(position + limit, rows.num_rows)
    following = Cursor(newer, since, stop) if stop < rows.num_rows else None
    return Page(rows.slice(position, max(stop - position, 0)), rows.num_rows, following)


def _matches(snapshot: Snapshot, wanted: ListFilter) -> Bool:
    mask = np.ones(snapshot.rows.num_rows, dtype=np.bool_)
    for column, value in ((TIER, wanted.tier), (LIFECYCLE, wanted.segment), (ACTION, wanted.action)):
        if value is not None:
            mask &= _bools(pc.equal(snapshot.rows[column], value))
    if wanted.min_value is not None:
        mask &= _bools(pc.greater_equal(snapshot.rows[VALUE_AT_RISK], wanted.min_value))
    return mask


def _bools(values: pa.ChunkedArray) -> Bool:
    flags: Bool = pc.fill_null(values, False).to_numpy()
    return flags


def _differ(left: Snapshot, left_rows: Int64, right: Snapshot, right_rows: Int64) -> Bool:
    differs = np.zeros(len(left_rows), dtype=np.bool_)
    for column in COMPARED:
        a = left.rows[column].take(pa.array(left_rows))
        b = right.rows[column].take(pa.array(right_rows))
        same = pc.or_kleene(pc.equal(a, b), pc.and_(pc.is_null(a), pc.is_null(b)))
        differs |= ~_bools(same)
    return differs


def _labelled(snapshot: Snapshot, rows: Int64, change: Change) -> pa.Table:
    labels = pa.array([change.value] * len(rows), pa.string())
    return snapshot.rows.take(pa.array(rows)).append_column(CHANGE, labels)
