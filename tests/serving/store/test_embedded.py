"""What only the embedded store can get wrong."""

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.contracts.errors import StoreUnavailableError
from serving.store import Arrival, Consent, EmbeddedStore


def test_it_syncs_every_commit_and_lets_readers_be(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.sqlite")
    with store._connections.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_threads_that_ended_leave_no_file_open(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.sqlite")
    for _ in range(30):
        thread = threading.Thread(target=store.queue_length)
        thread.start()
        thread.join()
    held = [file.readlink() for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    assert held.count(tmp_path / "store.sqlite") <= 3
    assert store.queue_length() == 0
    store.close()


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnavailableError, match="version 99"):
        EmbeddedStore(file)


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript("""
        CREATE TABLE inbox (position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE,
            anonymous_id TEXT, received_at INTEGER NOT NULL, payload BLOB);
        CREATE TABLE merges (anonymous_id TEXT PRIMARY KEY, user_id TEXT NOT NULL) WITHOUT ROWID;
        INSERT INTO merges VALUES ('device', 'anna');
        INSERT INTO inbox VALUES (1, 'e1', NULL, 100, NULL);
        PRAGMA user_version = 1;
    """)
    rows = [
        (2, "e2", None, 200, b'{"event_id": "e2", "event_type": "view", "user_id": "anna"}'),
        (3, "e3", "device", 300, b'{"event_id": "e3", "event_type": "order", "anonymous_id": "device"}'),
    ]
    connection.executemany("INSERT INTO inbox VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    store = EmbeddedStore(file)
    at = [datetime.fromtimestamp(seconds, UTC) for seconds in (200, 300)]
    assert store.arrivals_after(0, 10) == [Arrival(2, "anna", "view", at[0]), Arrival(3, "anna", "order", at[1])]
    assert [queued.position for queued in store.queued_of(["anna"], 9)] == [2, 3]
    store.close()
    EmbeddedStore(file).close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    file.write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreUnavailableError, match=r"store\.sqlite"):
        EmbeddedStore(file)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "online").write_text("a file where a folder should be")
    with pytest.raises(StoreUnavailableError, match="online"):
        EmbeddedStore(tmp_path / "online" / "store.sqlite")


def test_no_byte_of_an_erased_user_is_left_in_its_files(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.sqlite")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    row = {"event_type": "view", "item_id": "i1", "occurred_at": at}
    names = ["needle", "needle", "other"]
    store.add_events([{**row, "event_id": f"{user}-{n}", "user_id": user} for n, user in enumerate(names)])
    store.mark_drained([1])
    store.merge("device-of-needle", "needle")
    store.set_consent("needle", Consent(True, True))
    store.put_users({"needle": {"city": "x"}})
    store.erase(["needle"])
    store.close()
    assert not [file.name for file in tmp_path.iterdir() if b"needle" in file.read_bytes()]
