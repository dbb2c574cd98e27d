"""What every candidate source must do. Sources are found by themselves; a new one is tested by existing."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, everybody, history, random_log
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.ragged import pair_keys
from training.models.source import sources

NAMES = list(sources())
CLOCKS = [Clock.TIMED, Clock.ORDERED, Clock.NONE]
N = 12


@pytest.fixture(scope="module")
def logs():
    return {clock: random_log(clock=clock) for clock in CLOCKS}


@pytest.fixture(scope="module")
def fitted(logs):
    return {(name, clock): cls.fit(logs[clock], cls.Config()) for name, cls in sources().items() for clock in CLOCKS}


def same(a, b):
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in ("row", "item", "score"))


@pytest.fixture(params=[(name, clock) for name in NAMES for clock in CLOCKS], ids=lambda p: f"{p[0]}-{p[1]}")
def case(request, fitted, logs):
    return fitted[request.param], logs[request.param[1]]


def test_fitting_again_gives_the_same_bits(case):
    source, log = case
    again = type(source).fit(log, type(source).Config())
    for name, array in source.arrays().items():
        assert np.array_equal(array, again.arrays()[name], equal_nan=array.dtype.kind == "f"), name


def test_a_round_trip_through_files_changes_nothing(case, tmp_path):
    source, log = case
    arrays = {}
    for name, array in source.arrays().items():
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
        arrays[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    back = type(source).from_arrays(type(source).Config(), arrays)
    for exclude in (False, True):
        asked = everybody(log)
        assert same(source.retrieve(asked, N, exclude_seen=exclude), back.retrieve(asked, N, exclude_seen=exclude))


@pytest.mark.parametrize("exclude", [False, True])
def test_a_batch_answers_as_each_user_alone(case, exclude):
    source, log = case
    asked = everybody(log)
    batch = source.retrieve(asked, N, exclude_seen=exclude)
    for row in range(len(asked)):
        alone = source.retrieve(asked.slice(row, row + 1), N, exclude_seen=exclude)
        mine = batch.row == row
        assert np.array_equal(batch.item[mine], alone.item)
        assert np.array_equal(batch.score[mine], alone.score)


@pytest.mark.parametrize("exclude", [False, True])
def test_lists_are_sorted_distinct_and_no_longer_than_asked(case, exclude):
    source, log = case
    found = source.retrieve(everybody(log), N, exclude_seen=exclude)
    assert (found.row.dtype, found.item.dtype, found.score.dtype) == (np.int32, np.int32, np.float32)
    assert np.isfinite(found.score).all()
    keys = pair_keys(found.row, found.item, len(log.items))
    assert len(np.unique(keys)) == len(keys)
    assert np.bincount(found.row, minlength=1).max(initial=0) <= N
    order = np.lexsort((found.item, -found.score, found.row))
    assert np.array_equal(order, np.arange(len(order)))
    assert ((found.item >= 0) & (found.item < len(log.items))).all()


def test_excluding_leaves_nothing_of_the_history(case):
    source, log = case
    asked = everybody(log)
    found = source.retrieve(asked, N, exclude_seen=True)
    had = pair_keys(asked.row, asked.item, len(log.items))
    assert not np.isin(pair_keys(found.row, found.item, len(log.items)), had).any()


def test_nobody_and_an_empty_history_are_answered(case):
    source, log = case
    nobody = history([], clock=log.clock)
    for exclude in (False, True):
        found = source.retrieve(nobody, N, exclude_seen=exclude)
        assert np.isfinite(found.score).all()
        assert not len(source.retrieve(nobody.slice(0, 0), N, exclude_seen=exclude).row)


def test_an_event_after_the_fit_and_one_dated_in_the_future_count(case):
    source, log = case
    later = history([(3, 500, PURCHASE), (7, 900, PURCHASE)], as_of_day=600, clock=log.clock)
    found = source.retrieve(later, N, exclude_seen=True)
    assert np.isfinite(found.score).all()
    assert not np.isin(found.item, [3, 7]).any()


def test_the_user_index_is_no_key(case):
    source, log = case
    asked = everybody(log)
    others = replace(asked, user=np.full_like(asked.user, -1))
    assert same(source.retrieve(asked, N, exclude_seen=False), source.retrieve(others, N, exclude_seen=False))


def test_users_that_the_fit_never_saw_are_answered(case):
    source, log = case
    if source.name == "articles":
        pytest.skip("it answers readers of articles, of which this log has none; see test_articles.py")
    stranger = history([(item, 10, PURCHASE) for item in range(8)], clock=log.clock)
    assert bool(len(source.retrieve(stranger, N, exclude_seen=False).item)) is (log.clock in source.clocks)


@pytest.mark.parametrize("name", NAMES)
def test_without_time_the_order_of_events_says_nothing(name, logs, fitted):
    log = logs[Clock.NONE]
    shuffled = np.lexsort((np.random.default_rng(1).random(len(log)), log.user))
    mixed = replace(
        log,
        item=log.item[shuffled],
        kind=log.kind[shuffled],
        quantity=log.quantity[shuffled],
        basket=log.basket[shuffled],
    )
    source = fitted[name, Clock.NONE]
    other = type(source).fit(mixed, type(source).Config())
    a = source.retrieve(everybody(log), N, exclude_seen=False)
    b = other.retrieve(everybody(mixed), N, exclude_seen=False)
    assert len(a.row) == len(b.row)
    np.testing.assert_allclose(a.score, b.score, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_after_the_question_changes_nothing(name, logs):
    """No leak: events after the moment of the fit and of the question are as if they never happened."""
    log = logs[Clock.TIMED]
    cutoff = int(log.time.min()) + 80 * SECONDS_PER_DAY
    after = log.time >= cutoff
    changed = replace(log, item=np.where(after, 0, log.item).astype(np.int32))
    lists = []
    for data in (log, changed):
        source = sources()[name].fit(data.where(data.time < cutoff), sources()[name].Config())
        users = np.arange(len(data.users), dtype=np.int32)
        lists.append(source.retrieve(data.histories(users, cutoff), N, exclude_seen=False))
    assert same(*lists)


@pytest.mark.parametrize("name", NAMES)
def test_a_log_without_events_can_be_fitted(name, logs):
    log = logs[Clock.TIMED]
    source = sources()[name].fit(log.where(np.zeros(len(log), dtype=np.bool_)), sources()[name].Config())
    found = source.retrieve(history([(3, 10, PURCHASE)]), N, exclude_seen=True)
    assert np.isfinite(found.score).all()
