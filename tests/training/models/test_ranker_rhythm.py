import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, VIEW, history, make_log
from training.interactions import Clock
from training.models.item_statistics import ItemStatistics
from training.models.pool import pool
from training.models.ranker_kin import of_kin
from training.models.ranker_question import Question
from training.models.ranker_rhythm import of_rhythm
from training.models.source import Candidates

ITEMS = 4


def question(asked, log=None):
    """All items as candidates of one user."""
    every = Candidates(np.zeros(ITEMS, np.int32), np.arange(ITEMS, dtype=np.int32), np.ones(ITEMS, np.float32))
    log = log or make_log([(0, 0, 1, PURCHASE)], items=ITEMS)
    return Question(asked, pool([every], 1, ITEMS), ItemStatistics.fit(log))


def test_purchases_are_counted_by_moment_window_and_basket():
    # Item 0 on days 100, 110, 130 (twice in that basket); item 1 on day 130; a look at item 2.
    events = [(0, 100, PURCHASE), (0, 110, PURCHASE), (0, 130, PURCHASE), (0, 130, PURCHASE), (1, 130, PURCHASE)]
    columns = of_rhythm(question(history([*events, (2, 135, VIEW)], as_of_day=140)))
    np.testing.assert_array_equal(columns["bought_times"], [3, 1, 0, 0])
    np.testing.assert_array_equal(columns["bought_0_28"], [1, 1, 0, 0])
    np.testing.assert_array_equal(columns["bought_28_56"], [2, 0, 0, 0])
    # The newest moment is a look; three moments hold the newest two purchases of item 0.
    np.testing.assert_allclose(columns["bought_in_last_3"], [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_array_equal(columns["bought_age"], [10, 10, np.nan, np.nan])
    assert columns["bought_newest_gap"][0] == 20
    assert columns["bought_longest_wait"][0] == pytest.approx(0.5)
    assert columns["bought_due"][0] == pytest.approx(10 / 15)
    assert np.isnan(columns["bought_due"][1:]).all()


def test_a_regular_buyer_deviates_less_than_a_fitful_one():
    regular = [(0, day, PURCHASE) for day in (100, 110, 120, 130)]
    fitful = [(1, day, PURCHASE) for day in (100, 101, 102, 130)]
    asked = history(sorted(regular + fitful, key=lambda event: event[1]), as_of_day=140)
    deviation = of_rhythm(question(asked))["bought_gap_deviation"]
    assert deviation[0] == 0
    assert deviation[1] > 1


@pytest.mark.parametrize("asked", [history([]), history([(0, 100, VIEW)])])
def test_who_never_bought_has_no_rhythm(asked):
    columns = of_rhythm(question(asked))
    assert not columns["bought_times"].any()
    assert np.isnan(columns["bought_age"]).all()


def test_without_times_nothing_is_said():
    assert of_rhythm(question(history([(0, 0, PURCHASE)], clock=Clock.NONE))).names == ()


def test_what_he_buys_more_than_others_is_to_his_liking():
    log = make_log([(u, i, 1 + i, PURCHASE) for u in range(5) for i in range(ITEMS)], departments=[0, 0, 1, 1])
    columns = of_kin(question(history([(0, 100, PURCHASE), (1, 110, PURCHASE)]), log))
    assert (columns["category_lift"][:2] > 0).all()
    assert (columns["category_lift"][2:] < 0).all()
    assert columns["liking"][:2].min() > columns["liking"][2:].max()


def test_who_did_nothing_likes_what_all_like():
    log = make_log([(u, i, 1 + i, PURCHASE) for u in range(5) for i in range(ITEMS)], departments=[0, 0, 1, 1])
    np.testing.assert_allclose(of_kin(question(history([]), log))["category_lift"], 0, atol=1e-9)
