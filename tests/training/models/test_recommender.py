from dataclasses import replace

import numpy as np
import pytest

from features.contracts.errors import BundleError
from tests.training.models.logs import PURCHASE, everybody, history, make_log, random_log
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.blend import Blend
from training.models.item_statistics import ItemStatistics
from training.models.pool import pool
from training.models.ranker import Examples, Ranker, RankerConfig
from training.models.recommender import Recommender
from training.models.source import Candidates, sources

CLOCKS = [Clock.TIMED, Clock.ORDERED, Clock.NONE]


def assemble(log, ranker=None):
    fitted = {name: cls.fit(log, cls.Config()) for name, cls in sources().items()}
    limits = dict.fromkeys(fitted, 10)
    return Recommender(fitted, limits, ItemStatistics.fit(log), Blend((1.0,) * len(fitted)), ranker)


def trained(log):
    """A recommender whose ranker learnt from made-up answers: enough to have one that uses many features."""
    plain = assemble(log)
    asked = everybody(log)
    found = plain.retrieve(asked, exclude_seen=False)
    names, features = plain.featurise(asked, found)
    hit = (found.item % 4 == found.row % 4).astype(np.float32)
    ranker = Ranker.fit(Examples(names, features, hit, np.diff(found.indptr)), RankerConfig(threads=1), rounds=(20, 20))
    return replace(plain, ranker=ranker)


@pytest.fixture(scope="module", params=CLOCKS)
def log(request):
    return random_log(clock=request.param)


@pytest.fixture(scope="module")
def recommender(log):
    return trained(log)


@pytest.mark.parametrize("exclude", [False, True])
def test_a_user_alone_gets_what_the_batch_gives(recommender, log, exclude):
    asked = everybody(log)
    whole = recommender.retrieve(asked, exclude_seen=exclude)
    names, features = recommender.featurise(asked, whole)
    batch = recommender.recommend(asked, 8, exclude_seen=exclude)
    for row in range(len(asked)):
        alone = asked.slice(row, row + 1)
        mine = whole.row == row
        candidates = recommender.retrieve(alone, exclude_seen=exclude)
        assert np.array_equal(whole.item[mine], candidates.item)
        assert recommender.featurise(alone, candidates)[0] == names
        np.testing.assert_array_equal(features[mine], recommender.featurise(alone, candidates)[1])
        ranked = recommender.recommend(alone, 8, exclude_seen=exclude)
        at = batch.row == row
        for part in ("item", "score", "source"):
            assert np.array_equal(getattr(batch, part)[at], getattr(ranked, part)), part


def test_nothing_is_looked_up_by_user(recommender, log):
    asked = everybody(log)
    strangers = replace(asked, user=np.full_like(asked.user, -1))
    a, b = (recommender.recommend(h, 8, exclude_seen=False) for h in (asked, strangers))
    assert np.array_equal(a.item, b.item)
    assert np.array_equal(a.score, b.score)


def test_lists_are_sorted_distinct_and_short_enough(recommender, log):
    ranked = recommender.recommend(everybody(log), 8, exclude_seen=True)
    table = ranked.lists(len(log.users), 8)
    for row, places in enumerate(table):
        items = places[places >= 0]
        assert len(set(items.tolist())) == len(items) > 0
        assert not set(items.tolist()) & set(log.item[log.user == row].tolist())
        assert (np.diff(ranked.score[ranked.row == row]) <= 0).all()


def test_without_a_clock_no_feature_speaks_of_time():
    log = random_log(clock=Clock.NONE)
    recommender = assemble(log)
    asked = everybody(log)
    names, _ = recommender.featurise(asked, recommender.retrieve(asked, exclude_seen=False))
    assert not [name for name in names if any(word in name for word in ("age", "gap", "due", "last", "decayed"))]


def test_a_new_user_without_a_past_gets_a_list(recommender, log):
    assert len(recommender.recommend(history([], clock=log.clock), 5, exclude_seen=True).item) == 5
    assert not len(recommender.recommend(history([], clock=log.clock).slice(0, 0), 5, exclude_seen=True).item)


def test_one_more_event_changes_the_list_at_once():
    recommender = assemble(random_log())
    before = recommender.recommend(history([(0, 100, PURCHASE)], as_of_day=101), 8, exclude_seen=True)
    after = recommender.recommend(
        history([(0, 100, PURCHASE), (1, 100, PURCHASE)], as_of_day=101), 8, exclude_seen=True
    )
    assert before.item.tolist() != after.item.tolist()


def test_events_after_the_question_change_no_feature():
    log = random_log()
    cutoff = int(log.time.min()) + 80 * SECONDS_PER_DAY
    after = log.time >= cutoff
    changed = replace(log, item=np.where(after, 0, log.item).astype(np.int32))
    results = []
    for data in (log, changed):
        recommender = assemble(data.where(data.time < cutoff))
        asked = data.histories(np.arange(len(data.users), dtype=np.int32), cutoff)
        candidates = recommender.retrieve(asked, exclude_seen=False)
        results.append((candidates.item, recommender.featurise(asked, candidates)[1]))
    assert np.array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_features_say_what_happened():
    log = make_log(
        [(0, 0, 0, PURCHASE), (0, 0, 10, PURCHASE), (0, 1, 10, PURCHASE), (1, 2, 12, PURCHASE)], departments=[0, 0, 1]
    )
    recommender = assemble(log)
    asked = log.histories(np.array([0], dtype=np.int32), int(log.time.min()) + 15 * SECONDS_PER_DAY)
    candidates = recommender.retrieve(asked, exclude_seen=False)
    names, features = recommender.featurise(asked, candidates)
    value = {name: features[:, k] for k, name in enumerate(names)}
    item = {i: int(np.flatnonzero(candidates.item == i)[0]) for i in (0, 1, 2)}
    assert value["pair_times"][[item[0], item[1], item[2]]].tolist() == [2, 1, 0]
    assert value["pair_age"][item[0]] == 5
    assert np.isnan(value["pair_age"][item[2]])
    assert value["pair_gap"][item[0]] == 10
    assert value["pair_due"][item[0]] == pytest.approx(0.5)
    assert value["pair_last_7"][item[0]] == 1
    assert value["department_events"][[item[1], item[2]]].tolist() == [3, 0]
    assert value["user_basket"][0] == pytest.approx(1.5)
    assert value["user_repeat_ratio"][0] == pytest.approx(1 / 3)


def test_evidence_tells_of_repeats_and_of_the_item_that_speaks():
    rows = [(u, i, d, PURCHASE) for u in range(30) for d, i in enumerate((0, 1))]
    log = make_log([*rows, (40, 0, 0, PURCHASE), (40, 0, 10, PURCHASE), (40, 0, 20, PURCHASE)])
    recommender = assemble(log)
    asked = log.histories(np.array([40], dtype=np.int32), int(log.time.min()) + 25 * SECONDS_PER_DAY)
    row, item = np.array([0, 0], dtype=np.int32), np.array([0, 1], dtype=np.int32)
    places = [recommender.source_names.index(name) for name in ("repeat", "covisit")]
    own, other = recommender.evidence(asked, row, item, np.array(places, dtype=np.int32))
    assert (own.source, own.times, own.every, own.ago) == ("repeat", 3, 10.0, 5.0)
    assert (other.source, other.because, other.times) == ("covisit", 0, 0)


def test_similar_and_complementary_items_come_from_their_sources():
    rows = [(u, i, d, PURCHASE) for u in range(30) for d, i in enumerate((0, 1))]
    recommender = assemble(make_log([*rows, (40, 2, 0, PURCHASE)]))
    assert recommender.similar(0, 3).item.tolist() == [1]
    assert recommender.similar(0, 3, "complementary").item.tolist() == [1]
    assert not len(recommender.similar(2, 3).item)


def test_the_pool_unites_what_sources_found():
    def found(*pairs):
        row, item, score = zip(*pairs, strict=True)
        return Candidates(np.array(row, np.int32), np.array(item, np.int32), np.array(score, np.float32))

    both = pool([found((0, 5, 9.0), (0, 3, 5.0), (1, 3, 2.0)), found((0, 3, 0.7), (0, 4, 0.1))], rows=2, items=10)
    assert both.row.tolist() == [0, 0, 0, 1]
    assert both.item.tolist() == [3, 4, 5, 3]
    np.testing.assert_allclose(both.normalised(), [[0.1, 1.0], [0.0, 0.1], [1.0, 0.0], [1.0, 0.0]], rtol=1e-6)
    assert both.best_source().tolist() == [1, 1, 0, 0]


def test_one_source_alone_keeps_its_order_and_the_rest_follows():
    log = random_log()
    recommender = assemble(log)
    asked = everybody(log)
    place = recommender.source_names.index("repeat")
    alone = replace(recommender, blend=Blend.only(place, len(recommender.source_names)))
    lists = alone.recommend(asked, 5, exclude_seen=False).lists(len(asked), 5)
    own = recommender.sources["repeat"].retrieve(asked, 5, exclude_seen=False)
    for row in range(len(asked)):
        mine = own.item[own.row == row]
        assert lists[row, : len(mine)].tolist() == mine.tolist()


def test_a_ranker_refuses_features_it_was_not_trained_on():
    ranker = trained(random_log()).ranker
    names = (*ranker.names[:-1], "something_new")
    with pytest.raises(BundleError, match="something_new"):
        ranker.predict(names, np.zeros((1, len(names)), dtype=np.float32))


def test_a_ranker_survives_its_text():
    ranker = trained(random_log()).ranker
    features = np.random.default_rng(0).random((50, len(ranker.names))).astype(np.float32)
    back = Ranker.from_text(ranker.to_text())
    np.testing.assert_allclose(back.predict(ranker.names, features), ranker.predict(ranker.names, features))
    with pytest.raises(BundleError, match="cannot be read"):
        Ranker.from_text("no model")
