"""Session neighbours on logs small enough to count by hand."""

from itertools import pairwise

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, VIEW, everybody, history, make_log
from training.interactions import Clock
from training.models.session_index import SessionIndex
from training.models.sessions import Sessions, SessionsConfig

PLAIN = {"rarity": 0.0, "gap_decay": 0.5, "backward": 0.25, "recency": 0.5}


def fit(rows, *, items=None, clock=Clock.TIMED, **values):
    return Sessions.fit(make_log(rows, items=items, clock=clock), SessionsConfig(**PLAIN | values))


def bought(user, *items, start=0, every=1):
    """One item per moment."""
    return [(user, item, start + step * every, PURCHASE) for step, item in enumerate(items)]


def ask(source, *items, clock=Clock.TIMED, exclude_seen=True, n=9):
    found = source.retrieve(
        history([(item, 100 + step, PURCHASE) for step, item in enumerate(items)], clock=clock),
        n,
        exclude_seen=exclude_seen,
    )
    return dict(zip(found.item.tolist(), found.score.tolist(), strict=True))


class TestIndex:
    def sessions(self, rows, clock=Clock.TIMED, **values):
        settings = {"gap": 2, "longest": 50, "widest": 50, "sessions": 100, "postings": 100} | values
        index = SessionIndex.of(make_log(rows, clock=clock), SessionsConfig().kinds.table(), **settings)
        return [index.item[low:high].tolist() for low, high in pairwise(index.starts)]

    def test_a_pause_longer_than_the_gap_ends_a_session_and_the_newest_comes_first(self):
        rows = bought(0, 0, 1, start=0) + bought(0, 2, 3, start=4, every=2)
        assert self.sessions(rows) == [[3, 2], [1, 0]]

    def test_where_only_the_order_is_known_a_sequence_is_cut_from_its_end(self):
        assert self.sessions(bought(0, 0, 1, 2), clock=Clock.ORDERED, longest=2) == [[2, 1], [0]]

    def test_without_a_clock_all_of_a_user_is_one_session(self):
        assert self.sessions(bought(0, 1, 0) + bought(1, 2), clock=Clock.NONE, longest=1) == [[0, 1], [2]]

    def test_the_latest_items_and_the_newest_sessions_are_kept(self):
        rows = bought(0, 0, 1, 2) + bought(1, 3, 4, start=50)
        assert self.sessions(rows, widest=2, sessions=2) == [[4, 3], [2, 1]]
        assert self.sessions(rows, sessions=1) == [[4, 3]]

    def test_an_item_leads_to_its_newest_sessions_but_is_counted_in_all(self):
        log = make_log([row for user in range(4) for row in bought(user, 0, start=10 * user)])
        index = SessionIndex.of(
            log, SessionsConfig().kinds.table(), gap=2, longest=9, widest=9, sessions=99, postings=2
        )
        assert index.session.tolist() == [0, 1]
        assert index.frequency.tolist() == [4]


class TestVotes:
    def test_what_came_after_the_shared_item_counts_more_than_what_came_before(self):
        assert ask(fit(bought(0, 0, 1, 2, 3)), 1) == {2: 1.0, 3: 0.5, 0: 0.25}

    def test_items_of_the_same_moment_count_fully(self):
        assert ask(fit([(0, 0, 0, PURCHASE), (0, 1, 0, PURCHASE)]), 0) == {1: 1.0}

    def test_a_session_that_shares_more_is_nearer(self):
        source = fit(bought(0, 0, 1, 2) + bought(1, 9, 1, 3))
        # 1 is the newest, weight 1; 0 is one moment back, weight 1/2.
        assert ask(source, 0, 1) == {2: 1.5, 3: 1.0, 9: 0.25}
        assert ask(fit(bought(0, 0, 1, 2) + bought(1, 9, 1, 3), nearest=1), 0, 1) == {2: 1.5}

    def test_of_equally_near_sessions_the_newer_one_votes(self):
        source = fit(bought(0, 0, 1) + bought(1, 0, 2, start=50), nearest=1)
        assert ask(source, 0) == {2: 1.0}
        assert ask(fit(bought(0, 0, 1) + bought(1, 0, 2, start=50), recent=1), 0) == {2: 1.0}

    def test_a_rare_shared_item_says_more(self):
        rows = bought(0, 0, 2) + bought(1, 1, 3) + [row for user in range(2, 5) for row in bought(user, 0)]
        asked = history([(0, 100, PURCHASE), (1, 100, PURCHASE)])
        found = fit(rows, rarity=0.5).retrieve(asked, 9, exclude_seen=True)
        assert found.item.tolist() == [3, 2]
        assert found.score.tolist() == [1.0, 0.5]  # 0 stands in four sessions

    def test_a_viewed_item_votes_less_than_a_bought_one(self):
        source = fit([(0, 0, 0, PURCHASE), (0, 1, 1, VIEW), (0, 2, 1, PURCHASE)])
        assert ask(source, 0) == pytest.approx({2: 1.0, 1: 0.3})

    def test_what_was_had_is_named_where_it_may_repeat(self):
        assert ask(fit(bought(0, 0, 1)), 0, exclude_seen=False) == {0: 1.0, 1: 1.0}

    def test_without_a_clock_order_and_recency_say_nothing(self):
        source = fit(bought(0, 0, 1, 2), clock=Clock.NONE)
        assert ask(source, 2, clock=Clock.NONE) == {0: 1.0, 1: 1.0}
        assert ask(source, 0, 1, clock=Clock.NONE) == {2: 2.0}


def test_an_item_without_events_and_a_log_without_any_find_nothing():
    assert ask(fit(bought(0, 0, 1), items=4), 3) == {}
    assert ask(fit([], items=4), 3) == {}


def test_views_that_weigh_nothing_leave_no_session():
    source = fit([(0, 0, 0, VIEW), (0, 1, 1, VIEW)], kinds={"view": 0.0})
    assert ask(source, 0) == {}


def test_many_rows_are_numbered_through():
    log = make_log([row for user in range(150) for row in bought(user, user % 3, 3)])
    found = Sessions.fit(log, SessionsConfig()).retrieve(everybody(log), 1, exclude_seen=False)
    assert found.row.tolist() == list(range(150))


class TestBecause:
    def test_it_names_the_asked_item_that_brought_the_votes(self):
        source = fit(bought(0, 0, 1) + bought(1, 2, 3))
        asked = history([(0, 100, PURCHASE), (2, 101, PURCHASE)])
        row, item = np.zeros(3, dtype=np.int32), np.array([1, 3, 4], dtype=np.int32)
        assert source.because(asked, row, item).tolist() == [0, 2, -1]

    def test_an_item_is_no_reason_for_itself(self):
        source = fit(bought(0, 0, 1))
        row, item = np.zeros(2, dtype=np.int32), np.array([0, 1], dtype=np.int32)
        assert source.because(history([(0, 100, PURCHASE)]), row, item).tolist() == [-1, 0]

    def test_an_empty_history_has_no_reason(self):
        one = np.zeros(1, dtype=np.int32)
        assert fit(bought(0, 0, 1)).because(history([]), one, one).tolist() == [-1]
