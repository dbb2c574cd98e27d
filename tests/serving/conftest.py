"""A small mall with a trained, deployed recommender: made once, copied where a test changes things."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from features.contracts.home import Home
from features.engine import TagStore
from features.lake import Lake
from features.tags import catalogue, spec_hash
from serving.api import Settings, create_app
from serving.engine.forecast import Models
from serving.marketing import SnapshotInfo, write_snapshot
from serving.store import Scope, create_key, open_store
from tests.serving import small_churn, small_mall
from tests.serving.servers import in_thread
from training.bundle import Manifest, read_bundle
from training.dataset import interactions_from_events
from training.deployment import deploy, live
from training.evaluation.splits import TemporalSplit
from training.models.churn import ChurnModel
from training.models.recommend_bundle import write_recommend_bundle
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommender import fit_recommender

WriteBundle = Callable[[Path, str], Path]


@pytest.fixture(scope="session")
def write_bundle() -> WriteBundle:
    """Writes the small mall's trained recommender as a bundle of any version."""
    items = small_mall.items()
    data = interactions_from_events(small_mall.events(), items)
    split = TemporalSplit(cutoff=int(small_mall.MIDNIGHT.timestamp()), horizon=7 * 86_400)
    with threadpool_limits(1):
        fitted = fit_recommender(data, split, RecommendConfig(folds=3), budget_minutes=1)

    def write(folder: Path, version: str) -> Path:
        manifest = Manifest("recommend", version, small_mall.MIDNIGHT.isoformat(), "test")
        write_recommend_bundle(
            folder / version,
            manifest,
            fitted.recommender,
            data,
            items,
            settings=fitted.settings,
            choices={},
            exclude_seen=False,
        )
        return folder / version

    return write


@pytest.fixture(scope="session")
def deployed(write_bundle: WriteBundle, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with live models, tags and a risk snapshot; not to be changed."""
    root = tmp_path_factory.mktemp("deployed")
    home = home_at(root)
    deploy(home, write_bundle(root, "r1"))
    tags = small_churn.tags()
    deploy(home, small_churn.write(root, "c1", tags))
    TagStore(home).write(tags, small_mall.MIDNIGHT, spec_hash(catalogue()))
    score(home, tags)
    return home


def score(home: Home, tags: pa.Table) -> SnapshotInfo:
    """Write a risk snapshot as ``mallard score`` does."""
    path = live(home, "churn")
    assert path is not None
    bundle = read_bundle(path)
    return write_snapshot(
        home,
        Models(ChurnModel.from_bundle(bundle), bundle.manifest.version),
        tags,
        Lake(home).read_users(),
        as_of=small_mall.MIDNIGHT,
        consents={"u05": False, "u06": True},
    )


@pytest.fixture
def home(deployed: Home, tmp_path: Path) -> Home:
    """A copy of the deployed home, to do with as a test likes."""
    copy = home_at(tmp_path)
    shutil.copytree(deployed.root, copy.root)
    return copy


def home_at(root: Path) -> Home:
    return Home(root / "var", root / "configs", root / "mlruns")


def key_for(home: Home, *scopes: str) -> dict[str, str]:
    """The header of a new key with ``scopes``, all by default."""
    store = open_store(home)
    key = create_key(store, "test", scopes or [scope.value for scope in Scope], now=int(time.time()))
    store.close()
    return {"X-API-Key": key.text}


@dataclass(frozen=True)
class Mall:
    """A running server, its home and a client whose key opens everything."""

    home: Home
    client: httpx.Client

    def as_key(self, *scopes: str) -> dict[str, str]:
        return key_for(self.home, *scopes)


@pytest.fixture
def mall(home: Home) -> Iterator[Mall]:
    """A server of its own for one test."""
    with serve(home) as running:
        yield running


@pytest.fixture(scope="session")
def shared_mall(deployed: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mall]:
    """One server for all tests that only ask, or whose traces nobody else meets."""
    root = tmp_path_factory.mktemp("shared")
    copy = home_at(root)
    shutil.copytree(deployed.root, copy.root)
    with serve(copy) as running:
        yield running


@contextmanager
def serve(home: Home) -> Iterator[Mall]:
    """Serve ``home`` from a thread for as long as the block lasts."""
    with (
        in_thread(create_app(Settings.of(home))) as address,
        httpx.Client(base_url=address, headers=key_for(home), timeout=20) as client,
    ):
        yield Mall(home, client)


def at(days_ago: float) -> str:
    """A moment before this midnight as ISO 8601."""
    return (small_mall.MIDNIGHT - timedelta(days=days_ago)).isoformat()
