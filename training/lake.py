"""The lake's events as the input of recommendation models."""

from datetime import datetime

import duckdb

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.events import ITEM_EVENTS
from features.lake import Lake
from training.dataset import interactions_from_events
from training.interactions import Interactions

_READ = (
    c.EVENT_TYPE, c.USER_ID, c.ANONYMOUS_ID, c.ITEM_ID, c.OCCURRED_AT, c.ORDER_ID, c.QUANTITY, c.AMOUNT,
)  # fmt: skip


def read_interactions(lake: Lake, as_of: datetime, *, received_by: datetime | None = None) -> Interactions:
    """Item events before ``as_of``, with the lake's catalogue.

    With ``received_by`` an event that had occurred by that moment but had not arrived yet is left out: a model judged
    from there could not have known it. Events whose arrival is not recorded count as known.
    """
    files = [str(file) for file in lake.event_files()]
    if not files:
        raise MissingStateError("the lake is empty; run 'mallard ingest' or 'mallard sample complete-journey'")
    late = ""
    parameters: dict[str, object] = {"files": files, "as_of": as_of, "kinds": [str(kind) for kind in ITEM_EVENTS]}
    if received_by is not None:
        late = f"AND NOT coalesce({c.OCCURRED_AT} < $by AND {c.RECEIVED_AT} > $by, false)"
        parameters["by"] = received_by
    with duckdb.connect() as connection:
        events = connection.sql(
            f"""
            SELECT {", ".join(_READ)} FROM read_parquet($files, hive_partitioning = false)
            WHERE {c.OCCURRED_AT} < $as_of AND list_contains($kinds, {c.EVENT_TYPE}) AND {c.ITEM_ID} IS NOT NULL {late}
            ORDER BY {c.OCCURRED_AT}, {c.EVENT_ID}
            """,  # noqa: S608 - column names only
            params=parameters,
        ).to_arrow_table()
    return interactions_from_events(events, lake.read_items())
