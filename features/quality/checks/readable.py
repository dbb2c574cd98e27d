"""Values are of their column's type."""

from collections.abc import Iterator

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.quality.check import Batch, Check, Finding


class ReadableValues(Check):
    """A number is a number and a time is a time: ISO 8601, a compact date, or an epoch; naive times are UTC."""

    name = "unreadable_value"
    meaning = "a value is not a number or not a date"
    meaning_zh = "数值或日期无法解析"
    bad_rows = (
        {c.AMOUNT: "twelve"},
        {c.QUANTITY: "1,5"},
        {c.OCCURRED_AT: "yesterday"},
        {c.OCCURRED_AT: "2017-02-30"},
        {c.RECEIVED_AT: "2017-13-01T00:00:00Z"},
    )

    def find(self, batch: Batch) -> Iterator[Finding]:
        for column, bad in batch.unreadable.items():
            kind = "a date or time" if pa.types.is_timestamp(EVENT_SCHEMA.field(column).type) else "a number"
            yield Finding(column, bad, f"{column} is {{value}}, which is not {kind}")
