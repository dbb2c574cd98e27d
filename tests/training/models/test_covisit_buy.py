"""What people end up buying: the types of the pair, its direction and its time."""

import pytest

from features.contracts.events import EventType
from tests.training.models.logs import PURCHASE, VIEW, everybody, history, make_log
from training.interactions import Clock
from training.models.covisit_buy import CovisitBuy, CovisitBuyConfig, Tie

CART = EventType.CART_ADD.code


def found(rows, asked, n=5, clock=Clock.TIMED, **settings):
    source = CovisitBuy.fit(make_log(rows, clock=clock), CovisitBuyConfig(**settings))
    return source.retrieve(history(asked, clock=clock), n, exclude_seen=True).item.tolist()


def test_only_purchases_are_named():
    rows = [(u, i, d, k) for u in range(9) for i, d, k in ((0, 0.0, VIEW), (1, 0.01, VIEW), (2, 0.02, PURCHASE))]
    assert found(rows, [(0, 10, VIEW)]) == [2]


def test_it_points_forward_only():
    rows = [(u, i, i, PURCHASE) for u in range(9) for i in (0, 1)]
    assert found(rows, [(0, 10, PURCHASE)]) == [1]
    assert found(rows, [(1, 10, PURCHASE)]) == []


def test_a_basket_says_nothing_of_itself_but_a_view_of_that_moment_does():
    basket = [(u, i, 0, PURCHASE) for u in range(9) for i in (0, 1)]
    assert found(basket, [(0, 10, PURCHASE)]) == []
    looked = [(u, i, 0, k) for u in range(9) for i, k in ((0, VIEW), (1, PURCHASE))]
    assert found(looked, [(0, 10, PURCHASE)]) == [1]


def test_a_view_ties_for_hours_and_a_purchase_for_weeks():
    late = [(u, 0, 0, VIEW) for u in range(9)] + [(u, 1, 7, PURCHASE) for u in range(9)]
    late += [(u, 0, 0, PURCHASE) for u in range(9, 18)] + [(u, 2, 7, PURCHASE) for u in range(9, 18)]
    source = CovisitBuy.fit(make_log(late), CovisitBuyConfig())
    items, weights = source.neighbours.of(0, 2)
    assert items.tolist() == [2, 1]
    assert weights[1] < weights[0] / 1000


def test_an_item_in_the_cart_says_more_than_one_looked_at():
    rows = [(u, 0, 0, CART) for u in range(9)] + [(u, 1, 0.01, PURCHASE) for u in range(9)]
    rows += [(u, 0, 0, VIEW) for u in range(9, 18)] + [(u, 2, 0.01, PURCHASE) for u in range(9, 18)]
    assert found(rows, [(0, 10, VIEW)]) == [1, 2]
    assert found(rows, [(0, 10, VIEW)], cart=Tie(weight=0, half_life=1)) == [2]


def test_later_purchases_count_less_and_only_so_many_count():
    rows = [(u, i, i, PURCHASE) for u in range(9) for i in range(5)]
    assert found(rows, [(0, 10, PURCHASE)], clock=Clock.ORDERED, gaps=3) == [1, 2, 3]


def test_one_user_is_not_tied_to_the_next():
    rows = [(0, 0, 0, PURCHASE), (1, 1, 1, PURCHASE)]
    assert found(rows, [(0, 10, PURCHASE)]) == []


def test_a_small_budget_of_pairs_still_fits():
    rows = [(u, i, i, PURCHASE) for u in range(9) for i in (0, 1)]
    assert found(rows, [(0, 10, PURCHASE)], pair_budget=1) == []


@pytest.mark.parametrize("clock", list(Clock))
def test_a_log_without_purchases_teaches_nothing(clock):
    log = make_log([(u, i, i, VIEW) for u in range(9) for i in (0, 1)], clock=clock)
    assert not len(CovisitBuy.fit(log, CovisitBuyConfig()).retrieve(everybody(log), 5, exclude_seen=False).row)
