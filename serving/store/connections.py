"""SQLite connections: one per thread, each set up for durable writes beside many readers."""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.contracts.errors import StoreFullError, StoreUnavailableError
from serving.store.schema import MIGRATIONS, TABLES, VERSION

_BUSY_MILLISECONDS = 5_000


class Connections:
    """The connections of one process to one database file, which is created when it is missing."""

    def __init__(self, file: Path, max_bytes: int | None = None) -> None:
        """The file grows to ``max_bytes`` at most, its log of up to a few megabytes beside it not counted."""
        self._file, self._max_bytes = file, max_bytes
        self._local = threading.local()
        self._opened: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Two workers that start on a new home must not both turn the journal to WAL and create the tables.
            with file.with_suffix(".lock").open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                self._prepare()
        except OSError as error:
            raise StoreUnavailableError(f"{file}: the online store cannot be created: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for single statements; database errors become :class:`StoreUnavailableError`."""
        try:
            yield self._mine()
        except sqlite3.Error as error:
            if _is_full(error):
                raise StoreFullError(f"{self._file}: the online store has no room left: {error}") from error
            raise StoreUnavailableError(f"{self._file}: the online store does not answer: {error}") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: whole and on disk when the block ends, undone when it raises."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock:
            for connection in self._opened.values():
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    def _mine(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Closing happens from other threads, hence check_same_thread=False.
            connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # an answered event survives a power cut
            connection.execute("PRAGMA secure_delete = ON")  # an erased user is not to be read from free pages
            if self._max_bytes is not None:
                (page_size,) = connection.execute("PRAGMA page_size").fetchone()
                connection.execute(f"PRAGMA max_page_count = {self._max_bytes // page_size}")
            with self._lock:
                self._close_of_ended_threads()
                self._opened[threading.current_thread()] = connection
            self._local.connection = connection
        return connection

    def _close_of_ended_threads(self) -> None:
        """A server's threads come and go with the load; what they opened must not stay. Call under the lock."""
        for thread in [thread for thread in self._opened if not thread.is_alive()]:
            self._opened.pop(thread).close()

    def _prepare(self) -> None:
        with self.reading() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
                return
            while version in MIGRATIONS:
                connection.executescript(f"BEGIN; {MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT;")
                version += 1
            if version != VERSION:
                raise StoreUnavailableError(
                    f"{self._file}: the online store has version {version}, this version of Mallard reads {VERSION}"
                )


#: SQLite tells a full disk from others (ENOSPC). A quota and a limit of the process show as a write that fails, a
#: disk that is full to the last block as an index of the log that cannot grow.
_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})


def _is_full(error: sqlite3.Error) -> bool:
    """Whether there is no room."""
    return getattr(error, "sqlite_errorcode", None) in _NO_ROOM
