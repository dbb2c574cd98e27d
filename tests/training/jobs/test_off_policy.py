"""A policy in a file against the log of a simulated mall whose click chances are known."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.errors import InputError, NotEnoughDataError
from features.contracts.events import EventType
from features.contracts.home import Home
from features.lake import Lake
from features.simulator import Truth, World, simulate
from features.sources import load_source
from training.evaluation.impressions import read_impressions
from training.jobs.off_policy import judge_policy

WORLD = World(users=3_000, items=200, days=7, seed=4, block_users=3_000, ghost_share=0, visit_scale=8)
PLACEMENT = "home_banner"


@pytest.fixture(scope="module")
def mall(tmp_path_factory):
    """The mall's first week in a lake, and its truth."""
    root = tmp_path_factory.mktemp("off_policy")
    folder = simulate(WORLD, root / "mall").folder
    home = Home(root=root / "var", configs=Path("configs"), mlruns=root / "mlruns")
    Lake(home).ingest(load_source(folder / "source.yaml"), now=datetime.now(UTC))
    return home, Truth.open(folder)


@pytest.fixture(scope="module")
def banners(mall):
    """The week's 20 banners, who saw one of them, and (users, 20) the chance that each clicks on each."""
    _, truth = mall
    table = pq.read_table(truth.folder / "events", filters=[(c.PLACEMENT, "=", PLACEMENT)])
    shown = read_impressions(table, PLACEMENT)
    users = [user for user in pc.unique(shown.user).to_pylist() if user in truth.user_map]
    items = [truth.catalogue.ids()[int(row)].as_py() for row in truth.catalogue.featured[0]]
    people, goods = truth.user_map.indices(users), truth.item_map.indices(items)
    affinity = truth.user_factors[people] @ truth.item_factors[goods].T
    chance = truth.world.examination[0] / (1 + np.exp(-(truth.world.click_base + affinity)))
    return users, items, chance


def _judge(home, path, **more):
    options = {"reward": EventType.CLICK, "since": None, "clip": None, **more}
    return judge_policy(home, PLACEMENT, path, **options)


def _write(path, users, items, **columns):
    pq.write_table(pa.table({c.USER_ID: users, c.ITEM_ID: items, **columns}), path)
    return path


def test_showing_each_user_his_best_banner_earns_more_than_was_logged(mall, banners, tmp_path):
    users, items, chance = banners
    best = [items[place] for place in chance.argmax(axis=1)]
    path = _write(tmp_path / "best.parquet", users, best, rank=np.ones(len(users), dtype=np.int32))
    found = _judge(mall[0], path)
    assert found["mean_weight"] == pytest.approx(1, abs=0.2)
    assert found["estimates"]["snips"]["low"] > found["logged"]
    for estimate in found["estimates"].values():
        # Who comes more often counts more often: the mean over impressions lies near that over users.
        assert estimate["low"] - 0.05 < chance.max(axis=1).mean() < estimate["high"] + 0.05


def test_probabilities_of_every_banner_alike(mall, banners, tmp_path):
    users, items, chance = banners
    path = _write(
        tmp_path / "even.parquet",
        np.repeat(users, len(items)),
        items * len(users),
        probability=np.full(len(users) * len(items), 1 / len(items)),
    )
    found = _judge(mall[0], path)
    for estimate in found["estimates"].values():
        assert estimate["low"] - 0.03 < chance.mean() < estimate["high"] + 0.03
    values = [each["value"] for each in found["estimates"].values()]
    assert max(values) - min(values) < 0.03


def test_what_is_no_policy_is_named(mall, banners, tmp_path):
    users, items, _ = banners
    some = users[:2]
    cases = {
        "either the column 'rank' or": _write(tmp_path / "a.parquet", some, items[:2]),
        "row 2: probability 1.5 is not": _write(tmp_path / "b.parquet", some, items[:2], probability=[0.5, 1.5]),
        "row 1: ranks begin with 1": _write(tmp_path / "c.parquet", some, items[:2], rank=[0, 1]),
        "twice for a place": _write(tmp_path / "d.parquet", [some[0]] * 2, [items[0]] * 2, probability=[0.5, 0.5]),
        "no Parquet file": tmp_path / "nothing.parquet",
    }
    for message, path in cases.items():
        with pytest.raises(InputError, match=message):
            _judge(mall[0], path)


def test_too_little_is_refused(mall, banners, tmp_path):
    users, items, _ = banners
    strangers = _write(tmp_path / "strangers.parquet", ["nobody"], items[:1], rank=[1])
    with pytest.raises(NotEnoughDataError, match="none of its users saw anything"):
        _judge(mall[0], strangers)
    few = _write(tmp_path / "few.parquet", users[:5], items[:5], rank=[1] * 5)
    with pytest.raises(NotEnoughDataError, match="rows speak for the target policy"):
        _judge(mall[0], few)
