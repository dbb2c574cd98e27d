"""Quantities count pieces."""

from collections.abc import Iterator

import pyarrow.compute as pc

from features.contracts import columns as c
from features.quality.check import Batch, Check, Finding


class QuantitySign(Check):
    """No negative quantities, for refunds neither: the event type says which way goods go. Zero is allowed."""

    name = "negative_quantity"
    meaning = "the quantity is negative"
    meaning_zh = "数量为负"
    bad_rows = ({c.QUANTITY: -1}, {c.QUANTITY: "-0.5"}, {c.EVENT_TYPE: "refund", c.QUANTITY: -2})

    def find(self, batch: Batch) -> Iterator[Finding]:
        yield Finding(
            c.QUANTITY,
            pc.less(batch.column(c.QUANTITY), 0),
            "quantity is {value}; it must be zero or more (goods that come back are a refund event)",
        )
