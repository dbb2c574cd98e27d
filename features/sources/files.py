"""Finding the files that a path or glob means, and telling their content apart."""

import glob
import hashlib
from collections.abc import Iterable
from pathlib import Path

from features.contracts.errors import UnreadableSourceError


def expand(pattern: str, base: Path) -> list[Path]:
    """The files that ``pattern`` (a path or a glob, relative to ``base``) means, sorted by name.

    Raises :class:`UnreadableSourceError` when there is none, or when one has no bytes.
    """
    whole = base / pattern
    if glob.has_magic(pattern):
        start = Path(whole.anchor) if whole.is_absolute() else Path()
        found = sorted(p for p in start.glob(str(whole.relative_to(start))) if p.is_file())
        if not found:
            raise UnreadableSourceError(f"{whole}: no file matches this pattern")
    else:
        if not whole.exists():
            raise UnreadableSourceError(f"{whole}: no such file")
        if not whole.is_file():
            raise UnreadableSourceError(
                f"{whole}: is a folder, not a file; use a pattern such as '{pattern}/*.parquet'"
            )
        found = [whole]
    for file in found:
        if file.stat().st_size == 0:
            raise UnreadableSourceError(f"{file}: the file is empty (0 bytes)")
    return found


def content_hash(files: Iterable[Path], reading: str) -> str:
    """SHA-256 over the bytes of ``files`` in order and over ``reading``, the way they are read."""
    whole = hashlib.sha256(reading.encode())
    for file in files:
        try:
            with file.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise UnreadableSourceError(f"{file}: cannot be read: {error}") from error
    return whole.hexdigest()


def is_gzip(file: Path) -> bool:
    """Whether the name says that the content is compressed."""
    return file.suffix == ".gz"
