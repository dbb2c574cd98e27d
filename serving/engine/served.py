"""Lists that chance had a part in, as they were served: what off-policy estimates need beside clicks and purchases.

One file of JSON lines per day (UTC) below ``MALLARD_HOME/online/served``, shared by all workers. A line names no user:
events that carry the answer's ``request_id`` say who saw it and what came of it.
"""

import logging
import os
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pyarrow as pa

from features.contracts import columns as c
from serving.engine.asking import Recommendation

_LOG = logging.getLogger(__name__)

SERVED_SCHEMA = pa.schema(
    [
        (c.REQUEST_ID, pa.string()),
        ("served_at", pa.timestamp("s", tz="UTC")),
        (c.PLACEMENT, pa.string()),
        ("target", pa.string()),
        ("model_version", pa.string()),
        ("place", pa.int32()),  # 1 is the first
        (c.ITEM_ID, pa.string()),
        ("source", pa.string()),
        ("score", pa.float64()),
        ("propensity", pa.float64()),
    ]
)


class ServedLog:
    """Writes served lists. Safe to share between threads; workers write to the same file."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        """Days older than ``keep_days`` are deleted; 0: nothing is written."""
        self._folder, self._keep = folder, keep_days
        self._lock = threading.Lock()
        self._day: date | None = None
        self._file = -1

    def write(self, answer: Recommendation, target: str, at: int) -> None:
        """Add one answer, given at ``at`` (seconds since 1970). A full disk is logged: nobody's page waits for it."""
        if not self._keep or not answer.items:
            return
        row = {
            c.REQUEST_ID: answer.request_id,
            "served_at": at,
            c.PLACEMENT: answer.placement,
            "target": target,
            "model_version": answer.model_version,
            "items": [(item.item_id, item.source, item.score, item.propensity) for item in answer.items],
        }
        try:
            with self._lock:
                # One write to a file that is open for appending: lines of several workers do not mix.
                os.write(self._open(datetime.fromtimestamp(at, UTC).date()), orjson.dumps(row) + b"\n")
        except OSError as error:
            _LOG.warning("the list %s is not logged: %s", answer.request_id, error)

    def close(self) -> None:
        """Close the file; the next answer opens it again."""
        with self._lock:
            if self._day is not None:
                os.close(self._file)
                self._day = None

    def _open(self, day: date) -> int:
        if day != self._day:
            self._folder.mkdir(parents=True, exist_ok=True)
            opened = os.open(self._folder / f"{day}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            if self._day is not None:
                os.close(self._file)
            self._day, self._file = day, opened
            for file in self._folder.glob("*.jsonl"):
                if file.stem < str(day - timedelta(days=self._keep)):
                    file.unlink(missing_ok=True)
        return self._file


def read_served(folder: Path, first: date, last: date) -> pa.Table:
    """Every item of the lists served from ``first`` to ``last`` (both included), in :data:`SERVED_SCHEMA`."""
    rows = []
    for file in sorted(folder.glob("*.jsonl")):
        if str(first) <= file.stem <= str(last):
            for line in file.read_bytes().splitlines(keepends=True):
                # A line that a crash cut off is nobody's, nor is one that was blanked when its reader was erased.
                if line.endswith(b"\n") and line.strip():
                    rows += _items(line)
    return pa.Table.from_pylist(rows, SERVED_SCHEMA)


def _items(line: bytes) -> list[dict[str, object]]:
    row = orjson.loads(line)
    items = row.pop("items")
    row["served_at"] = datetime.fromtimestamp(row["served_at"], UTC)
    names = (c.ITEM_ID, "source", "score", "propensity")
    return [{**row, "place": place, **dict(zip(names, item, strict=True))} for place, item in enumerate(items, 1)]
