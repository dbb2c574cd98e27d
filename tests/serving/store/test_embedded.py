"""What only the embedded store can get wrong."""

import sqlite3
from pathlib import Path

import pytest

from features.contracts.errors import StoreUnavailableError
from serving.store import EmbeddedStore


def test_it_syncs_every_commit_and_lets_readers_be(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.sqlite")
    with store._connections.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnavailableError, match="version 99"):
        EmbeddedStore(file)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    file.write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreUnavailableError, match=r"store\.sqlite"):
        EmbeddedStore(file)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "online").write_text("a file where a folder should be")
    with pytest.raises(StoreUnavailableError, match="online"):
        EmbeddedStore(tmp_path / "online" / "store.sqlite")
