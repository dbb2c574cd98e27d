"""New items for the right people."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, START, everybody, history, make_log, random_log
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.arrivals import Arrivals, ArrivalsConfig


def mall(published=(), departments=(0, 1, 0, 1, 0, 1)):
    """Items 0 and 1 are sold from the start, 2 and 3 since day 90, 4 and 5 never; the log ends with day 100."""
    rows = [(u, i, d, PURCHASE) for u in range(40) for d, i in ((0, 0), (50, 1), (100, 0))]
    log = make_log([*rows, (0, 2, 90, PURCHASE), (1, 3, 95, PURCHASE)], items=6, departments=departments)
    dates = np.full(6, -1, dtype=np.int64)
    for item, day in dict(published).items():
        dates[item] = START + day * SECONDS_PER_DAY
    return replace(log, catalogue=replace(log.catalogue, published_at=dates))


def found(log, events, n=6, **settings):
    source = Arrivals.fit(log, ArrivalsConfig(**settings))
    return source.retrieve(history(events, as_of_day=101), n, exclude_seen=True).item.tolist()


def test_a_stranger_gets_the_newest():
    assert found(mall(), [], 2) == [3, 2]
    assert found(mall({4: 99}), [], 3) == [4, 3, 2]


def test_a_new_item_of_the_own_department_comes_first():
    assert found(mall(), [(0, 100, PURCHASE)], 2) == [2, 3]
    assert found(mall(), [(1, 100, PURCHASE)], 2) == [3, 2]


def test_an_item_that_nobody_met_is_found_by_its_date():
    assert found(mall({4: 99}), [(0, 100, PURCHASE)], 1) == [4]
    assert 4 not in found(mall(), [(0, 100, PURCHASE)])


def test_what_is_not_out_yet_is_not_shown_unless_people_have_it():
    assert 4 not in found(mall({4: 150}), [])
    assert 2 in found(mall({2: 150}), [])


def test_newer_events_tell_more_of_taste():
    events = [(0, 0, PURCHASE), (0, 1, PURCHASE), (1, 100, PURCHASE)]
    assert found(mall({4: 98, 5: 98}), events, 1, taste_half_life=10) == [5]
    assert found(mall({4: 98, 5: 98}), events, 1, taste_half_life=1000) == [4]


def test_what_many_people_met_is_no_discovery():
    rows = [(u, 0, 99, PURCHASE) for u in range(200)]
    assert found(make_log([*rows, (0, 1, 97, PURCHASE)]), [], 2) == [1, 0]


def test_no_more_than_so_many_are_kept():
    assert found(mall(), [], 6, kept=1) == [3]


@pytest.mark.parametrize("clock", [Clock.ORDERED, Clock.NONE])
def test_without_times_nothing_is_new(clock):
    log = random_log(clock=clock)
    assert not len(Arrivals.fit(log, ArrivalsConfig()).retrieve(everybody(log), 5, exclude_seen=False).row)
