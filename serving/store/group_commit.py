"""Batches of several requests in one transaction: one wait for the disk for all that came in during the last one."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from features.contracts.errors import OverloadedError
from serving.store.protocol import EventRow, OnlineStore

_MOST_ROWS = 5_000  # in one transaction, so that other writers get their turn


@dataclass(eq=False)
class _Waiting:
    """One batch and what became of it."""

    rows: Sequence[EventRow]
    done: bool = False
    fresh: list[bool] = field(default_factory=list)
    error: BaseException | None = None


class GroupCommit:
    """Adds events to a store for many threads. Whoever finds nobody writing writes for all that wait."""

    def __init__(self, store: OnlineStore, most_waiting: int) -> None:
        self._store, self._most = store, most_waiting
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._held = 0  # batches whose threads have not left
        self._writing = False

    def add(self, rows: Sequence[EventRow]) -> list[bool]:
        """As :meth:`OnlineStore.add_events`: durable when it returns.

        Raises :class:`OverloadedError` when too many batches wait; a fault of the store meets all batches of a
        transaction, of which then none was kept.
        """
        mine = _Waiting(rows)
        with self._changed:
            if self._held >= self._most:
                raise OverloadedError(f"{self._held} batches of events are being written by this worker")
            self._held += 1
            self._waiting.append(mine)
        try:
            while group := self._turn(mine):
                self._write(group)
        finally:
            with self._changed:
                self._held -= 1
        if mine.error is not None:
            raise mine.error
        return mine.fresh

    def _turn(self, mine: _Waiting) -> list[_Waiting]:
        """Batches that this thread is to write, the oldest first; none when its own is done."""
        with self._changed:
            while self._writing and not mine.done:
                self._changed.wait()
            if mine.done:
                return []
            self._writing = True
            count = rows = 0
            while count < len(self._waiting) and (count == 0 or rows + len(self._waiting[count].rows) <= _MOST_ROWS):
                rows += len(self._waiting[count].rows)
                count += 1
            group, self._waiting = self._waiting[:count], self._waiting[count:]
            return group

    def _write(self, group: list[_Waiting]) -> None:
        try:
            fresh = iter(self._store.add_events([row for batch in group for row in batch.rows]))
            for batch in group:
                batch.fresh = [next(fresh) for _ in batch.rows]
        except BaseException as error:
            for batch in group:
                batch.error = error
        finally:
            with self._changed:
                for batch in group:
                    batch.done = True
                self._writing = False
                self._changed.notify_all()
