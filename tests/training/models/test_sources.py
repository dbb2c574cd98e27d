"""Each source on a structure planted in the log: the right items, and in the right direction."""

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares

from tests.training.models.logs import PURCHASE, VIEW, everybody, history, make_log, random_log
from training.interactions import Clock
from training.models.als import Als, AlsConfig
from training.models.covisit import Covisit, CovisitConfig
from training.models.item_knn import ItemKnn, ItemKnnConfig
from training.models.repeat import Repeat, RepeatConfig, repeat_rates
from training.models.taste import keep_heaviest, user_items
from training.models.trending import Trending, TrendingConfig


def chain(users=30):
    """Everybody takes 0, then 1, then 2, each a day apart; 3 and 4 are taken by others, also in that order."""
    rows = [(u, i, d, PURCHASE) for u in range(users) for d, i in enumerate((0, 1, 2))]
    return make_log(rows + [(users + u, i, d, PURCHASE) for u in range(users) for d, i in enumerate((3, 4))])


class TestRepeat:
    def test_a_newer_and_a_more_frequent_item_comes_first(self):
        log = make_log([(0, 0, 0, PURCHASE), (0, 1, 90, PURCHASE), (0, 2, 80, PURCHASE), (0, 2, 85, PURCHASE)])
        found = Repeat.fit(log, RepeatConfig(propensity=0.0)).retrieve(everybody(log), 3, exclude_seen=False)
        assert found.item.tolist() == [2, 1, 0]

    def test_after_one_half_life_an_event_counts_half(self):
        source = Repeat.fit(chain(), RepeatConfig(half_life=10, propensity=0.0))
        found = source.retrieve(history([(0, 90, PURCHASE), (1, 100, PURCHASE)], as_of_day=100), 2, exclude_seen=False)
        assert found.item.tolist() == [1, 0]
        assert found.score[0] == pytest.approx(2 * found.score[1])

    def test_items_that_people_come_back_to_are_preferred(self):
        again = [(u, 0, d, PURCHASE) for u in range(40) for d in (0, 10, 20)]
        log = make_log(again + [(u, 1, 20, PURCHASE) for u in range(40)])
        rates = repeat_rates(log, prior=1.0)
        assert rates[0] > 0.9
        assert rates[1] < 0.1
        found = Repeat.fit(log, RepeatConfig(propensity=1.0)).retrieve(
            history([(0, 50, PURCHASE), (1, 50, PURCHASE)]), 2, exclude_seen=False
        )
        assert found.item.tolist() == [0, 1]

    def test_a_view_weighs_less_than_a_purchase(self):
        found = Repeat.fit(chain(), RepeatConfig()).retrieve(
            history([(0, 10, PURCHASE), (1, 10, VIEW)]), 2, exclude_seen=False
        )
        assert found.item.tolist() == [0, 1]


class TestCovisit:
    def test_it_points_forward(self):
        source = Covisit.fit(chain(), CovisitConfig(backward=0.0, damping=0.0))
        assert source.retrieve(history([(0, 10, PURCHASE)]), 5, exclude_seen=True).item.tolist() == [1, 2]
        assert source.retrieve(history([(1, 10, PURCHASE)]), 5, exclude_seen=True).item.tolist() == [2]
        assert not len(source.retrieve(history([(2, 10, PURCHASE)]), 5, exclude_seen=True).item)

    def test_backward_counts_as_much_as_it_is_told_to(self):
        source = Covisit.fit(chain(), CovisitConfig(backward=0.5, damping=0.0))
        items, weights = source.neighbours.of(1, 5)
        assert items.tolist() == [2, 0]
        assert weights[0] == pytest.approx(2 * weights[1])

    def test_the_newest_step_speaks_loudest(self):
        source = Covisit.fit(chain(), CovisitConfig(backward=0.0))
        asked = history([(3, 1, PURCHASE), (1, 2, PURCHASE)])
        assert source.retrieve(asked, 1, exclude_seen=True).item.tolist() == [2]
        asked = history([(1, 1, PURCHASE), (3, 2, PURCHASE)])
        assert source.retrieve(asked, 1, exclude_seen=True).item.tolist() == [4]

    def test_items_of_one_basket_go_together_both_ways(self):
        log = make_log([(u, i, 0, PURCHASE) for u in range(9) for i in (0, 1)] + [(9, 2, 0, PURCHASE)])
        neighbours = Covisit.fit(log, CovisitConfig()).neighbours
        assert neighbours.of(0, 3)[0].tolist() == [1]
        assert neighbours.of(1, 3)[0].tolist() == [0]

    def test_purchases_tie_items_closer_than_views(self):
        rows = [(u, i, d, PURCHASE) for u in range(9) for d, i in enumerate((0, 1))]
        rows += [(u, i, d, VIEW) for u in range(9, 18) for d, i in enumerate((0, 2))]
        items, _ = Covisit.fit(make_log(rows), CovisitConfig(damping=0.0)).neighbours.of(0, 2)
        assert items.tolist() == [1, 2]

    def test_it_names_the_item_that_speaks_for_another(self):
        source = Covisit.fit(chain(), CovisitConfig(backward=0.0))
        asked = history([(3, 1, PURCHASE), (1, 2, PURCHASE)])
        because = source.because(asked, np.array([0, 0, 0], dtype=np.int32), np.array([2, 4, 0], dtype=np.int32))
        assert because.tolist() == [1, 3, -1]

    def test_a_small_budget_of_pairs_still_fits(self):
        source = Covisit.fit(chain(), CovisitConfig(pair_budget=1))
        assert not len(source.retrieve(history([(0, 1, PURCHASE)]), 5, exclude_seen=True).item)


@pytest.mark.parametrize("similarity", ["cosine", "tfidf", "bm25"])
def test_item_knn_finds_what_the_same_users_like(similarity):
    source = ItemKnn.fit(chain(), ItemKnnConfig(similarity=similarity))
    assert set(source.retrieve(history([(0, 1, PURCHASE)]), 5, exclude_seen=True).item.tolist()) == {1, 2}
    assert source.retrieve(history([(4, 1, PURCHASE)]), 5, exclude_seen=True).item.tolist() == [3]


def test_an_item_is_no_neighbour_of_itself():
    neighbours = ItemKnn.fit(random_log(), ItemKnnConfig(neighbours=5)).neighbours
    for item in range(len(neighbours)):
        assert item not in neighbours.of(item, 5)[0]
        assert len(neighbours.of(item, 9)[0]) <= 5


def test_only_the_heaviest_items_of_a_user_are_kept():
    matrix = sp.csr_matrix(np.array([[1, 5, 3, 4], [0, 0, 2, 0]], dtype=np.float32))
    assert keep_heaviest(matrix, 2).toarray().tolist() == [[0, 5, 0, 4], [0, 0, 2, 0]]


class TestAls:
    def test_folding_in_equals_the_library(self):
        log = random_log(users=80)
        config = AlsConfig(factors=16, iterations=5, history=1000)
        mine = Als.fit(log, config).user_factors(everybody(log))
        matrix = user_items(log, config.kinds.table())
        model = AlternatingLeastSquares(
            factors=16, iterations=5, regularization=config.regularization, alpha=config.alpha, random_state=config.seed
        )
        model.fit(matrix, show_progress=False)
        theirs = model.recalculate_user(np.arange(matrix.shape[0]), matrix)
        np.testing.assert_allclose(mine, theirs, rtol=5e-3, atol=5e-4)

    def test_it_finds_the_items_of_the_own_group(self):
        log = random_log(users=200, events=15)
        found = Als.fit(log, AlsConfig(factors=8)).retrieve(everybody(log), 2, exclude_seen=True)
        assert (found.item % 4 == found.row % 4).mean() > 0.55  # one in four by chance

    def test_items_without_events_are_never_named(self):
        log = make_log([(u, i, 0, PURCHASE) for u in range(9) for i in (0, 1)], items=5)
        found = Als.fit(log, AlsConfig(factors=4)).retrieve(everybody(log), 5, exclude_seen=False)
        assert set(found.item.tolist()) == {0, 1}


class TestTrending:
    def test_what_is_hot_now_beats_what_was(self):
        old = [(u, 0, 0, PURCHASE) for u in range(30)]
        log = make_log(old + [(u, 1, 100, PURCHASE) for u in range(20)])
        hot = Trending.fit(log, TrendingConfig(half_life=14, lift=0)).retrieve(history([]), 2, exclude_seen=False)
        ever = Trending.fit(log, TrendingConfig(half_life=1e6, lift=0)).retrieve(history([]), 2, exclude_seen=False)
        assert hot.item.tolist() == [1, 0]
        assert ever.item.tolist() == [0, 1]

    def test_own_departments_are_lifted(self):
        rows = [(u, 0, 0, PURCHASE) for u in range(30)] + [(u, 1, 0, PURCHASE) for u in range(20)]
        log = make_log([*rows, (50, 2, 0, PURCHASE)], departments=[0, 1, 1])
        source = Trending.fit(log, TrendingConfig(lift=10))
        assert source.retrieve(history([]), 1, exclude_seen=True).item.tolist() == [0]
        assert source.retrieve(history([(2, 1, PURCHASE)]), 1, exclude_seen=True).item.tolist() == [1]

    def test_one_user_counts_once_a_day(self):
        crowd = [(u, 0, 0, PURCHASE) for u in range(3)]
        log = make_log(crowd + [(9, 1, 0, PURCHASE)] * 20)
        found = Trending.fit(log, TrendingConfig()).retrieve(history([]), 2, exclude_seen=False)
        assert found.item.tolist() == [0, 1]

    def test_without_a_common_clock_all_events_count_the_same(self):
        log = make_log([(u, 0, 50, PURCHASE) for u in range(3)] + [(3, 1, 0, PURCHASE)], clock=Clock.ORDERED)
        found = Trending.fit(log, TrendingConfig()).retrieve(history([], clock=Clock.ORDERED), 2, exclude_seen=False)
        assert found.score.tolist() == [3.0, 1.0]
