"""The event lake and the same reading into memory."""

from features.lake.lake import Lake
from features.lake.memory import LoadedSource, read_table

__all__ = ["Lake", "LoadedSource", "read_table"]
