"""Events of the lake have a time."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.quality.check import Batch, Check, Finding


class TimeGiven(Check):
    """``occurred_at`` is there, wherever time is needed. A value that cannot be read is another check's."""

    name = "missing_time"
    meaning = "the time of the event is missing"
    meaning_zh = "缺少事件时间"
    bad_rows = ({c.OCCURRED_AT: None}, {c.OCCURRED_AT: ""})

    def find(self, batch: Batch) -> Iterator[Finding]:
        if not batch.timed:
            return
        absent = batch.column(c.OCCURRED_AT).is_null()
        unreadable = batch.unreadable.get(c.OCCURRED_AT, pa.scalar(False))
        yield Finding(c.OCCURRED_AT, pc.and_(absent, pc.invert(unreadable)), f"{c.OCCURRED_AT} is missing")
