"""User neighbours on logs small enough to count by hand."""

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, VIEW, everybody, history, make_log
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.next_basket import UserKnn, UserKnnConfig

PLAIN = {"step": 1.0, "half_life": 1e9, "rarity": 0.0}


def fit(rows, *, items=None, clock=Clock.TIMED, **values):
    return UserKnn.fit(make_log(rows, items=items, clock=clock), UserKnnConfig(**PLAIN | values))


def basket(user, day, *items, kind=PURCHASE):
    return [(user, item, day, kind) for item in items]


def ask(source, asked, *, exclude_seen=False, as_of_day=200):
    found = source.retrieve(history(asked, as_of_day=as_of_day), 9, exclude_seen=exclude_seen)
    return dict(zip(found.item.tolist(), found.score.tolist(), strict=True))


def test_own_frequencies_and_those_of_like_users_are_blended():
    source = fit(basket(0, 0, 0, 1) + basket(1, 0, 2), own=0.75)
    # User 0 is the only neighbour: item 0 is had (0.75) and his (0.25), item 1 is his.
    assert ask(source, [(0, 10, PURCHASE)]) == pytest.approx({0: 1.0, 1: 0.25})
    assert ask(source, [(0, 10, PURCHASE)], exclude_seen=True) == pytest.approx({1: 0.25})


def test_the_more_alike_a_user_the_more_he_says():
    source = fit(basket(0, 0, 0, 1, 2) + basket(1, 0, 0, 3), own=0.0)
    asked = [(0, 10, PURCHASE), (1, 10, PURCHASE)]
    near, far = 2 / np.sqrt(6), 1 / 2
    found = ask(source, asked, exclude_seen=True)
    assert found == pytest.approx({2: near / (near + far), 3: far / (near + far)})
    assert ask(fit(basket(0, 0, 0, 1, 2) + basket(1, 0, 0, 3), nearest=1), asked, exclude_seen=True).keys() == {2}


def test_sharing_a_rare_item_makes_users_more_alike():
    crowd = [row for user in range(2, 8) for row in basket(user, 0, 0)]
    rows = basket(0, 0, 0, 2) + basket(1, 0, 1, 3) + crowd
    asked = [(0, 10, PURCHASE), (1, 10, PURCHASE)]
    found = ask(fit(rows, rarity=1.0), asked, exclude_seen=True)
    assert found[3] > found[2]


def test_old_and_stepped_back_events_count_less():
    source = fit(basket(0, 0, 5), half_life=10, own=1.0)
    asked = [(0, 190, PURCHASE), (1, 200, PURCHASE), (2, 200, VIEW)]
    assert ask(source, asked) == pytest.approx({1: 1.0, 0: 0.5, 2: 0.3})
    assert ask(fit(basket(0, 0, 5), step=0.9, own=1.0), asked) == pytest.approx({1: 1.0, 0: 0.9, 2: 0.3})


def test_a_neighbour_who_left_long_ago_says_less():
    rows = basket(0, 0, 0, 1) + basket(1, 20, 0, 2)
    found = ask(fit(rows, half_life=10, own=0.0), [(0, 30, PURCHASE)], exclude_seen=True)
    # Stored vectors are as of one second after the last event.
    assert found == pytest.approx({2: 0.5, 1: 0.125}, rel=1e-4)


def test_without_a_clock_all_events_count_the_same():
    log = make_log(basket(0, 0, 0) + basket(0, 1, 0) + basket(0, 2, 1), clock=Clock.NONE)
    source = UserKnn.fit(log, UserKnnConfig(rarity=0.0, step=0.5, own=1.0))
    found = source.retrieve(everybody(log), 9, exclude_seen=False)
    assert dict(zip(found.item.tolist(), found.score.tolist(), strict=True)) == {0: 2.0, 1: 1.0}


class TestCaps:
    def test_the_users_active_last_are_kept(self):
        rows = basket(0, 9, 0, 1) + basket(1, 5, 0, 2) + basket(2, 8, 0, 3)
        assert ask(fit(rows, users=2), [(0, 10, PURCHASE)], exclude_seen=True).keys() == {1, 3}

    @pytest.mark.parametrize("clock", [Clock.ORDERED, Clock.NONE])
    def test_without_a_common_clock_those_with_most_events_are_kept(self, clock):
        rows = basket(0, 0, 0) + basket(1, 0, 0, 1, 2) + basket(2, 0, 0, 3)
        assert UserKnn.fit(make_log(rows, clock=clock), UserKnnConfig(users=1)).arrays()["item"].tolist() == [0, 1, 2]

    def test_only_the_heaviest_items_of_a_user_are_kept(self):
        rows = basket(0, 0, 1, 2) + basket(0, 1, 2)
        assert fit(rows, heaviest=1).arrays()["item"].tolist() == [2]

    def test_only_the_users_for_whom_an_item_weighs_most_are_looked_through(self):
        rows = basket(0, 0, 0, 1, 2) + basket(1, 0, 0, 3)
        assert ask(fit(rows, postings=1), [(0, 10, PURCHASE)], exclude_seen=True).keys() == {3}

    def test_only_the_heaviest_items_of_a_history_look_for_neighbours(self):
        rows = basket(0, 0, 0, 2) + basket(1, 0, 1, 3)
        asked = [(0, 10, PURCHASE), (1, 10, VIEW)]
        assert ask(fit(rows, asked=1), asked, exclude_seen=True).keys() == {2}


def test_an_item_without_events_finds_no_neighbour_but_is_the_users_own():
    source = fit(basket(0, 0, 0, 1), items=4)
    assert ask(source, [(3, 10, PURCHASE)]) == pytest.approx({3: 0.5})
    assert ask(source, [(3, 10, PURCHASE)], exclude_seen=True) == {}


def test_a_log_without_events_knows_no_neighbours():
    assert ask(fit([], items=4), [(3, 10, PURCHASE)], exclude_seen=True) == {}


def test_many_rows_are_numbered_through():
    log = make_log([row for user in range(150) for row in basket(user, 0, user % 3, 3)])
    found = UserKnn.fit(log, UserKnnConfig()).retrieve(everybody(log), 1, exclude_seen=False)
    assert found.row.tolist() == list(range(150))


def test_events_long_past_fade_out_without_harm():
    source = fit(basket(0, 0, 0, 1), half_life=1.0)
    later = history([(0, 0, PURCHASE)], as_of_day=100_000 // 2)
    assert later.as_of[0] - later.time[0] > 40_000 * SECONDS_PER_DAY
    assert not len(source.retrieve(later, 9, exclude_seen=False).item)
