"""Judging rows: what is good goes on, what is bad is put aside with the reason and the row as it came."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts.events import EVENT_SCHEMA, TIMESTAMP
from features.identity import IdentityKey
from features.quality.check import Batch, Finding
from features.quality.checks import CHECKS
from features.quality.config import QualityConfig
from features.quality.personal import mask_text
from features.quality.protection import Protection, mask_raw
from features.sources.batch import MalformedRow, RawBatch
from features.sources.typed import Typist

#: The check name of rows that could not be split into columns; no check sees them.
MALFORMED: Final = "malformed_row"

QUARANTINE_SCHEMA: Final = pa.schema(
    [
        pa.field("check", pa.string(), nullable=False),
        pa.field("column", pa.string()),  # canonical name, null for a malformed row
        pa.field("reason", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),  # 1-based, the header not counted
        pa.field("raw", pa.string(), nullable=False),  # the row as it came: the line, or JSON of its columns; masked
        pa.field("quarantined_at", TIMESTAMP, nullable=False),
    ]
)


@dataclass(frozen=True)
class Screened:
    """The verdict on one raw batch: every row is in exactly one of the two tables."""

    file: str
    accepted: pa.Table  # (a,) EVENT_SCHEMA; ``event_id`` is null where the file has none
    numbers: pa.Array  # (a,) int64, the row of the file
    quarantined: pa.Table  # (q,) QUARANTINE_SCHEMA
    read_bytes: int
    masked: Mapping[str, int]  # kind of personal data -> values masked in accepted rows


@dataclass(frozen=True)
class Verdict:
    """Which rows of a batch are bad, and the first reason of each."""

    bad: npt.NDArray[np.bool_]  # (n,)
    reasons: dict[int, tuple[str, Finding]]  # bad row -> (check, its first finding)


def judge(batch: Batch) -> Verdict:
    """Run every check on ``batch``."""
    bad = np.zeros(len(batch.values), dtype=np.bool_)
    reasons: dict[int, tuple[str, Finding]] = {}
    for name, check in CHECKS.items():
        for finding in check.find(batch):
            if not finding.bad.true_count:
                continue
            for row in np.flatnonzero(finding.bad.fill_null(False).to_numpy(zero_copy_only=False)).tolist():
                reasons.setdefault(row, (name, finding))
                bad[row] = True
    return Verdict(bad, reasons)


def screen(
    batches: Iterable[RawBatch],
    *,
    now: datetime,
    timed: bool = True,
    limits: QualityConfig | None = None,
    key: IdentityKey | None = None,
) -> Iterator[Screened]:
    """Judge raw batches one by one.

    ``now`` is the moment of judging (aware); with ``timed`` off, events without a time are accepted.
    Accepted rows hold no personal data in clear: text is masked, device ids are hashed under ``key``, or left out
    without one.
    """
    typist = Typist(EVENT_SCHEMA)
    limits = limits or QualityConfig()
    protection = Protection(key)
    for raw in batches:
        typed = typist.type_rows(raw.chunk.rows, raw.columns, raw.event_map)
        verdict = judge(Batch(typed.values, typed.unreadable, now, timed, limits))
        quarantined = _quarantine(raw, verdict, now)
        accepted, numbers = typed.values, raw.chunk.numbers
        if verdict.reasons:
            good = pa.array(~verdict.bad)
            accepted, numbers = accepted.filter(good), numbers.filter(good)
        accepted, masked = protection.of_events(accepted)
        yield Screened(raw.file, accepted, numbers, quarantined, raw.chunk.read_bytes, masked)


def _quarantine(raw: RawBatch, verdict: Verdict, now: datetime) -> pa.Table:
    rows = [_malformed(raw.file, row, now) for row in raw.chunk.malformed]
    positions = pa.array(sorted(verdict.reasons), pa.int64())
    numbers = raw.chunk.numbers.take(positions).to_pylist()
    texts = mask_raw(raw.raw_text(positions))
    for position, number, text in zip(positions.to_pylist(), numbers, texts, strict=True):
        check, finding = verdict.reasons[position]
        origin = raw.columns.get(finding.column)
        value = raw.chunk.rows.column(origin)[position].as_py() if origin is not None else None
        reason, _ = mask_text(explain(finding, value))
        rows.append((check, finding.column, reason, raw.file, number, text, now))
    columns = zip(*rows, strict=True) if rows else [[] for _ in QUARANTINE_SCHEMA]
    return pa.table(
        [pa.array(list(v), f.type) for v, f in zip(columns, QUARANTINE_SCHEMA, strict=True)], schema=QUARANTINE_SCHEMA
    )


def explain(finding: Finding, value: object) -> str:
    """The reason of ``finding`` for one row in words."""
    shown = "missing" if value is None or value == "" else repr(str(value)[:80])
    return finding.reason.replace("{value}", shown)


def _malformed(file: str, row: MalformedRow, now: datetime) -> tuple[object, ...]:
    return (MALFORMED, None, mask_text(row.reason)[0], file, row.number, mask_raw([row.text])[0], now)
