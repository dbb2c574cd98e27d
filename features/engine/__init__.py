"""Where tags run: event tables on an engine, the build, and the store of built tables."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
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

__getattr__ = lazy(
    __name__,
    {
        "EventTables": "features.engine.tables",
        "LakeFiles": "features.engine.log",
        "TagBuild": "features.engine.store",
        "TagStore": "features.engine.store",
        "build_slices": "features.engine.build",
        "build_tags": "features.engine.build",
        "known_events": "features.engine.history",
        "tag_schema": "features.engine.build",
    },
)
