"""What users did after a moment: what they spent within windows of days, and when they bought next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EventType
from features.engine import EventTables
from features.engine.known import counting
from features.tags.spec.rows import event_rows

Float64 = npt.NDArray[np.float64]

_MICROS_PER_DAY = timedelta(days=1) / timedelta(microseconds=1)


@dataclass(frozen=True)
class Outcome:
    """Of ``n`` users in the order asked for."""

    spend: Float64  # (n, windows) sum of purchases
    next_purchase: Float64  # (n,) days to the first purchase within the longest window, NaN without one


def outcome(
    tables: EventTables, users: pa.Array, start: datetime, windows: Sequence[float], known_by: datetime
) -> Outcome:
    """What ``users`` did in ``[start, start + w)`` for every window ``w`` (days), as had arrived by ``known_by``."""
    rows = counting(event_rows(), _naive(known_by))
    end = start + timedelta(days=max(windows))
    rows = rows.filter(
        rows[c.EVENT_TYPE] == EventType.PURCHASE.value,
        rows[c.OCCURRED_AT] >= ibis.timestamp(_naive(start)),
        rows[c.OCCURRED_AT] < ibis.timestamp(_naive(end)),
    )
    ends = [ibis.timestamp(_naive(start + timedelta(days=days))) for days in windows]
    sums = {f"w{place}": rows[c.AMOUNT].sum(where=rows[c.OCCURRED_AT] < moment) for place, moment in enumerate(ends)}
    grouped = rows.group_by(c.USER_ID).aggregate(first=rows[c.OCCURRED_AT].min(), **sums)
    found = tables.query(str(ibis.to_sql(grouped, dialect=tables.dialect)))
    place = pc.index_in(users, value_set=found[c.USER_ID].cast(pa.string()).combine_chunks())
    of = pc.fill_null(place, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    did = of >= 0
    spend = np.zeros((len(users), len(windows)))
    first = np.full(len(users), np.nan)
    if did.any():
        for number in range(len(windows)):
            sums_found = np.nan_to_num(found[f"w{number}"].cast(pa.float64()).to_numpy())
            spend[did, number] = sums_found[of[did]]
        moments = found["first"].to_numpy().astype("datetime64[us]")
        after = (moments - np.datetime64(_naive(start), "us")).astype(np.float64) / _MICROS_PER_DAY
        first[did] = after[of[did]]
    return Outcome(spend, first)


def _naive(time: datetime) -> datetime:
    """Event tables hold UTC without a zone."""
    return time.astimezone(UTC).replace(tzinfo=None)
