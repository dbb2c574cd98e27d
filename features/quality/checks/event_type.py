"""The set of event types is closed."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EVENT_TYPES
from features.quality.check import Batch, Check, Finding


class KnownEventType(Check):
    """The event type is one of the contract's words, after mapping."""

    name = "unknown_event_type"
    meaning = "the event type is missing or not one of Mallard's"
    meaning_zh = "事件类型缺失或不在约定范围内"
    bad_rows = ({c.EVENT_TYPE: "teleport"}, {c.EVENT_TYPE: None}, {c.EVENT_TYPE: ""})

    def find(self, batch: Batch) -> Iterator[Finding]:
        kinds = batch.column(c.EVENT_TYPE)
        known = pc.is_in(kinds, pa.array([str(kind) for kind in EVENT_TYPES]))
        yield Finding(
            c.EVENT_TYPE, pc.invert(known), f"event type is {{value}}; known types are {', '.join(EVENT_TYPES)}"
        )
