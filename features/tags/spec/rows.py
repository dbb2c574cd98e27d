"""The event rows that partial tables are folded from: columns of the contract and what an engine adds to them."""

from typing import Final

import ibis

from features.contracts import columns as c
from features.contracts.knowledge import KNOWN_FROM, KNOWN_UNTIL
from features.tags.spec.columns import DAY, HOUR, ORDER_KEY, PROPERTIES
from features.tags.spec.vocabulary import Value

_EVENT_ROWS: Final = {
    c.USER_ID: "string",
    c.EVENT_TYPE: "string",
    c.ITEM_ID: "string",
    c.OCCURRED_AT: "timestamp",  # UTC
    KNOWN_FROM: "timestamp",  # UTC
    KNOWN_UNTIL: "timestamp",  # UTC
    c.SESSION_ID: "string",
    c.CHANNEL: "string",
    c.QUANTITY: "float64",
    c.AMOUNT: "float64",
    ORDER_KEY: "string",
    DAY: "date",
    HOUR: "int64",
} | {key: kind for key, (kind, _) in PROPERTIES.items()}


def event_rows(name: str = "events") -> Value:
    """The relation ``name`` of an engine, as event rows."""
    return ibis.table(_EVENT_ROWS, name=name)
