"""Numbers are finite."""

from collections.abc import Iterator

import pyarrow.compute as pc

from features.contracts import columns as c
from features.quality.check import Batch, Check, Finding


class FiniteNumbers(Check):
    """Amount and quantity are neither NaN nor infinite; a value that is not known is left out."""

    name = "not_finite"
    meaning = "the amount or the quantity is NaN or infinite"
    meaning_zh = "金额或数量为 NaN 或无穷大"
    bad_rows = ({c.AMOUNT: "NaN"}, {c.AMOUNT: "inf"}, {c.AMOUNT: "-Infinity"}, {c.QUANTITY: "nan"})

    def find(self, batch: Batch) -> Iterator[Finding]:
        for column in (c.AMOUNT, c.QUANTITY):
            finite = pc.is_finite(batch.column(column))
            yield Finding(column, pc.invert(finite), f"{column} is {{value}}; leave it out when it is not known")
