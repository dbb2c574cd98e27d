"""What benchmarks over cut-offs share: the past that a model is handed, and what a result says of its data."""

from datetime import datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import NotEnoughDataError
from features.contracts.progress import say
from features.engine import EventTables
from features.lake import LoadedSource
from training.bench.provenance import code_version, machine


def described(name: str, loaded: LoadedSource) -> dict[str, Any]:
    """The head of a ``result.json``: the data, the code and the machine."""
    events = loaded.events
    say(f"{len(events):,} events")
    return {
        "name": name,
        "users": pc.count_distinct(events[c.USER_ID]).as_py(),
        "items": pc.count_distinct(events[c.ITEM_ID]).as_py(),
        "interactions": len(events),
        "commit": code_version(),
        "machine": machine(),
        "rejected_rows": loaded.report.rejected,
    }


def past_of(loaded: LoadedSource, cutoff: datetime) -> EventTables:
    """What a model may see: the events before ``cutoff``. :class:`NotEnoughDataError` when there is none."""
    occurred = loaded.events[c.OCCURRED_AT]
    past = loaded.events.filter(pc.less(occurred, pa.scalar(cutoff, occurred.type)))
    if not len(past):
        raise NotEnoughDataError(f"cut-off {day_of(cutoff)}: there is no event before it")
    return EventTables.from_arrow(past, loaded.items, loaded.users)


def whole_of(loaded: LoadedSource) -> EventTables:
    """The whole log, which is opened after the fit, for outcomes only."""
    return EventTables.from_arrow(loaded.events, loaded.items, loaded.users)


def day_of(moment: datetime) -> str:
    """A midnight as a date, any other moment in full."""
    return moment.date().isoformat() if moment.time() == time() else moment.isoformat()
