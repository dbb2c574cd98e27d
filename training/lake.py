"""The lake's events as the input of recommendation models."""

from datetime import datetime

import pyarrow as pa
import pyarrow.dataset as ds

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.events import EVENT_SCHEMA, ITEM_EVENTS, TIMESTAMP
from features.lake import Lake
from training.dataset import interactions_from_events
from training.interactions import Interactions

_ORDER = (c.OCCURRED_AT, c.EVENT_ID)
_READ = [
    *_ORDER, c.EVENT_TYPE, c.USER_ID, c.ANONYMOUS_ID, c.ITEM_ID, c.ORDER_ID, c.QUANTITY, c.AMOUNT,
]  # fmt: skip


def read_interactions(lake: Lake, as_of: datetime, *, received_by: datetime | None = None) -> Interactions:
    """Item events before ``as_of``, with the lake's catalogue.

    With ``received_by`` an event that had occurred by that moment but had not arrived yet is left out: a model judged
    from there could not have known it. Events whose arrival is not recorded count as known.
    """
    files = lake.event_files()
    if not files:
        raise MissingStateError("the lake is empty; run 'mallard ingest' or 'mallard sample complete-journey'")
    occurred, received = ds.field(c.OCCURRED_AT), ds.field(c.RECEIVED_AT)
    wanted = (
        (occurred < pa.scalar(as_of, TIMESTAMP))
        & ds.field(c.EVENT_TYPE).isin([str(kind) for kind in ITEM_EVENTS])
        & ds.field(c.ITEM_ID).is_valid()
    )
    if received_by is not None:
        moment = pa.scalar(received_by, TIMESTAMP)
        wanted &= (occurred >= moment) | received.is_null() | (received <= moment)
    events = ds.dataset(files, schema=EVENT_SCHEMA, format="parquet").to_table(columns=_READ, filter=wanted)
    # Files are read side by side; equal moments need an order that does not depend on it.
    return interactions_from_events(events.sort_by([(name, "ascending") for name in _ORDER]), lake.read_items())
