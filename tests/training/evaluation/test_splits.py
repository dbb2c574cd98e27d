from dataclasses import replace

import numpy as np
import pytest

from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType
from tests.training.models.logs import PURCHASE, START, VIEW, make_log, random_log
from training.evaluation.splits import GivenSplit, LeaveOneOut, TemporalSplit
from training.interactions import SECONDS_PER_DAY, Clock


def day(number):
    return START + number * SECONDS_PER_DAY


def truths(fold):
    return {
        int(user): fold.truth.item[fold.truth.indptr[k] : fold.truth.indptr[k + 1]].tolist()
        for k, user in enumerate(fold.users)
    }


def pairs(data):
    return set(zip(data.user.tolist(), data.item.tolist(), strict=True))


def true_pairs(fold):
    return {(user, item) for user, items in truths(fold).items() for item in items}


class TestTemporal:
    log = make_log(
        [
            (0, 0, 0, PURCHASE),
            (0, 0, 12, PURCHASE),
            (0, 1, 12, PURCHASE),
            (0, 2, 12, VIEW),
            (1, 3, 10, PURCHASE),
            (2, 3, 5, PURCHASE),
            (2, 4, 20, PURCHASE),
        ]
    )

    def test_repeats_count_when_they_are_asked_for(self):
        split = TemporalSplit(repeats=True, cutoff=day(10), horizon=10 * SECONDS_PER_DAY)
        fold = split.outer(self.log)
        assert truths(fold) == {0: [0, 1], 1: [3]}
        assert fold.train.time.max() < day(10)
        assert fold.as_of.tolist() == [day(10), day(10)]

    def test_without_repeats_known_items_are_no_truth(self):
        fold = TemporalSplit(cutoff=day(10), horizon=10 * SECONDS_PER_DAY).outer(self.log)
        assert truths(fold) == {0: [1], 1: [3]}

    def test_other_types_can_be_the_target(self):
        split = TemporalSplit(target=[EventType.VIEW], cutoff=day(10), horizon=10 * SECONDS_PER_DAY)
        assert truths(split.outer(self.log)) == {0: [2]}

    def test_nobody_after_the_cutoff_is_an_error(self):
        with pytest.raises(NotEnoughDataError, match="nobody"):
            TemporalSplit(cutoff=day(100)).outer(self.log)

    def test_times_are_needed(self):
        with pytest.raises(NotEnoughDataError, match="event times"):
            TemporalSplit(cutoff=day(1)).outer(random_log(clock=Clock.ORDERED))

    @pytest.mark.parametrize("horizon", [7, 28, 60])
    def test_inner_folds_lie_in_the_past_and_the_newest_overlaps_no_other(self, horizon):
        split = TemporalSplit(repeats=True, cutoff=day(100), horizon=horizon * SECONDS_PER_DAY)
        train = split.outer(random_log()).train
        folds = split.inner(train, 4)
        assert len(folds) >= 2
        cutoffs = [int(fold.as_of[0]) for fold in folds]
        assert cutoffs == sorted(cutoffs, reverse=True)
        shortest = cutoffs[0] - cutoffs[1]
        assert day(100) - cutoffs[0] >= shortest * 0.99
        for fold, cutoff in zip(folds, cutoffs, strict=True):
            assert fold.train.time.max() < cutoff
            later = train.time >= cutoff
            assert true_pairs(fold) <= pairs(train.where(later & (train.time < cutoff + (day(100) - cutoffs[0]))))


class TestLeaveOneOut:
    def test_the_last_one_is_the_truth_and_the_rest_is_known(self):
        log = make_log([(0, i, i, PURCHASE) for i in range(4)] + [(1, 2, 0, PURCHASE)], clock=Clock.ORDERED)
        fold = LeaveOneOut().outer(log)
        assert truths(fold) == {0: [3]}
        assert pairs(fold.train) == {(0, 0), (0, 1), (0, 2), (1, 2)}
        assert fold.histories().item.tolist() == [0, 1, 2]

    def test_inner_folds_go_back_one_by_one(self):
        log = make_log([(0, i, i, PURCHASE) for i in range(5)], clock=Clock.ORDERED)
        split = LeaveOneOut()
        folds = split.inner(split.outer(log).train, 9)
        assert [truths(fold) for fold in folds] == [{0: [3]}, {0: [2]}, {0: [1]}]

    def test_what_the_user_did_after_it_is_not_known(self):
        log = make_log([(0, 0, 0, PURCHASE), (0, 1, 5, PURCHASE), (0, 2, 9, VIEW), (1, 2, 30, VIEW)])
        fold = LeaveOneOut().outer(log)
        assert truths(fold) == {0: [1]}
        assert pairs(fold.train) == {(0, 0), (1, 2)}

    def test_a_repeat_is_no_truth_unless_repeats_count(self):
        log = make_log([(0, 0, 0, PURCHASE), (0, 1, 1, PURCHASE), (0, 0, 2, PURCHASE)], clock=Clock.ORDERED)
        assert truths(LeaveOneOut().outer(log)) == {0: [1]}
        assert truths(LeaveOneOut(repeats=True).outer(log)) == {0: [0]}

    def test_order_is_needed(self):
        with pytest.raises(NotEnoughDataError, match="order"):
            LeaveOneOut().outer(random_log(clock=Clock.NONE))


class TestGiven:
    @pytest.mark.parametrize("clock", [Clock.TIMED, Clock.ORDERED, Clock.NONE])
    def test_the_pairs_are_the_truth_and_leave_the_training_part(self, clock):
        log = make_log([(0, 0, 0, VIEW), (0, 0, 1, PURCHASE), (0, 1, 2, PURCHASE), (1, 1, 3, PURCHASE)], clock=clock)
        fold = GivenSplit(users=["u00000"], items=["i00000"]).outer(log)
        assert truths(fold) == {0: [0]}
        assert pairs(fold.train) == {(0, 1), (1, 1)}
        assert fold.histories().item.tolist() == [1]

    def test_an_item_that_training_does_not_know_counts_but_cannot_be_found(self):
        log = make_log([(0, 0, 0, PURCHASE), (0, 1, 1, PURCHASE)])
        fold = GivenSplit(users=["u00000", "u00000", "stranger"], items=["new", "newer", "i00000"]).outer(log)
        assert truths(fold) == {0: [2, 3]}

    @pytest.mark.parametrize("clock", [Clock.TIMED, Clock.NONE])
    def test_inner_folds_hide_every_row_of_a_held_out_pair(self, clock):
        log = random_log(clock=clock)
        folds = GivenSplit().inner(log, 3)
        assert len(folds) == 3
        for fold in folds:
            assert not true_pairs(fold) & pairs(fold.train)
            assert true_pairs(fold) <= pairs(log.where(log.kind == PURCHASE))
        assert not true_pairs(folds[0]) & true_pairs(folds[1])

    @pytest.mark.parametrize(("baskets", "hidden"), [(True, 8), (False, 4)])
    def test_with_repeats_a_basket_or_one_event_is_hidden_and_the_item_stays(self, baskets, hidden):
        rows = [(user, item, 10 * user + visit, PURCHASE) for user in range(4) for visit in range(6) for item in (0, 1)]
        log = make_log(rows, clock=Clock.NONE)
        log = log if baskets else replace(log, basket=np.full(len(log), -1))
        (fold,) = GivenSplit(repeats=True).inner(log, 1)
        assert len(fold.users) == 4
        assert len(log) - len(fold.train) == hidden
        assert len(fold.truth.item) == hidden
        assert true_pairs(fold) <= pairs(fold.train)

    def test_inner_folds_are_the_same_every_time(self):
        log = random_log()
        assert true_pairs(GivenSplit().inner(log, 1)[0]) == true_pairs(GivenSplit().inner(log, 1)[0])


@pytest.mark.parametrize("split", [TemporalSplit(cutoff=day(0)), LeaveOneOut(), GivenSplit()])
def test_a_tiny_log_has_no_inner_folds(split):
    log = make_log([(0, 0, 0, PURCHASE)])
    assert split.inner(log.where(np.zeros(1, dtype=np.bool_)), 3) == []
