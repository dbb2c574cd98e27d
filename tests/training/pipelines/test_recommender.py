from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError, NotEnoughDataError
from tests.training.models.logs import PURCHASE, START, make_log, random_log
from training.evaluation.splits import GivenSplit, LeaveOneOut, TemporalSplit
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.ranker import RankerConfig
from training.models.source import sources
from training.pipelines.recommend_config import RecommendConfig, SourceSettings
from training.pipelines.recommend_folds import Explored, judge_lists, sample_users
from training.pipelines.recommender import fit_recommender

QUICK = RecommendConfig(
    sources={
        "als": SourceSettings(config={"factors": 8, "iterations": 3, "threads": 1}, candidates=15),
        "item_knn": SourceSettings(config={"threads": 1}, candidates=15),
        "repeat": SourceSettings(candidates=15, search={"half_life": [10, 300]}),
        "covisit": SourceSettings(candidates=15, search={"recency": [0.9]}),
        "trending": SourceSettings(candidates=15),
    },
    ranker=RankerConfig(rounds=30, min_leaf=20, threads=1),
    folds=3,
)
DAY = SECONDS_PER_DAY


def temporal(repeats=True, cutoff=100):
    return TemporalSplit(repeats=repeats, cutoff=START + cutoff * DAY, horizon=14 * DAY)


@pytest.fixture(scope="module")
def judged():
    """A fit by the temporal protocol with what it was fitted on."""
    split = temporal()
    fold = split.outer(random_log(users=150, events=30))
    return fold, split, fit_recommender(fold.train, split, QUICK)


def test_it_beats_chance_and_its_weakest_source(judged):
    fold, _, fitted = judged
    asked = fold.histories()
    lists = fitted.recommender.recommend(asked, 10, exclude_seen=False).lists(len(asked), 10)
    weakest = min(row["ndcg@10"] for row in fitted.validation)
    assert judge_lists(lists, fold.truth).mean() > max(weakest, 0.3)


def test_what_was_chosen_and_why_is_on_record(judged):
    _, _, fitted = judged
    names = {row["model"] for row in fitted.validation}
    kept = {name for name, worth in fitted.choices["sources"].items() if worth["kept"]}
    assert names == {*kept, "blend", "ranker"}
    assert fitted.choices["ranks"] in names
    assert fitted.choices["folds"] == 3
    assert set(fitted.choices["sources"]) == set(sources())
    assert set(fitted.choices["blend"]) == kept == set(fitted.recommender.sources)
    assert set(fitted.choices["recall"]) == {*kept, "union"}
    assert set(fitted.choices["searched"]["repeat"]) == {"default", "half_life=10", "half_life=300"}
    assert set(fitted.settings) == set(sources())
    assert all(seconds >= 0 for seconds in fitted.seconds.values())
    assert (fitted.recommender.ranker is None) == (fitted.choices["ranks"] != "ranker")


def test_the_ranker_ranks_only_when_it_led_on_validation(judged):
    _, _, fitted = judged
    mark = {row["model"]: row["ndcg@10"] for row in fitted.validation}
    if fitted.choices["ranks"] == "ranker":
        assert mark["ranker"] >= max(mark.values())
    else:
        assert mark[fitted.choices["ranks"]] == max(score for name, score in mark.items() if name != "ranker")


def test_fitting_again_gives_the_same_lists(judged):
    fold, split, fitted = judged
    again = fit_recommender(fold.train, split, QUICK)
    asked = fold.histories()
    a, b = (f.recommender.recommend(asked, 10, exclude_seen=False) for f in (fitted, again))
    assert np.array_equal(a.item, b.item)
    assert fitted.choices == again.choices


def test_events_after_the_cutoff_change_nothing(judged):
    """The whole way: a log whose future is another one gives the same choices and the same lists."""
    fold, split, fitted = judged
    log = random_log(users=150, events=30)
    after = log.time >= split.cutoff
    changed = replace(log, item=np.where(after, 0, log.item).astype(np.int32))
    other = fit_recommender(changed.where(changed.time < split.cutoff), split, QUICK)
    assert other.choices == fitted.choices
    asked = changed.histories(fold.users, split.cutoff)
    a = fitted.recommender.recommend(fold.histories(), 10, exclude_seen=False)
    b = other.recommender.recommend(asked, 10, exclude_seen=False)
    assert np.array_equal(a.item, b.item)
    assert np.array_equal(a.score, b.score)


@pytest.mark.parametrize(
    ("split", "clock"),
    [
        (temporal(repeats=False), Clock.TIMED),
        (LeaveOneOut(), Clock.TIMED),
        (LeaveOneOut(), Clock.ORDERED),
        (GivenSplit(users=["u00001", "u00002"], items=["i00001", "i00002"]), Clock.TIMED),
        (GivenSplit(users=["u00001", "u00002"], items=["i00001", "i00002"]), Clock.NONE),
    ],
)
def test_every_protocol_goes_through(split, clock):
    fold = split.outer(random_log(users=80, clock=clock))
    fitted = fit_recommender(fold.train, split, QUICK)
    asked = fold.histories()
    lists = fitted.recommender.recommend(asked, 10, exclude_seen=True).lists(len(asked), 10)
    for row in range(len(asked)):
        had = set(asked.item[asked.indptr[row] : asked.indptr[row + 1]].tolist())
        assert not had & set(lists[row].tolist())


def test_a_log_too_small_to_choose_on_gets_an_even_blend():
    log = make_log([(0, 0, 0, PURCHASE), (0, 1, 1, PURCHASE), (1, 1, 1, PURCHASE)])
    fitted = fit_recommender(log, temporal(cutoff=2), QUICK)
    assert fitted.choices["ranks"] == "blend"
    assert "too little data" in fitted.choices["why"]
    assert fitted.recommender.ranker is None


def test_nothing_at_all_is_an_error():
    log = random_log()
    with pytest.raises(NotEnoughDataError, match="no user-item events"):
        fit_recommender(log.where(np.zeros(len(log), dtype=np.bool_)), temporal(), QUICK)


def test_no_time_still_gives_a_recommender(judged):
    fold, split, _ = judged
    fitted = fit_recommender(fold.train, split, QUICK, budget_minutes=0)
    assert len(fitted.recommender.recommend(fold.histories(), 5, exclude_seen=False).item)


def test_examples_are_users_with_hits_and_are_thinned_evenly(judged):
    fold, _, fitted = judged
    explored = Explored.of(fitted.recommender, fold, exclude_seen=False)
    everything = explored.examples(10**9, 0)
    thin = explored.examples(len(everything.hit) // 2, 0)
    few = explored.examples(500, 0, whole=True)
    assert everything.hit.sum() == explored.hit.sum() == thin.hit.sum()
    assert 0.4 * len(everything.hit) < len(thin.hit) < 0.7 * len(everything.hit)
    assert len(few.hit) <= 500
    assert set(few.groups.tolist()) <= set(np.diff(explored.pool.indptr).tolist())
    for examples in (everything, thin, few):
        assert examples.groups.sum() == len(examples.hit) == len(examples.features)
        assert np.add.reduceat(examples.hit, np.concatenate([[0], np.cumsum(examples.groups)[:-1]])).min() >= 1
    # The features of a pair are those of the whole list, thinned or not.
    whole = {row.tobytes() for row in everything.features}
    assert all(row.tobytes() in whole for row in thin.features)


def test_sampling_users_keeps_their_truth(judged):
    fold, _, _ = judged
    sample = sample_users(fold, 20, seed=1)
    assert len(sample.users) == 20
    for place, user in enumerate(sample.users):
        whole = int(np.flatnonzero(fold.users == user)[0])
        a = sample.truth.item[sample.truth.indptr[place] : sample.truth.indptr[place + 1]]
        b = fold.truth.item[fold.truth.indptr[whole] : fold.truth.indptr[whole + 1]]
        assert a.tolist() == b.tolist()


class TestConfig:
    def test_the_shipped_file_is_valid(self):
        config = load_config(RecommendConfig, Path(__file__).parents[3] / "configs" / "recommend.yaml")
        assert set(config.taking_part(Clock.TIMED, repeats=True)) == set(sources())

    def test_a_source_takes_part_where_it_can_find_anything(self):
        without_times = RecommendConfig().taking_part(Clock.ORDERED, repeats=True)
        only_new = RecommendConfig().taking_part(Clock.TIMED, repeats=False)
        assert "arrivals" not in without_times
        assert "covisit" in without_times
        assert "repeat" not in only_new
        assert "arrivals" in only_new

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("sources: {oracle: {}}", "there is no such source"),
            ("sources: {repeat: {config: {half_lives: 3}}}", "half_lives"),
            ("sources: {repeat: {search: {half_life: [-1]}}}", "half_life"),
            ("folds: 0", "folds"),
        ],
    )
    def test_what_is_wrong_is_named(self, text, complaint):
        with pytest.raises(ConfigError, match=complaint):
            parse_config(RecommendConfig, text, "recommend.yaml")

    def test_a_source_can_be_left_out(self):
        config = RecommendConfig(sources={"als": SourceSettings(enabled=False)})
        assert "als" not in config.taking_part(Clock.TIMED, repeats=True)
