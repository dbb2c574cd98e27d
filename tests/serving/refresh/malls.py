"""A small mall with a lake, an online store and a build of everybody, for refreshes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from features.contracts import columns as c
from features.contracts.events import EventType
from features.contracts.home import Home
from features.engine import EventTables, TagBuild, TagStore, build_tags
from features.lake import Lake
from features.tags import spec_hash
from features.tags.spec.meaning import meanings
from tests.features import mall

#: When the events end that everybody was built from.
CUT = mall.MIDDAY - timedelta(hours=30)
ROWS = [row | {c.RECEIVED_AT: row[c.RECEIVED_AT] or row[c.OCCURRED_AT]} for row in mall.events(users=10, each=80)]
OLD = [row for row in ROWS if row[c.OCCURRED_AT] < CUT and row[c.RECEIVED_AT] < CUT]


def fill(home: Home) -> Lake:
    """Put items, users and the old events into the lake of ``home``."""
    lake = Lake(home)
    lake.upsert(items=mall.items(), users=mall.users(), now=mall.START)
    lake.append_events(mall.table(OLD), batch_id="old", now=CUT)
    return lake


def build(home: Home, names: Collection[str], as_of: datetime = CUT) -> TagBuild:
    """Build the tags ``names`` of everybody and keep them."""
    table = build_tags(EventTables.from_lake(Lake(home)), as_of, names)
    return TagStore(home).write(table, as_of, spec_hash(list(names)), meanings=meanings(list(names)))


def event(number: int, user: str, kind: EventType, at: datetime, **more: Any) -> dict[str, Any]:
    """An event that arrives as it happens."""
    given = {c.EVENT_ID: f"n{number}", c.RECEIVED_AT: at, c.ITEM_ID: "i01", **more}
    return mall.event(kind, user, at, **given)
