"""Judging rows that arrive one request at a time, by the same reading and the same checks as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from features.contracts.events import EVENT_SCHEMA
from features.identity import IdentityKey
from features.quality.check import Batch
from features.quality.config import QualityConfig
from features.quality.protection import Protection
from features.quality.screening import explain, judge
from features.sources.typed import Typist

_FIELDS: Final = frozenset(EVENT_SCHEMA.names)


@dataclass(frozen=True)
class RowError:
    """Why a row was refused."""

    field: str
    message: str
    check: str


@dataclass(frozen=True)
class ScreenedRows:
    """The verdict on rows in the order they were given."""

    accepted: pa.Table  # (a,) EVENT_SCHEMA, in order; ``event_id`` is null where the row has none
    errors: tuple[RowError | None, ...]  # (n,) ``None`` for an accepted row


class RowScreener:
    """Judges small batches of JSON objects. Keeps its engine warm; safe to share between threads."""

    def __init__(self, limits: QualityConfig | None = None, key: IdentityKey | None = None) -> None:
        """Device ids are hashed under ``key``; without it they are left out."""
        self._protection = Protection(key)
        self._limits = limits or QualityConfig()
        self._typist = Typist(EVENT_SCHEMA)
        self._lock = Lock()

    def screen(self, rows: Sequence[Mapping[str, Any]], *, now: datetime, timed: bool = True) -> ScreenedRows:
        """Judge ``rows``, objects with the contract's field names; ``properties`` may be an object or JSON text."""
        errors: list[RowError | None] = [_unknown_field(row) for row in rows]
        given = pa.table({n: pa.array([_text(row.get(n)) for row in rows], pa.string()) for n in EVENT_SCHEMA.names})
        with self._lock:
            typed = self._typist.type_rows(given, {n: n for n in EVENT_SCHEMA.names})
        verdict = judge(Batch(typed.values, typed.unreadable, now, timed, self._limits))
        for position, (check, finding) in verdict.reasons.items():
            if errors[position] is None:
                message = explain(finding, rows[position].get(finding.column))
                errors[position] = RowError(finding.column, message, check)
        good = pa.array(np.array([e is None for e in errors], dtype=np.bool_))
        with self._lock:
            accepted, _ = self._protection.of_events(typed.values.filter(good))
        return ScreenedRows(accepted, tuple(errors))


def _text(value: object) -> str | None:
    """A JSON value as the text that a file would hold."""
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, float) else orjson.dumps(value).decode()


def _unknown_field(row: Mapping[str, Any]) -> RowError | None:
    for name in row.keys() - _FIELDS:
        return RowError(name, f"'{name}' is not a field of an event; put it into properties", "unknown_field")
    return None
