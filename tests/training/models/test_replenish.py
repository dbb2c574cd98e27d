"""What is due comes first: rhythm, habit, and what cannot be known."""

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, START, VIEW, everybody, history, make_log, random_log
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.purchase_gaps import DAY_BINS, PurchaseGaps, days_within
from training.models.replenish import Replenish, ReplenishConfig


def rhythms(users=60, days=120):
    """Item 0 is bought every week, item 1 every thirty days, item 2 once by everybody."""
    rows = [(u, 0, d, PURCHASE) for u in range(users) for d in range(u % 7, days, 7)]
    rows += [(u, 1, d, PURCHASE) for u in range(users) for d in range(u % 30, days, 30)]
    return make_log(rows + [(u, 2, u, PURCHASE) for u in range(users)])


def waits(events, end_day):
    asked = history(events, as_of_day=end_day)
    return PurchaseGaps.of(asked.row, asked.item, asked.kind, asked.time, asked.as_of, 5)


class TestPurchaseGaps:
    def test_the_last_wait_is_open_until_the_end(self):
        gaps = waits([(3, 10, PURCHASE), (1, 12, PURCHASE), (3, 17, PURCHASE)], 20)
        assert gaps.item.tolist() == [1, 3, 3]
        assert gaps.days.tolist() == [8, 7, 3]
        assert gaps.last.tolist() == [True, False, True]

    def test_purchases_of_one_day_are_one_and_views_are_none(self):
        gaps = waits([(3, 10, PURCHASE), (3, 10, PURCHASE), (3, 12, VIEW)], 15)
        assert gaps.days.tolist() == [5]

    def test_the_stratum_knows_only_the_past(self):
        short = waits([(3, 0, PURCHASE), (3, 7, PURCHASE)], 300)
        long = waits([(3, 0, PURCHASE), (3, 7, PURCHASE), (3, 100, PURCHASE), (3, 101, PURCHASE)], 300)
        assert short.stratum.tolist() == long.stratum[:2].tolist()

    def test_the_parts_of_a_wait_make_the_whole(self):
        days = np.array([0.0, 2.0, 3.0, 77.0, 5000.0])
        assert sum(days_within(b, days) for b in range(DAY_BINS)) == pytest.approx(days)


class TestReplenish:
    def test_what_is_bought_more_often_is_due_sooner(self):
        source = Replenish.fit(rhythms(), ReplenishConfig(horizon=7))
        asked = history([(0, 190, PURCHASE), (1, 190, PURCHASE), (2, 190, PURCHASE)], as_of_day=196)
        assert source.retrieve(asked, 3, exclude_seen=False).item.tolist() == [0, 1, 2]

    def test_what_was_just_bought_waits_for_its_interval(self):
        source = Replenish.fit(rhythms(), ReplenishConfig(horizon=5))
        asked = history([(0, 199, PURCHASE), (1, 172, PURCHASE)], as_of_day=200)
        assert source.retrieve(asked, 2, exclude_seen=False).item.tolist() == [1, 0]

    def test_an_own_habit_beats_a_single_purchase_of_the_same_day(self):
        source = Replenish.fit(random_log(), ReplenishConfig())
        events = [(8, d, PURCHASE) for d in (100, 120, 140, 160)] + [(4, 160, PURCHASE)]
        assert source.retrieve(history(events, as_of_day=180), 2, exclude_seen=False).item.tolist() == [8, 4]

    def test_the_score_is_the_number_of_repeats_to_come(self):
        """Judged on the log itself: among pairs bought before a day, expected and true repeats agree."""
        log = random_log(users=400, items=20)
        cut = int(START) + 90 * SECONDS_PER_DAY
        asked = log.histories(np.arange(len(log.users), dtype=np.int32), cut)
        found = Replenish.fit(log.where(log.time < cut), ReplenishConfig(horizon=28)).retrieve(
            asked, 20, exclude_seen=False
        )
        later = log.where((log.time >= cut) & (log.time < cut + 28 * SECONDS_PER_DAY) & (log.kind == PURCHASE))
        came = set(zip(later.user.tolist(), later.item.tolist(), strict=True))
        true = sum((u, i) in came for u, i in zip(found.row.tolist(), found.item.tolist(), strict=True))
        assert 1 - np.exp(-found.score.astype(float)).mean() == pytest.approx(true / len(found.row), rel=0.15)

    @pytest.mark.parametrize("clock", [Clock.ORDERED, Clock.NONE])
    def test_without_times_nothing_is_due(self, clock):
        log = random_log(clock=clock)
        assert not len(Replenish.fit(log, ReplenishConfig()).retrieve(everybody(log), 5, exclude_seen=False).row)

    def test_nothing_new_is_ever_named(self):
        log = random_log()
        source = Replenish.fit(log, ReplenishConfig())
        assert not len(source.retrieve(everybody(log), 5, exclude_seen=True).row)
        viewed = history([(3, 10, VIEW)])
        assert not len(source.retrieve(viewed, 5, exclude_seen=False).row)
