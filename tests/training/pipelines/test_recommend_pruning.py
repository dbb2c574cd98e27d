"""Sources that bring nothing are left out."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.models.logs import random_log
from training.evaluation.splits import TemporalSplit
from training.interactions import SECONDS_PER_DAY
from training.models.blend import Blend
from training.models.ranker import RankerConfig
from training.models.source import sources
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_explore import Watch, assemble, explore
from training.pipelines.recommend_folds import Explored
from training.pipelines.recommend_pruning import weigh_sources

RANKER = RankerConfig(rounds=20, min_leaf=5)
NAMES = ("repeat", "covisit", "trending")


@pytest.fixture(scope="module")
def fold():
    log = random_log(users=120, events=30)
    end = int(log.time.max()) + 1
    return TemporalSplit(repeats=True, cutoff=end - 28 * SECONDS_PER_DAY).outer(log)


@pytest.fixture(scope="module")
def explored(fold):
    configs = {name: sources()[name].Config() for name in NAMES}
    recommender = assemble(fold.train, configs, RecommendConfig(), Blend((0.0,) * len(NAMES)))
    return Explored.of(recommender, fold, exclude_seen=False)


def with_source(explored, name, score, rank):
    """The fold as if another source had been asked as well."""
    pool = explored.pool
    score, rank = (np.column_stack([table, column]) for table, column in ((pool.score, score), (pool.rank, rank)))
    return replace(explored, pool=replace(pool, score=score, rank=rank), names=(*explored.names, name))


def test_a_source_that_finds_nothing_is_left_out(explored):
    silent = np.full(len(explored.pool.row), np.nan, dtype=np.float32)
    more = with_source(explored, "silent", silent, silent)
    kept, worth = weigh_sources(more, more.examples(10**6, 0), RANKER)
    assert "silent" not in kept
    assert worth["silent"].found_alone == worth["silent"].gain == 0


def test_a_source_that_alone_finds_what_comes_true_stays(explored):
    place = explored.names.index("repeat")
    only_there = explored.pool.rank.copy()
    only_there[~np.isnan(only_there[:, place])] = np.nan
    only_there[:, place] = explored.pool.rank[:, place]
    apart = replace(explored, pool=replace(explored.pool, rank=only_there))
    _, worth = weigh_sources(apart, apart.examples(10**6, 0), RANKER)
    assert worth["repeat"].found_alone > 0.5
    assert worth["repeat"].enough


def test_a_fold_of_fewer_sources_holds_what_they_found(explored):
    part = explored.only(["repeat"])
    assert part.names == ("repeat",)
    assert len(part.hit) == len(part.pool.row) < len(explored.pool.row)
    assert not np.isnan(part.pool.rank).all(axis=1).any()
    columns = [explored.names.index(name) for name in part.names]
    found = ~np.isnan(explored.pool.rank[:, columns]).all(axis=1)
    np.testing.assert_array_equal(part.pool.item, explored.pool.item[found])
    np.testing.assert_array_equal(part.hit, explored.hit[found])


def test_the_fold_that_decides_has_no_say(fold):
    folds = TemporalSplit(repeats=True, cutoff=int(fold.as_of[0])).inner(fold.train, 3)
    configs = {name: sources()[name].Config() for name in NAMES}
    config = RecommendConfig(ranker=RANKER)
    seen = explore(folds, configs, config, exclude=False, watch=Watch(20))
    others = explore([folds[1], folds[1], folds[2]], configs, config, exclude=False, watch=Watch(20))
    assert seen.worth == others.worth
    assert explore(folds[:1], configs, config, exclude=False, watch=Watch(20)).worth == {}
