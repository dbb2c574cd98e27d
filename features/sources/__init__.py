"""Readers: files by column mapping, sequence files and the samples that come inside packages."""

from features.sources.batch import Chunk, MalformedRow, RawBatch, Source
from features.sources.opening import load_source, open_source
from features.sources.samples import SAMPLES
from features.sources.spec import ItemsSpec, SourceFile, SourceSpec, UsersSpec

__all__ = [
    "SAMPLES",
    "Chunk",
    "ItemsSpec",
    "MalformedRow",
    "RawBatch",
    "Source",
    "SourceFile",
    "SourceSpec",
    "UsersSpec",
    "load_source",
    "open_source",
]
