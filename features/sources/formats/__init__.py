"""One reader per file format: ``read_*(file, ...) -> Iterator[Chunk]``, streaming, in bounded memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from features.contracts.errors import UnreadableSourceError
from features.sources.batch import Chunk, Wanted
from features.sources.formats.delimited import read_csv, read_tsv
from features.sources.formats.jsonlines import read_jsonl
from features.sources.formats.parquet import read_parquet
from features.sources.formats.sequences import read_sequences

#: Reads one file; raises ``UnreadableSourceError`` when it is broken or lacks a required column.
Reader = Callable[[Path, Wanted], Iterator[Chunk]]

_READERS: Final[dict[str, Reader]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
}

__all__ = ["Reader", "read_sequences", "reader_of"]


def reader_of(file: Path) -> Reader:
    """The reader for the ending of ``file``."""
    name = file.name.removesuffix(".gz")
    reader = _READERS.get(Path(name).suffix.lower())
    if reader is None or (reader is read_parquet and file.suffix == ".gz"):
        raise UnreadableSourceError(
            f"{file}: cannot tell the format from the ending '{''.join(file.suffixes)}'; "
            "known are .csv, .tsv, .jsonl, .ndjson (each also with .gz) and .parquet"
        )
    return reader
