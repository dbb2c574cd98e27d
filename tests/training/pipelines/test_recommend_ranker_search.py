"""Settings of the ranker are tried on older folds, and the usual ones stay unless others certainly lead."""

import numpy as np
import pytest
from pydantic import ValidationError

from tests.training.models.logs import START, random_log
from training.evaluation.splits import TemporalSplit
from training.interactions import SECONDS_PER_DAY
from training.models.blend import Blend
from training.models.ranker import Examples, RankerConfig
from training.pipelines.recommend_config import RecommendConfig, source_config
from training.pipelines.recommend_explore import assemble
from training.pipelines.recommend_folds import Explored
from training.pipelines.recommend_ranker_search import judge_examples, search_ranker
from training.pipelines.tuning import Studies

NAMES = ("repeat", "covisit", "trending")
DAY = SECONDS_PER_DAY


@pytest.fixture(scope="module")
def folds():
    log = random_log(users=160, items=60, events=40)
    split = TemporalSplit(cutoff=START + 121 * DAY, horizon=20 * DAY)
    found = []
    for fold in split.inner(log, 3)[1:]:
        recommender = assemble(
            fold.train, {name: source_config(name, {}) for name in NAMES}, RecommendConfig(), Blend((1.0,) * 3)
        )
        found.append(Explored.of(recommender, fold, exclude_seen=False))
    return found


def settings(**values):
    return RecommendConfig(
        ranker=RankerConfig(min_leaf=5, **values), ranker_search={"learning_rate": [0.08, 0.2], "rounds": [1, 40]}
    )


def test_a_ranker_that_hardly_learns_is_replaced(folds):
    config = settings(rounds=1, leaves=2, feature_fraction=0.01)
    search = {"rounds": [60], "leaves": [15], "feature_fraction": [0.6]}
    chosen, tried = search_ranker(folds, config.model_copy(update={"ranker_search": search}), seconds=60)
    assert chosen.rounds == 60 or chosen.feature_fraction == 0.6
    assert tried["default"] < max(tried.values())
    assert chosen.min_leaf == 5, "what is not searched stays"


def test_settings_that_lead_by_chance_alone_are_not_taken(folds):
    config = settings(rounds=40).model_copy(update={"ranker_search": {"seed": [1, 2, 3, 4]}})
    chosen, tried = search_ranker(folds, config, seconds=60)
    assert len(tried) == 5
    assert chosen == config.ranker


def test_a_second_run_goes_on_where_the_first_one_stopped(folds, tmp_path):
    heard = []
    for _ in range(2):
        studies = Studies(tmp_path / "trials.db", version="v", on_trial=heard.append)
        search_ranker(folds, settings(rounds=40), seconds=60, studies=studies)
    assert len(heard) == len({str(tried.settings) for tried in heard}) == 4
    assert {tried.study for tried in heard} == {"ranker"}


def test_without_time_or_a_second_fold_nothing_is_tried(folds):
    assert search_ranker(folds, settings(), seconds=0) == (settings().ranker, {})
    assert search_ranker(folds[:1], settings(), seconds=60) == (settings().ranker, {})


def test_lists_are_judged_by_their_hits():
    examples = Examples(("x",), np.zeros((5, 1), np.float32), np.array([0, 1, 0, 1, 1], np.float32), np.array([3, 2]))
    assert judge_examples(examples, np.array([3.0, 2.0, 1.0, 0.1, 0.2])) == pytest.approx([1 / np.log2(3), 1.0])


@pytest.mark.parametrize("search", [{"leafs": [3]}, {"leaves": [0]}])
def test_settings_that_the_ranker_does_not_have_are_refused(search):
    with pytest.raises(ValidationError, match="ranker_search"):
        RecommendConfig(ranker_search=search)
