"""Every implementation of the online store. Another one is added here and passes the same suite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from benchmarks.redis_server import RedisServer
from serving.store import Bounds, EmbeddedStore, OnlineStore
from serving.store.redis_store import RedisStore

Opener = Callable[[], OnlineStore]

_BOUNDS = Bounds(recent=5, answers=3)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for the session; whoever uses it finds it empty."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


def _embedded(request: pytest.FixtureRequest, folder: Path) -> Opener:
    return lambda: EmbeddedStore(folder / "store.sqlite", _BOUNDS)


def _redis(request: pytest.FixtureRequest, folder: Path) -> Opener:
    server: RedisServer = request.getfixturevalue("redis_server")
    redis.Redis(port=server.port).flushall()
    return lambda: RedisStore(server.url, _BOUNDS)


IMPLEMENTATIONS = {"embedded": _embedded, "redis": _redis}


@pytest.fixture(params=IMPLEMENTATIONS)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same store again and again, as workers do."""
    opened: list[OnlineStore] = []
    make = IMPLEMENTATIONS[request.param](request, tmp_path)

    def open_again() -> OnlineStore:
        opened.append(make())
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> OnlineStore:
    return opener()
