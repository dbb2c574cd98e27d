"""Online state: one protocol, an embedded implementation, API keys, and the way of events into the lake."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy
from serving.store.config import StoreConfig
from serving.store.embedded import EmbeddedStore
from serving.store.group_commit import GroupCommit
from serving.store.keys import NewKey, Scope, check_key, create_key
from serving.store.opening import open_store
from serving.store.protocol import (
    RECENT_LIMIT,
    Arrival,
    Bounds,
    Change,
    Consent,
    ConsentChange,
    EventRow,
    KeptAnswer,
    KeyRecord,
    Merge,
    OnlineStore,
    Profile,
    QueuedEvent,
    RecentEvent,
    Visitor,
)

if TYPE_CHECKING:
    from serving.store.drain import Drained, drain, event_table

__all__ = [
    "RECENT_LIMIT",
    "Arrival",
    "Bounds",
    "Change",
    "Consent",
    "ConsentChange",
    "Drained",
    "EmbeddedStore",
    "EventRow",
    "GroupCommit",
    "KeptAnswer",
    "KeyRecord",
    "Merge",
    "NewKey",
    "OnlineStore",
    "Profile",
    "QueuedEvent",
    "RecentEvent",
    "Scope",
    "StoreConfig",
    "Visitor",
    "check_key",
    "create_key",
    "drain",
    "event_table",
    "open_store",
]

# The way into the lake is not needed where only questions are answered, and brings the lake with it.
__getattr__ = lazy(__name__, dict.fromkeys(("Drained", "drain", "event_table"), "serving.store.drain"))
