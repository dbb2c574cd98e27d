"""Money is not negative, except money that goes back."""

from collections.abc import Iterator

import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EventType
from features.quality.check import Batch, Check, Finding


class AmountSign(Check):
    """Only refunds may carry a negative amount; either sign is understood there."""

    name = "negative_amount"
    meaning = "the amount is negative and the event is not a refund"
    meaning_zh = "金额为负且不是退款事件"
    bad_rows = ({c.EVENT_TYPE: "purchase", c.AMOUNT: -1}, {c.EVENT_TYPE: "view", c.AMOUNT: "-0.01"})

    def find(self, batch: Batch) -> Iterator[Finding]:
        amounts = batch.column(c.AMOUNT)
        negative = pc.and_(pc.less(amounts, 0), pc.is_finite(amounts))  # an infinite one is another check's
        refund = pc.equal(batch.column(c.EVENT_TYPE), EventType.REFUND)
        yield Finding(
            c.AMOUNT,
            pc.and_(negative, pc.invert(refund)),
            "amount is {value}; only a refund may have a negative amount",
        )
