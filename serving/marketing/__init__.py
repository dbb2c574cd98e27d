"""Churn lists over immutable risk snapshots."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.marketing.churn_list import Change, Cursor, ListFilter, Page
    from serving.marketing.columns import CHANGE, JSON_COLUMNS, REASONS, SNAPSHOT_SCHEMA
    from serving.marketing.config import MarketingConfig
    from serving.marketing.lists import ChurnLists
    from serving.marketing.scoring import snapshot_tags, write_snapshot
    from serving.marketing.snapshot import Snapshot, SnapshotInfo, latest_snapshot, open_snapshot, save_snapshot
    from serving.marketing.suppression import suppress

__all__ = [
    "CHANGE",
    "JSON_COLUMNS",
    "REASONS",
    "SNAPSHOT_SCHEMA",
    "Change",
    "ChurnLists",
    "Cursor",
    "ListFilter",
    "MarketingConfig",
    "Page",
    "Snapshot",
    "SnapshotInfo",
    "latest_snapshot",
    "open_snapshot",
    "save_snapshot",
    "snapshot_tags",
    "suppress",
    "write_snapshot",
]

__getattr__ = lazy(
    __name__,
    {
        "CHANGE": "serving.marketing.columns",
        "Change": "serving.marketing.churn_list",
        "ChurnLists": "serving.marketing.lists",
        "Cursor": "serving.marketing.churn_list",
        "JSON_COLUMNS": "serving.marketing.columns",
        "ListFilter": "serving.marketing.churn_list",
        "MarketingConfig": "serving.marketing.config",
        "Page": "serving.marketing.churn_list",
        "REASONS": "serving.marketing.columns",
        "SNAPSHOT_SCHEMA": "serving.marketing.columns",
        "Snapshot": "serving.marketing.snapshot",
        "SnapshotInfo": "serving.marketing.snapshot",
        "latest_snapshot": "serving.marketing.snapshot",
        "open_snapshot": "serving.marketing.snapshot",
        "save_snapshot": "serving.marketing.snapshot",
        "suppress": "serving.marketing.suppression",
        "snapshot_tags": "serving.marketing.scoring",
        "write_snapshot": "serving.marketing.scoring",
    },
)
