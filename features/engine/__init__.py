"""Where tags run: event tables on an engine, the build, and the store of built tables."""

from features.engine.build import build_slices, build_tags, tag_schema
from features.engine.history import known_events
from features.engine.log import LakeFiles
from features.engine.store import TagBuild, TagStore
from features.engine.tables import EventTables

__all__ = [
    "EventTables",
    "LakeFiles",
    "TagBuild",
    "TagStore",
    "build_slices",
    "build_tags",
    "known_events",
    "tag_schema",
]
