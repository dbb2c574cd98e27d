"""The filled mall: made once, copied for every test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.contracts.home import Home
from serving.store import OnlineStore, open_store
from tests.serving.conftest import home_at
from tests.serving.erasure import malls


@pytest.fixture(scope="session")
def filled(deployed: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = home_at(tmp_path_factory.mktemp("filled"))
    shutil.copytree(deployed.root, home.root)
    store = open_store(home)
    malls.fill(home, store)
    store.close()
    return home


@pytest.fixture
def home(filled: Home, tmp_path: Path) -> Home:
    """A copy of the filled mall, to do with as a test likes."""
    copy = home_at(tmp_path)
    shutil.copytree(filled.root, copy.root)
    return copy


@pytest.fixture
def store(home: Home) -> Iterator[OnlineStore]:
    opened = open_store(home)
    yield opened
    opened.close()
