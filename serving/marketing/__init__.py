"""Churn lists over immutable risk snapshots."""

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
