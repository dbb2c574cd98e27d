"""Times lie in the mall's own time."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP
from features.quality.check import Batch, Check, Finding


class PossibleTime(Check):
    """Neither before ``earliest`` (an epoch of zero becomes 1970) nor more than ``future_days`` after now."""

    name = "impossible_date"
    meaning = "the date is before the mall existed or in the future"
    meaning_zh = "日期早于商城成立或在未来"
    bad_rows = (
        {c.OCCURRED_AT: "1970-01-01T00:00:00Z"},
        {c.OCCURRED_AT: 0},
        {c.OCCURRED_AT: "9999-12-31"},
        {c.RECEIVED_AT: "2999-01-01 00:00:00"},
    )

    def find(self, batch: Batch) -> Iterator[Finding]:
        first = datetime.combine(batch.limits.earliest, time(), UTC)
        last = batch.now + timedelta(days=batch.limits.future_days)
        for column in (c.OCCURRED_AT, c.RECEIVED_AT):
            moments = batch.column(column)
            if moments.null_count == len(moments):
                continue
            yield Finding(
                column, pc.less(moments, pa.scalar(first, TIMESTAMP)), f"{column} is {{value}}, before {first:%Y-%m-%d}"
            )
            yield Finding(
                column,
                pc.greater(moments, pa.scalar(last, TIMESTAMP)),
                f"{column} is {{value}}, after now ({last:%Y-%m-%d})",
            )
