"""Notices that a file was replaced, by one look at its directory entry."""

from pathlib import Path


class Watched:
    """One file that others replace (never edit)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is another one than at the last call; at the first call, whether it is there."""
        try:
            entry = self._file.stat()
        except FileNotFoundError:
            return False
        signature = (entry.st_ino, entry.st_mtime_ns, entry.st_size)
        if signature == self._seen:
            return False
        self._seen = signature
        return True
