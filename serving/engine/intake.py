"""Events that arrive by request: judged row by row, then kept durably."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from features.contracts import columns as c
from features.contracts.errors import OverloadedError
from features.contracts.knowledge import ANONYMOUS, USER
from features.lake.tombstones import Tombstones
from features.quality.rows import RowScreener
from serving.store.config import StoreConfig
from serving.store.group_commit import GroupCommit
from serving.store.protocol import OnlineStore

_IDS = (c.EVENT_ID, c.USER_ID, c.ANONYMOUS_ID, c.ITEM_ID, c.SESSION_ID, c.REQUEST_ID, c.ORDER_ID)
_LONGEST_ID = 128
_LONGEST_TEXT = 10_000
_WIDEST_INTEGER = 2**63
_LOOK_SECONDS = 1.0
_QUEUE_RETRY_SECONDS = 10


class EventStatus(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one field."""

    field: str
    message: str


@dataclass(frozen=True)
class EventResult:
    """The verdict on one event of a batch."""

    index: int
    event_id: str | None
    status: EventStatus
    errors: tuple[RowProblem, ...] = ()


class EventIntake:
    """Takes batches of events into the store."""

    def __init__(
        self,
        store: OnlineStore,
        screener: RowScreener | None = None,
        limits: StoreConfig | None = None,
        erased: Tombstones | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._screener = screener or RowScreener()
        self._limits = limits or StoreConfig()
        self._erased = erased
        self._commit = GroupCommit(store, self._limits.waiting_batches)
        self._clock, self._look_again = clock, -math.inf
        self._queued = 0

    def take(self, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> list[EventResult]:
        """Judge ``rows`` by the checks that files go through and keep the good ones; ``now`` is their arrival.

        When this returns, accepted events are durable and count in the next recommendation.

        Raises :class:`OverloadedError` when too much waits already, of which nothing is kept.
        """
        self._check_queue()
        with nullcontext() if self._erased is None else self._erased.steady():
            return self._take(rows, now)

    def _take(self, rows: Sequence[Mapping[str, Any]], now: datetime) -> list[EventResult]:
        problems = [_unusable(row) or self._refused(row) for row in rows]
        usable = [index for index, problem in enumerate(problems) if problem is None]
        good: list[int] = []
        fresh: list[bool] = []
        if usable:
            arrived = now.isoformat()
            screened = self._screener.screen([{**rows[i], c.RECEIVED_AT: arrived} for i in usable], now=now)
            for index, error in zip(usable, screened.errors, strict=True):
                if error is None:
                    good.append(index)
                else:
                    problems[index] = RowProblem(error.field, error.message)
            fresh = self._commit.add(screened.accepted.to_pylist()) if good else []
        new = dict(zip(good, fresh, strict=True))
        return [_result(index, rows[index], problem, new) for index, problem in enumerate(problems)]

    def _check_queue(self) -> None:
        # A worker looks once a second: the bound is one of disk, not of the row.
        if self._clock() >= self._look_again:
            self._queued = self._store.queue_bound()
            self._look_again = self._clock() + _LOOK_SECONDS
        if self._queued >= self._limits.queued_events:
            raise OverloadedError(
                f"{self._queued} events wait for the lake, at most {self._limits.queued_events} may",
                _QUEUE_RETRY_SECONDS,
            )

    def _refused(self, row: Mapping[str, Any]) -> RowProblem | None:
        """Why an event of an erased id is not taken; a device that another user is logged in on is his."""
        kind, name = (USER, c.USER_ID) if row.get(c.USER_ID) else (ANONYMOUS, c.ANONYMOUS_ID)
        external = row.get(name)
        if self._erased is None or not external or not self._erased.has(kind, external):
            return None
        return RowProblem(name, "was erased at the user's wish 用户已要求删除")


def _result(index: int, row: Mapping[str, Any], problem: RowProblem | None, new: Mapping[int, bool]) -> EventResult:
    if problem is not None:
        given = row.get(c.EVENT_ID)
        known = given if isinstance(given, str) and _id_fault(given) is None else None
        return EventResult(index, known, EventStatus.REJECTED, (problem,))
    status = EventStatus.ACCEPTED if new[index] else EventStatus.DUPLICATE
    return EventResult(index, str(row[c.EVENT_ID]), status)


def _unusable(row: Mapping[str, Any]) -> RowProblem | None:
    """What would not survive the way to the checks: values that JSON can carry and a table cannot."""
    if row.get(c.EVENT_ID) is None:
        return RowProblem(c.EVENT_ID, "is missing; without it a repeated request would count twice")
    for name in _IDS:
        value = row.get(name)
        if value is not None:
            fault = _id_fault(value)
            if fault is not None:
                return RowProblem(name, fault)
    for name, value in row.items():
        fault = _value_fault(value)
        if fault is not None or not _encodable(name):
            return RowProblem(name if _encodable(name) else "(field name)", fault or "is not valid Unicode")
    return None


def _id_fault(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    if not 0 < len(value) <= _LONGEST_ID:
        return f"must have 1 to {_LONGEST_ID} characters"
    if not value.isprintable() or value != value.strip():
        return "must not contain control characters, nor begin or end with a space"
    return None


def _value_fault(value: Any) -> str | None:
    """The first thing in a JSON value (nested or not) that the contract has no place for."""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and not -_WIDEST_INTEGER <= value < _WIDEST_INTEGER:
        return "is too large a number"
    if isinstance(value, str) and (len(value) > _LONGEST_TEXT or "\0" in value or not _encodable(value)):
        return f"must be valid Unicode without NUL, of at most {_LONGEST_TEXT} characters"
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list):
        parts = value
    else:
        return None
    return next((fault for part in parts if (fault := _value_fault(part)) is not None), None)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
