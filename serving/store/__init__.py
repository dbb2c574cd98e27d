"""Online state: one protocol, an embedded implementation, API keys, and the way of events into the lake."""

from serving.store.drain import Drained, drain, event_table
from serving.store.embedded import EmbeddedStore
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
    "KeptAnswer",
    "KeyRecord",
    "Merge",
    "NewKey",
    "OnlineStore",
    "Profile",
    "QueuedEvent",
    "RecentEvent",
    "Scope",
    "Visitor",
    "check_key",
    "create_key",
    "drain",
    "event_table",
    "open_store",
]
