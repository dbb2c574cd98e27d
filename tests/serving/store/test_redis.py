"""What Redis adds to the suite of every store: durability, its death, and no room left."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.redis_server import RedisServer
from features.contracts.errors import ConfigError, StoreFullError, StoreUnavailableError
from features.contracts.home import Home
from serving.store import EmbeddedStore, open_store
from serving.store.opening import ADDRESS
from serving.store.redis_store import RedisStore
from tests.serving.store.test_conformance import ANNA, event

#: Longer than the store keeps away from a server that did not answer.
AWAY = 0.4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    yield server
    server.kill()


def test_what_was_acknowledged_survives_a_kill_and_nothing_is_doubled(server: RedisServer) -> None:
    store = RedisStore(server.url)
    acknowledged = []
    for round_ in range(5):
        batch = [event(20 * round_ + n) for n in range(20)]
        assert store.add_events(batch) == [True] * 20
        acknowledged += [row["event_id"] for row in batch]
        server.kill()
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            store.add_events([event(999)])
        server.start()
        time.sleep(AWAY)
    # The same connection pool goes on; what was sent while nobody listened is new.
    assert store.add_events([event(0), event(999)]) == [False, True]
    assert [queued.row["event_id"] for queued in store.queued(1000)] == [*acknowledged, "e999"]
    assert len(store.recent(ANNA)) == 101


def test_a_restart_between_two_calls_is_not_noticed(server: RedisServer) -> None:
    store = RedisStore(server.url)
    store.add_events([event(1)])
    server.kill()
    server.start()
    assert store.add_events([event(1), event(2)]) == [False, True]


def test_nobody_waits_for_a_server_that_hangs_but_the_first(server: RedisServer) -> None:
    store = RedisStore(server.url)
    server.hang()
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        store.queue_length()
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="a moment ago"):
        store.queue_length()
    assert time.monotonic() - began < AWAY / 2, "sent to wait again"
    server.go_on()
    time.sleep(AWAY)
    assert store.queue_length() == 0


def test_a_server_that_may_lose_what_it_acknowledged_is_refused(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", durable=False)
    try:
        with pytest.raises(StoreUnavailableError, match="appendfsync always"):
            RedisStore(server.url)
    finally:
        server.kill()


def test_a_full_server_refuses_events_and_goes_on_reading(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    try:
        store = RedisStore(server.url)
        taken = 0
        while taken < 1000 and _fits(store, [event(100 * taken + n, properties="x" * 500) for n in range(100)]):
            taken += 1
        assert 0 < taken < 1000
        assert store.queue_length() == 100 * taken
        assert store.recent(ANNA)
    finally:
        server.kill()


def test_the_address_decides_which_store_opens(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "var", tmp_path / "configs", tmp_path / "mlruns")
    assert isinstance(open_store(home), EmbeddedStore)
    monkeypatch.setenv(ADDRESS, server.url)
    assert isinstance(open_store(home), RedisStore)
    monkeypatch.setenv(ADDRESS, "localhost:6379")
    with pytest.raises(ConfigError, match="MALLARD_STORE='localhost:6379' is no address"):
        open_store(home)
    monkeypatch.setenv(ADDRESS, "redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailableError):
        open_store(home)


def _fits(store: RedisStore, rows: list[dict[str, Any]]) -> bool:
    try:
        store.add_events(rows)
    except StoreFullError:
        return False
    return True
