import numpy as np

from tests.training.models.logs import PURCHASE, VIEW, make_log, random_log
from training.interactions import Clock
from training.models.item_movement import conversions, last_sold, middles, price_moves, return_rates, shares


def test_buyers_who_came_back_lately_raise_the_return_rate():
    # Ten people bought items 0 and 1 in the first month; all came back for 0 and nobody for 1.
    rows = [(u, i, u, PURCHASE) for u in range(10) for i in (0, 1)] + [(u, 0, 50 + u, PURCHASE) for u in range(10)]
    rate, _ = return_rates(make_log(rows))
    assert rate[0] > 0.75
    assert rate[1] < 0.25


def test_an_item_without_buyers_has_the_return_rate_of_its_category():
    rows = [(u, 0, u, PURCHASE) for u in range(10)] + [(u, 0, 50, PURCHASE) for u in range(10)]
    rate, category = return_rates(make_log(rows, items=3, departments=[0, 0, 1]))
    assert rate[1] == category[1] == category[0]


def test_nothing_is_known_of_returns_without_a_clock_or_a_past():
    assert np.isnan(return_rates(random_log(clock=Clock.ORDERED))[0]).all()
    assert np.isnan(return_rates(make_log([(0, 0, 1, PURCHASE), (0, 0, 2, PURCHASE)]))[0]).all()


def test_last_sold_counts_from_the_newest_event():
    sold = last_sold(make_log([(0, 0, 3, PURCHASE), (1, 0, 10, PURCHASE), (0, 1, 30, PURCHASE)], items=3))
    np.testing.assert_allclose(sold[:2], [20, 0], atol=1e-3)
    assert np.isnan(sold[2])


def test_price_moves_compare_the_last_weeks_with_before():
    log = make_log([(0, 0, 1, PURCHASE), (0, 0, 60, PURCHASE), (0, 1, 60, PURCHASE)], amount=[4.0, 2.0, 5.0])
    moves = price_moves(log)
    np.testing.assert_allclose(moves[0], np.log(0.5), rtol=1e-5)
    assert np.isnan(moves[1])


def test_items_that_are_only_looked_at_convert_less():
    rows = [(u, 0, d, PURCHASE) for u in range(5) for d in (1, 2)] + [(u, 1, d, VIEW) for u in range(5) for d in (1, 2)]
    conversion = conversions(make_log(rows))
    assert conversion[0] > conversion[1]


def test_shares_of_known_groups_add_up_and_unknown_is_zero():
    heat = np.log1p(np.array([1.0, 2.0, 5.0])).astype(np.float32)
    np.testing.assert_allclose(shares(heat, np.array([0, 0, 1], dtype=np.int32)), [0.375, 0.375, 0.625], rtol=1e-5)
    assert shares(heat, np.array([0, 0, -1], dtype=np.int32))[2] == 0


def test_the_middle_of_a_group_leaves_out_what_is_unknown():
    values = np.array([1, 2, 9, np.nan, np.nan], dtype=np.float32)
    np.testing.assert_array_equal(middles(values, np.array([0, 0, 0, 0, 1], dtype=np.int32)), [2, 2, 2, 2, np.nan])
