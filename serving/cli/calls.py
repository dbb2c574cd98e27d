"""Command lines that the users of a running server can paste."""

import json
import shlex
from dataclasses import dataclass
from urllib.parse import quote

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.events import EventType
from features.contracts.home import Home
from features.lake import Lake
from serving.marketing import open_snapshot

BACKEND = "mall backend"
SCIENTIST = "data scientist"
MARKETING = "marketing"


@dataclass(frozen=True)
class Call:
    """One line to paste into a shell."""

    who: str
    what: str
    line: str


def calls_for(home: Home, url: str, key: str) -> list[Call]:
    """What each kind of user would call first, about a user and, where there is a catalogue, an item of ``home``."""
    user, item = some_user(home), _some_item(home)
    person = f"{url}/v1/users/{quote(user, safe='')}"
    at_risk = f"'{url}/v1/churn/list?limit=10'"
    curl = f"curl -s -H 'X-API-Key: {key}'"
    calls = [Call(BACKEND, "what to show this user", f"{curl} '{person}/recommendations?n=5'")]
    if item is not None:
        looked = f"{curl} -X POST -H 'Content-Type: application/json' -d {_view(home, user, item)} '{url}/v1/events'"
        similar = f"{curl} '{url}/v1/items/{quote(item, safe='')}/similar'"
        calls += [
            Call(BACKEND, "the user looked at an item; ask again and see", looked),
            Call(BACKEND, "what goes with an item", similar),
        ]
    return [
        *calls,
        Call(SCIENTIST, "why this user may leave", f"{curl} '{person}/churn'"),
        Call(SCIENTIST, "what is known of this user", f"{curl} '{person}/tags'"),
        Call(SCIENTIST, "runs, pictures and models in MLflow", "mallard mlflow"),
        Call(MARKETING, "the users most likely to leave", f"{curl} -H 'Accept: text/csv' {at_risk}"),
        Call(MARKETING, "the same as pages of JSON", f"{curl} {at_risk}"),
    ]


def _view(home: Home, user: str, item: str) -> str:
    """The body of a view at the end of the log: a sample of years ago must not jump to today."""
    event = {
        c.EVENT_ID: "demo-1",
        c.EVENT_TYPE: EventType.VIEW.value,
        c.USER_ID: user,
        c.ITEM_ID: item,
        c.OCCURRED_AT: Lake(home).last_event_at().isoformat(),
    }
    return shlex.quote(json.dumps({"events": [event]}))


def some_user(home: Home) -> str:
    """The user at the head of the churn list, else any of the lake."""
    try:
        rows = open_snapshot(home).rows
    except MissingStateError:
        rows = Lake(home).read_users()
    return str(rows[c.USER_ID][0]) if len(rows) else "1"


def _some_item(home: Home) -> str | None:
    items = Lake(home).read_items()
    return str(items[c.ITEM_ID][0]) if len(items) else None
