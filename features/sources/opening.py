"""From a description to a source."""

from pathlib import Path

from features.contracts.config import load_config
from features.sources.batch import Source
from features.sources.files import expand
from features.sources.mapped import MappedSource, MappedTable, SequenceSource
from features.sources.samples import SAMPLES
from features.sources.spec import ItemsSpec, SourceFile, SourceSpec, UsersSpec


def open_source(
    spec: SourceSpec,
    base: Path,
    items: ItemsSpec | None = None,
    users: UsersSpec | None = None,
    name: str | None = None,
) -> Source:
    """The source that ``spec`` describes; paths are relative to ``base``.

    For a sample, ``items`` and ``users`` are ignored: it brings its own. Raises ``UnreadableSourceError`` when a file
    is not there; what is inside the files shows when they are read.
    """
    if spec.sample is not None:
        return SAMPLES[spec.sample]()
    item_table = None if items is None else MappedTable(expand(items.path, base), items.columns)
    user_table = None if users is None else MappedTable(expand(users.path, base), users.columns)
    if spec.sequences is not None:
        files = expand(spec.sequences, base)
        return SequenceSource(name or spec.sequences, files, item_table, user_table)
    path = spec.path or ""
    table = MappedTable(expand(path, base), spec.columns)
    event_map = {word: str(kind) for word, kind in spec.event_map.items()}
    return MappedSource(name or path, table, event_map, item_table, user_table)


def load_source(file: Path) -> Source:
    """The source that a YAML file (:class:`SourceFile`) describes; its paths are relative to the file."""
    described = load_config(SourceFile, file)
    return open_source(described.interactions, file.parent, described.items, described.users, described.name)
