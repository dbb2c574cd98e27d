"""Online state: one protocol, an embedded implementation, and API keys.

The way of events into the lake is :mod:`serving.store.drain`, which brings the lake with it.
"""

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

__all__ = [
    "RECENT_LIMIT",
    "Arrival",
    "Bounds",
    "Change",
    "Consent",
    "ConsentChange",
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
    "open_store",
]
