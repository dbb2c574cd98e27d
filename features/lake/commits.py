"""The log of commits: what readers of the lake can see. A commit is one JSON file, linked into place whole."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from features.quality.report import QualityReport


class EventFile(BaseModel):
    """One Parquet file of events."""

    model_config = ConfigDict(frozen=True)

    path: str  # relative to the lake
    rows: int


class FlagDay(BaseModel):
    """A UTC day as it was judged for fake traffic."""

    model_config = ConfigDict(frozen=True)

    day: date
    path: str | None
    """The file of its marks, relative to the folder of flags; null: nothing is marked."""
    rows: int
    basis: dict[str, str] = {}
    """What it was judged from, as fingerprints of the judge's choice."""


class Commit(BaseModel):
    """One change of the lake. Files that no commit names do not exist for readers."""

    model_config = ConfigDict(frozen=True)

    number: int
    key: str
    """Fingerprint of the source or id of the batch; a key is committed once."""
    kind: Literal["ingest", "append", "upsert", "flags", "identify", "erase"]
    committed_at: datetime
    added: tuple[EventFile, ...] = ()
    last_event_at: datetime | None = None
    items: str | None = None
    """The whole item table after this commit, relative to the lake; null: as before."""
    users: str | None = None
    links: str | None = None
    """Links of identities that this commit adds to the log of links, relative to the lake."""
    logins: str | None = None
    """Logins on anonymous ids that this commit adds, relative to the lake."""
    flags: tuple[FlagDay, ...] = ()
    """Days judged for fake traffic by this commit; the newest judgement of a day counts."""
    report: QualityReport | None = None


class CommitLog:
    """Commits of one lake in order, read as they appear."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "commits"
        self._lock_file = root / "lock"
        self._known: list[Commit] = []

    @property
    def folder(self) -> Path:
        """Where the commits lie, one file each."""
        return self._folder

    def commits(self) -> list[Commit]:
        """Every commit so far, oldest first."""
        while True:
            file = self._file(len(self._known) + 1)
            if not file.exists():
                return list(self._known)
            self._known.append(Commit.model_validate_json(file.read_bytes()))

    def next_number(self) -> int:
        """The number of the commit to come; right only under :meth:`locked`."""
        return len(self.commits()) + 1

    def find(self, key: str) -> Commit | None:
        """The commit of ``key``."""
        return next((commit for commit in self.commits() if commit.key == key), None)

    def fingerprint(self) -> str:
        """SHA-256 over what was committed, in order; equal for lakes that took in the same things."""
        whole = hashlib.sha256()
        for commit in self.commits():
            whole.update(f"{commit.kind} {commit.key}\n".encode())
        return whole.hexdigest()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, over all processes of this machine. Waits its turn."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("a") as stream:
            flock(stream, LOCK_EX)
            try:
                yield
            finally:
                flock(stream, LOCK_UN)

    def append(self, commit: Commit) -> None:
        """Make ``commit`` visible. Call under :meth:`locked` with the next number."""
        aside = self._folder / f".{uuid.uuid4().hex}"
        with aside.open("w", encoding="utf-8") as stream:
            stream.write(commit.model_dump_json())
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(self._file(commit.number))
        flush(self._folder)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08d}.json"


class Staging:
    """A folder for the files of a commit to come, held by a lock that ends with the process.

    Folders whose lock is free were left by a crash; :meth:`open` removes them.
    """

    @staticmethod
    @contextmanager
    def open(root: Path) -> Iterator[Path]:
        parent = root / "staging"
        parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(parent)
        folder = parent / uuid.uuid4().hex
        lock_file = folder.with_suffix(".lock")
        with lock_file.open("a") as stream:
            flock(stream, LOCK_EX)
            folder.mkdir()
            try:
                yield folder
            finally:
                _remove(folder)
                lock_file.unlink(missing_ok=True)

    @staticmethod
    def sweep(root: Path) -> None:
        """Remove what a crash left."""
        if (root / "staging").exists():
            _remove_stale(root / "staging")


def _remove_stale(parent: Path) -> None:
    for lock_file in parent.glob("*.lock"):
        with lock_file.open("a") as stream:
            try:
                flock(stream, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                continue
            _remove(lock_file.with_suffix(""))
            lock_file.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    if folder.exists():
        folder.rmdir()


def flush(path: Path) -> None:
    """Put what was written to a file, or the names in a folder, on the disk: a power cut must not undo a commit."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
