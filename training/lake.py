"""The lake's events as the input of recommendation models."""

import json
from datetime import datetime

import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import ITEM_EVENTS, EventType
from features.engine import known_events
from features.lake import Lake
from training.dataset import interactions_from_events
from training.interactions import Interactions

_READ = [
    c.OCCURRED_AT, c.EVENT_TYPE, c.USER_ID, c.ANONYMOUS_ID, c.ITEM_ID, c.ORDER_ID, c.QUANTITY, c.AMOUNT,
    c.CHANNEL,
]  # fmt: skip
#: The key of a user's demographics that says where he lives.
_REGION = "city"


def read_interactions(lake: Lake, as_of: datetime, *, received_by: datetime | None = None) -> Interactions:
    """Events with goods or articles before ``as_of``, with the lake's catalogue.

    Merged users are one; fake events, and events of who was erased, are left out.

    With ``received_by`` an event that had occurred by that moment but was not known yet is left out: a model judged
    from there could not have known it. Events whose arrival is not recorded count as known.
    """
    kinds = (*ITEM_EVENTS, EventType.ARTICLE_READ)
    events = known_events(lake, _READ, kinds, as_of, split=received_by)
    # Between the wish to be erased and the end of the purge his rows are still in the files.
    keep = lake.tombstones.kept_events(events)
    events = events if keep is None else events.filter(keep)
    return interactions_from_events(events, lake.read_items(), kinds=kinds, regions=_regions(lake))


def _regions(lake: Lake) -> dict[str, str]:
    """Where users said that they live, by user id."""
    users = lake.read_users()
    told = users.filter(pc.is_valid(users[c.DEMOGRAPHICS]))
    found = {
        user: json.loads(text).get(_REGION)
        for user, text in zip(told[c.USER_ID].to_pylist(), told[c.DEMOGRAPHICS].to_pylist(), strict=True)
    }
    return {user: str(region) for user, region in found.items() if region}
