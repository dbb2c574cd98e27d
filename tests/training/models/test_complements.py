"""What is bought along, and what is only popular, alike, or old."""

from dataclasses import replace

import numpy as np
import pytest

from features.contracts.events import EventType
from tests.training.models.logs import PURCHASE, VIEW, everybody, history, make_log, random_log
from training.interactions import Clock
from training.models.complements import Complements, ComplementsConfig

CART = EventType.CART_ADD.code
PASTA, SAUCE, OTHER_SAUCE, MILK, SOAP = range(5)


def shop(*more, categories=(0, 1, 1, 2, 3)):
    """Pasta goes with sauce; everybody takes milk, with soap or with pasta alike."""
    baskets = [(PASTA, SAUCE, MILK)] * 30 + [(SOAP, MILK)] * 60 + [(SAUCE, OTHER_SAUCE)] * 30 + list(more)
    rows = [(u, i, 0, PURCHASE) for u, basket in enumerate(baskets) for i in basket]
    return make_log(rows, items=5, departments=categories)


def along(log, events, n=5, **settings):
    source = Complements.fit(log, ComplementsConfig(**settings))
    return source.retrieve(history(events), n, exclude_seen=True).item.tolist()


def test_what_goes_with_it_comes_before_what_goes_with_everything():
    assert along(shop(), [(PASTA, 10, CART)])[0] == SAUCE


def test_items_of_one_category_replace_one_another():
    assert OTHER_SAUCE not in along(shop(), [(SAUCE, 10, CART)])
    unknown = shop(categories=(0, -1, -1, 2, 3))
    assert OTHER_SAUCE in along(unknown, [(SAUCE, 10, CART)])


def test_one_basket_is_no_proof():
    log = shop((PASTA, SOAP))
    weights = dict(
        zip(*(part.tolist() for part in Complements.fit(log, ComplementsConfig()).neighbours.of(PASTA, 9)), strict=True)
    )
    assert SOAP not in weights
    assert SAUCE in weights


def test_only_the_newest_basket_asks():
    assert along(shop(), [(PASTA, 1, PURCHASE), (SOAP, 10, CART)]) == [MILK]
    assert SAUCE in along(shop(), [(PASTA, 9.9, CART), (SOAP, 10, CART)])


def test_what_is_in_the_cart_asks_louder_than_what_was_looked_at():
    asked = [(SOAP, 10, VIEW), (PASTA, 10, CART)]
    assert along(shop(), asked)[0] == SAUCE


def test_orders_part_what_was_bought_on_one_day():
    rows = [(u, i, 0, PURCHASE) for u in range(20) for i in (0, 1)] + [(30, 2, 0, PURCHASE)] * 9
    log = make_log(rows)
    assert along(log, [(0, 10, CART)]) == [1]
    apart = replace(log, basket=np.arange(len(log), dtype=np.int64))
    assert along(apart, [(0, 10, CART)]) == []
    assert along(replace(log, basket=np.full(len(log), -1, dtype=np.int64)), [(0, 10, CART)]) == [1]


def test_the_stock_of_a_shop_is_no_basket():
    assert along(shop(), [(PASTA, 10, CART)], largest=2) == []


def test_past_the_budget_only_the_newest_baskets_count():
    rows = [(u, i, 0, PURCHASE) for u in range(20) for i in (0, 1)]
    rows += [(u, i, 5, PURCHASE) for u in range(20, 40) for i in (0, 2)]
    log = make_log([*rows, *((u, 3, 9, PURCHASE) for u in range(40, 60))])
    assert set(along(log, [(0, 10, CART)])) == {1, 2}
    assert along(log, [(0, 10, CART)], pair_budget=100) == [2]


@pytest.mark.parametrize("clock", [Clock.ORDERED, Clock.NONE])
def test_without_times_there_are_no_baskets(clock):
    log = random_log(clock=clock)
    assert not len(Complements.fit(log, ComplementsConfig()).retrieve(everybody(log), 5, exclude_seen=False).row)
