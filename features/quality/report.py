"""The quality report: what came in, what was put aside and why, how full the columns are, where days are missing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.quality.checks import CHECKS
from features.quality.screening import MALFORMED, Screened

_EXAMPLES = 5
_GAPS_SHOWN = 20
_MONTHS_SHOWN = 36
_BARS = "▁▂▃▄▅▆▇█"
_NO_EVENTS = "×"
_MALFORMED_MEANING = "the row could not be split into columns 该行无法按列解析"


class Gap(BaseModel):
    """Days without a single event between days with some."""

    model_config = ConfigDict(frozen=True)

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


class Example(BaseModel):
    """One quarantined row."""

    model_config = ConfigDict(frozen=True)

    check: str
    file: str
    row: int
    reason: str


class QualityReport(BaseModel):
    """One run over one source. Counts are rows."""

    model_config = ConfigDict(frozen=True)

    source: str
    fingerprint: str
    rows_in: int
    accepted: int
    """Rows that passed every check, duplicates among them."""
    quarantined: dict[str, int]
    """Check -> rows; a row is counted once, under the first check it broke."""
    duplicates: int = 0
    """Accepted rows whose event id was in the file before, or is in the lake already. Not an error."""
    added: int = 0
    """Rows that are new in the lake."""
    erased: int = 0
    """Good rows of ids that were erased: left out, and neither accepted nor an error."""
    error_limit: float
    coverage: dict[str, float]
    """Column -> share of accepted rows that have a value, 0 to 1."""
    daily: dict[date, int]
    """Day (UTC) -> accepted rows, days without any left out."""
    examples: tuple[Example, ...] = ()
    masked: dict[str, int] = {}
    """Kind of personal data -> values that stood in clear in accepted rows and were masked."""
    already_ingested: bool = False
    """The same content was committed before; nothing was read again."""

    @property
    def rejected(self) -> int:
        return sum(self.quarantined.values())

    @property
    def error_rate(self) -> float:
        """Quarantined rows over rows in."""
        return self.rejected / self.rows_in if self.rows_in else 0.0

    @property
    def within_limit(self) -> bool:
        return self.error_rate <= self.error_limit

    @property
    def gaps(self) -> list[Gap]:
        """Runs of days without events, oldest first."""
        days = sorted(self.daily)
        one = timedelta(days=1)
        return [Gap(first=a + one, last=b - one) for a, b in pairwise(days) if b - a > one]

    def to_json(self) -> str:
        """The whole report with what is derived from it; :meth:`from_json` reads it back."""
        derived = {
            "error_rate": self.error_rate,
            "within_limit": self.within_limit,
            "gaps": [{"first": g.first, "last": g.last, "days": g.days} for g in self.gaps],
        }
        whole = _Published.model_validate({**self.model_dump(), **derived})
        return whole.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls.model_validate_json(text)

    def to_text(self) -> str:
        """The report in plain words."""
        return "\n".join(_lines(self))


class _Published(QualityReport):
    """The report as a file holds it: derived figures beside the counted ones."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Tally:
    """Adds up :class:`~features.quality.screening.Screened` batches into a report."""

    def __init__(self) -> None:
        self.rows_in = 0
        self.accepted = 0
        self.erased = 0
        self._quarantined: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._daily: Counter[date] = Counter()
        self._examples: list[Example] = []
        self._masked: Counter[str] = Counter()

    def add(self, batch: Screened) -> None:
        self.rows_in += len(batch.accepted) + len(batch.quarantined)
        self.accepted += len(batch.accepted)
        for name in EVENT_SCHEMA.names:
            self._filled[name] += len(batch.accepted) - batch.accepted.column(name).null_count
        days = pc.value_counts(batch.accepted.column(c.OCCURRED_AT).cast(pa.date32(), safe=False))
        self._daily.update({d["values"]: d["counts"] for d in days.to_pylist() if d["values"] is not None})
        self._quarantined.update(batch.quarantined.column("check").to_pylist())
        self._masked.update(batch.masked)
        missing = _EXAMPLES - len(self._examples)
        self._examples += [
            Example(check=r["check"], file=r["file"], row=r["row"], reason=r["reason"])
            for r in batch.quarantined.slice(0, max(missing, 0)).to_pylist()
        ]

    def report(
        self, source: str, fingerprint: str, error_limit: float, *, duplicates: int = 0, added: int = 0
    ) -> QualityReport:
        return QualityReport(
            source=source,
            fingerprint=fingerprint,
            rows_in=self.rows_in + self.erased,
            accepted=self.accepted,
            quarantined=dict(sorted(self._quarantined.items())),
            duplicates=duplicates,
            added=added,
            erased=self.erased,
            error_limit=error_limit,
            coverage={n: self._filled[n] / self.accepted if self.accepted else 0.0 for n in EVENT_SCHEMA.names},
            daily=dict(sorted(self._daily.items())),
            examples=tuple(self._examples),
            masked=dict(sorted(self._masked.items())),
        )


def _lines(report: QualityReport) -> Iterator[str]:
    yield f"Quality of {report.source}"
    if report.already_ingested:
        yield "  The same content is in the lake already; nothing was read again. The figures are of the first time."
    verdict = f"{'within' if report.within_limit else 'OVER'} the limit of {report.error_limit:.3%}"
    yield f"  rows in       {report.rows_in:>12,}"
    yield f"  accepted      {report.accepted:>12,}"
    yield f"  quarantined   {report.rejected:>12,}   {report.error_rate:.3%}, {verdict}"
    for name, count in report.quarantined.items():
        yield f"    {name:<22}{count:>8,}   {_meaning(name)}"
    if report.erased:
        yield f"  of erased ids {report.erased:>12,}   left out 已删除用户"
    yield f"  duplicates    {report.duplicates:>12,}"
    yield f"  new in lake   {report.added:>12,}"
    for example in report.examples:
        yield f"    e.g. {example.file} row {example.row}: {example.reason}"
    if report.masked:
        told = ", ".join(f"{kind} {count:,}" for kind, count in report.masked.items())
        yield f"  personal data masked 已脱敏: {told}"
    yield "  columns filled"
    for name, share in report.coverage.items():
        if share:
            yield f"    {name:<22}{share:>8.1%}"
    empty = [name for name, share in report.coverage.items() if not share]
    if empty:
        yield f"    empty: {', '.join(empty)}"
    yield from _day_lines(report.daily, report.gaps)


def _day_lines(daily: Mapping[date, int], gaps: list[Gap]) -> Iterator[str]:
    if not daily:
        yield "  no event has a time"
        return
    counts = sorted(daily.values())
    yield (
        f"  {len(daily):,} days with events from {min(daily)} to {max(daily)}; per day least {counts[0]:,}, "
        f"middle {counts[len(counts) // 2]:,}, most {counts[-1]:,}"
    )
    for gap in gaps[:_GAPS_SHOWN]:
        yield f"    GAP {gap.first} to {gap.last}: {gap.days:,} day{'s' * (gap.days > 1)} without events"
    if len(gaps) > _GAPS_SHOWN:
        yield f"    and {len(gaps) - _GAPS_SHOWN} more gaps"
    months = sorted({day.replace(day=1) for day in daily})
    yield f"  a bar per day, '{_NO_EVENTS}' without events" + (", newest months" if len(months) > _MONTHS_SHOWN else "")
    for month in months[-_MONTHS_SHOWN:]:
        days = [month + timedelta(days=n) for n in range(31)]
        bars = [
            _bar(daily.get(day, 0), counts[-1]) if min(daily) <= day <= max(daily) else " "
            for day in days
            if day.month == month.month
        ]
        yield f"    {month:%Y-%m} {''.join(bars)}"


def _bar(count: int, most: int) -> str:
    return _BARS[min(count * len(_BARS) // most, len(_BARS) - 1)] if count else _NO_EVENTS


def _meaning(check: str) -> str:
    if check == MALFORMED:
        return _MALFORMED_MEANING
    return f"{CHECKS[check].meaning} {CHECKS[check].meaning_zh}" if check in CHECKS else ""
