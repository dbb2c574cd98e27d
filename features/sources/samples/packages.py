"""Locating data files inside an installed distribution without importing its code."""

from importlib import metadata
from pathlib import Path

from features.contracts.errors import UnreadableSourceError


def packaged_file(distribution: str, name: str, install: str) -> Path:
    """The path of file ``name`` of ``distribution``.

    Raises :class:`UnreadableSourceError` with the command ``install`` when it is not there.
    """
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise UnreadableSourceError(
        f"the file {name} comes inside the package {distribution}, which is not installed. Install it with: {install}"
    )
