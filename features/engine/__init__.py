"""Where tags run: event tables on DuckDB, the build, and the store of built tables."""

from features.engine.build import build_tags
from features.engine.store import TagBuild, TagStore
from features.engine.tables import EventTables, LakeFiles

__all__ = ["EventTables", "LakeFiles", "TagBuild", "TagStore", "build_tags"]
