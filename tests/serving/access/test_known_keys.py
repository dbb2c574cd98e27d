"""Keys as a worker knows them: how long after a change, and without the store; and rotation."""

from pathlib import Path

import pytest

from features.contracts.errors import StoreUnavailableError, UnknownNameError
from serving.access.known_keys import KnownKeys
from serving.store import EmbeddedStore, check_key, create_key
from serving.store.keys import rotate_key

NOW = 1_000


def test_a_revoked_key_is_closed_within_the_bound_and_open_keys_outlive_the_store(tmp_path: Path) -> None:
    steady = [0.0]
    store = EmbeddedStore(tmp_path / "store.db")
    key = create_key(store, "mall", ["risk"], now=NOW)
    gone = create_key(store, "gone", ["risk"], now=NOW)
    known = KnownKeys(store, seconds=0.5, outage_seconds=60, clock=lambda: NOW, steady=lambda: steady[0])
    assert not known.is_fresh(key.text)
    for text in (key.text, gone.text):
        found = known.caller(text)
        assert found is not None
        assert found.scopes == ("risk",)
    assert known.is_fresh(key.text)
    assert known.caller(key.text[:-1] + ("A" if key.text[-1] != "A" else "B")) is None
    store.revoke_key(gone.record.id, NOW)
    steady[0] = 0.5
    assert known.caller(gone.text) is None

    steady[0] = 0.0
    store.close()
    (tmp_path / "store.db").write_bytes(b"not a database " * 1000)
    steady[0] = 59.0
    assert known.caller(key.text) is not None
    steady[0] = 60.0
    with pytest.raises(StoreUnavailableError):
        known.caller(key.text)


def test_rotation_keeps_scopes_and_the_old_key_for_the_overlap(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.db")
    old = create_key(store, "mall", ["risk", "recommend"], now=NOW)
    new, ending = rotate_key(store, "mall", now=NOW, overlap_seconds=100)
    assert new.record.scopes == ("recommend", "risk")
    assert [record.id for record in ending] == [old.record.id]
    for moment, opened in ((NOW + 99, True), (NOW + 100, False)):
        assert (check_key(store, old.text, now=moment) is not None) is opened
        assert check_key(store, new.text, now=moment) is not None
    # A key that is on its way out can still be closed at once.
    assert store.revoke_key(old.record.id, NOW + 1)
    assert check_key(store, old.text, now=NOW + 1) is None
    with pytest.raises(UnknownNameError, match="nobody"):
        rotate_key(store, "nobody", now=NOW, overlap_seconds=100)
    store.close()
