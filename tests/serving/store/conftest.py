"""Every implementation of the online store. Another one is added here and passes the same suite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.store import Bounds, EmbeddedStore, OnlineStore

Opener = Callable[[], OnlineStore]


def _embedded(folder: Path) -> OnlineStore:
    return EmbeddedStore(folder / "store.sqlite", Bounds(recent=5, answers=3))


IMPLEMENTATIONS = {"embedded": _embedded}


@pytest.fixture(params=IMPLEMENTATIONS)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same store again and again, as workers do."""
    opened: list[OnlineStore] = []

    def open_again() -> OnlineStore:
        opened.append(IMPLEMENTATIONS[request.param](tmp_path))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> OnlineStore:
    return opener()
