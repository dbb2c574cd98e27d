"""The snapshots a worker has open, so that a page does not verify checksums again."""

import logging
import threading
from collections import OrderedDict
from typing import TypeVar

import pyarrow as pa

from features.contracts.errors import MallardError, MissingStateError
from features.contracts.home import Home
from serving.marketing.churn_list import Cursor, ListFilter, Page, churn_page, delta, delta_page
from serving.marketing.snapshot import Snapshot, latest_snapshot, open_snapshot, remasked

_LOG = logging.getLogger(__name__)
_KEPT = 4

Key = TypeVar("Key")
Value = TypeVar("Value")
#: Two snapshots, who is asked for, and who was erased from either.
_DeltaKey = tuple[str, str, ListFilter, tuple[int, ...], tuple[int, ...]]


class ChurnLists:
    """Answers questions for churn lists over the snapshots of ``home``."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Snapshot] = OrderedDict()
        self._deltas: OrderedDict[_DeltaKey, pa.Table] = OrderedDict()

    @property
    def latest(self) -> str | None:
        """The id of the newest snapshot."""
        return latest_snapshot(self._home)

    def refresh(self) -> None:
        """Open the newest snapshot ahead of the first question for it. A damaged one is logged."""
        newest = latest_snapshot(self._home)
        if newest is not None and newest not in self._open:
            try:
                self.snapshot(newest)
            except MallardError as error:
                _LOG.error("the newest risk snapshot cannot be used: %s", error)

    def snapshot(self, snapshot_id: str | None = None) -> Snapshot:
        """One snapshot, the newest by default, without who was erased by now.

        Errors as :func:`~serving.marketing.snapshot.open_snapshot`.
        """
        wanted = snapshot_id or latest_snapshot(self._home)
        if wanted is None:
            raise MissingStateError("no risk snapshot has been written yet; run 'mallard score'")
        with self._lock:
            held = self._open.pop(wanted, None)
            current = None if held is None else remasked(held, self._home)
            self._open[wanted] = current or open_snapshot(self._home, wanted)
            return _touch(self._open, wanted)

    def page(self, wanted: ListFilter, cursor: Cursor, limit: int | None) -> Page:
        """The page that starts at ``cursor``: of one snapshot, or of what changed ``since`` another."""
        snapshot = self.snapshot(cursor.snapshot)
        if cursor.since is None:
            return churn_page(snapshot, wanted, position=cursor.position, limit=limit)
        older = self.snapshot(cursor.since)
        key = (cursor.snapshot, cursor.since, wanted, snapshot.gone, older.gone)
        with self._lock:
            if key not in self._deltas:
                self._deltas[key] = delta(snapshot, older, wanted)
            rows = _touch(self._deltas, key)
        return delta_page(rows, cursor.snapshot, cursor.since, position=cursor.position, limit=limit)


def _touch(held: OrderedDict[Key, Value], key: Key) -> Value:
    held.move_to_end(key)
    while len(held) > _KEPT:
        held.popitem(last=False)
    return held[key]
