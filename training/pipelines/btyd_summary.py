"""Recency, frequency and money of users straight from their events, as of a moment, and who came back after it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import MALL_INITIATED, Activity, SignOfLife
from features.engine import EventTables
from features.engine.known import counting
from features.tags.spec.columns import DAY
from features.tags.spec.rows import event_rows
from features.tags.spec.vocabulary import Value
from training.models.bgnbd import PurchaseHistory
from training.models.churn_baselines import CustomerSummary

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_MICROS_PER_DAY = timedelta(days=1) / timedelta(microseconds=1)


@dataclass(frozen=True)
class Known:
    """What is known at ``as_of`` of the users with at least one event of the label's type, sorted by id."""

    as_of: datetime
    user_id: pa.Array
    events: Int64  # (n,) events of that type
    summary: CustomerSummary

    def take(self, rows: Int64) -> "Known":
        """The users at ``rows``."""
        return Known(self.as_of, self.user_id.take(pa.array(rows)), self.events[rows], self.summary.take(rows))


@dataclass(frozen=True)
class Returned:
    """Who came back, in no particular order."""

    user_id: pa.Array
    after: Float64  # (n,) days from the start of the window to the first event in it


def known_users(tables: EventTables, event: SignOfLife, as_of: datetime) -> Known:
    """Summaries from events that occurred before ``as_of`` and had arrived by then. Days are UTC days."""
    rows = _counting(event, as_of)
    rows = rows.filter(rows[c.OCCURRED_AT] < _moment(as_of))
    grouped = rows.group_by(c.USER_ID).aggregate(
        events=rows.count(),
        days=rows[DAY].nunique(),
        spend=rows[c.AMOUNT].sum(),
        first=rows[c.OCCURRED_AT].min(),
        last=rows[c.OCCURRED_AT].max(),
    )
    found = _rows(tables, grouped.order_by(c.USER_ID))
    end = np.datetime64(_naive(as_of), "us")
    age, silence = (
        (end - found[name].to_numpy().astype("datetime64[us]")).astype(np.float64) / _MICROS_PER_DAY
        for name in ("first", "last")
    )
    frequency = found["days"].to_numpy().astype(np.float64) - 1.0
    return Known(
        as_of=as_of,
        user_id=_ids(found),
        events=found["events"].to_numpy(),
        summary=CustomerSummary(
            history=PurchaseHistory(frequency, np.where(frequency > 0, age - silence, 0.0), age),
            silence=silence,
            spend=np.nan_to_num(found["spend"].cast(pa.float64()).to_numpy()),
        ),
    )


def returned(tables: EventTables, event: SignOfLife, start: datetime, end: datetime, known_by: datetime) -> Returned:
    """Users with such an event in ``[start, end)`` that had arrived by ``known_by``."""
    rows = _counting(event, known_by)
    rows = rows.filter(rows[c.OCCURRED_AT] >= _moment(start), rows[c.OCCURRED_AT] < _moment(end))
    found = _rows(tables, rows.group_by(c.USER_ID).aggregate(first=rows[c.OCCURRED_AT].min()))
    first = found["first"].to_numpy().astype("datetime64[us]") - np.datetime64(_naive(start), "us")
    return Returned(_ids(found), first.astype(np.float64) / _MICROS_PER_DAY)


def event_span(tables: EventTables, event: SignOfLife, before: datetime) -> tuple[datetime, datetime] | None:
    """Times of the first and last event of a type before a moment; ``None`` when there is none."""
    rows = _counting(event, before)
    rows = rows.filter(rows[c.OCCURRED_AT] < _moment(before))
    found = _rows(tables, rows.aggregate(first=rows[c.OCCURRED_AT].min(), last=rows[c.OCCURRED_AT].max()))
    first, last = found["first"][0].as_py(), found["last"][0].as_py()
    return None if first is None else (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))


def _counting(event: SignOfLife, by: datetime) -> Value:
    rows = event_rows()
    kind = rows[c.EVENT_TYPE]
    told = kind.notin([each.value for each in MALL_INITIATED]) if event is Activity.ANY else kind == event.value
    return counting(rows.filter(told), _naive(by))


def _rows(tables: EventTables, expression: Value) -> pa.Table:
    return tables.query(str(ibis.to_sql(expression, dialect=tables.dialect)))


def _ids(rows: pa.Table) -> pa.Array:
    return pa.concat_arrays(rows[c.USER_ID].cast(pa.string()).chunks or [pa.array([], pa.string())])


def _moment(time: datetime) -> Value:
    return ibis.timestamp(_naive(time))


def _naive(time: datetime) -> datetime:
    """Event tables hold UTC without a zone."""
    return time.astimezone(UTC).replace(tzinfo=None)
