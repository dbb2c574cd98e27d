"""Trending by channel, region and part of the day."""

from dataclasses import replace

import numpy as np

from tests.training.models.logs import PURCHASE, history, make_log
from training.models.segments import SegmentCounts
from training.models.trending import Trending, TrendingConfig

ITEMS = 40


def bought(pull, seed=3, users=1500):
    """Purchases of ``users``, half of them in channel 1, whose people take items of the upper half ``pull`` times as
    often."""
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(2, ITEMS + 2)
    rows = []
    for user in range(users):
        chance = np.where(np.arange(ITEMS) >= ITEMS // 2, weight * (pull if user % 2 else 1), weight)
        taken = rng.choice(ITEMS, 4, replace=False, p=chance / chance.sum())
        rows += [(user, item, rng.integers(0, 30), PURCHASE) for item in taken]
    log = make_log(rows, users=users, items=ITEMS)
    return replace(log, channel=(log.user % 2).astype(np.int16), channel_names=("app", "web"))


def best(source, **asked):
    return source.retrieve(history([]).asked_from(**asked), ITEMS, exclude_seen=False).item.tolist()


def test_channels_that_differ_have_lists_of_their_own():
    source = Trending.fit(bought(pull=4.0), TrendingConfig())
    ours, others = best(source, channel=1), best(source, channel=0)
    assert sum(item >= ITEMS // 2 for item in ours[:20]) > sum(item >= ITEMS // 2 for item in others[:20]) + 3
    whole = best(source)
    assert whole not in (ours, others)
    assert best(source, channel=5) == whole, "a channel that the log does not know says nothing"


def test_channels_that_are_alike_are_one():
    for seed in range(10):
        source = Trending.fit(bought(pull=1.0, seed=seed), TrendingConfig())
        assert best(source, channel=1) == best(source)


def test_items_of_which_a_segment_says_little_stay_what_they_are():
    log = bought(pull=4.0)
    counts = SegmentCounts.of(log.user, log.item, np.ones(len(log)), log.channel, ITEMS)
    raw = counts.count[:, 1] / counts.expected[:, 1]
    lift = counts.lifts(np.arange(ITEMS, dtype=np.int32)).table[:, 1]
    assert np.all(np.abs(np.log(lift)) <= np.abs(np.log(raw)) + 1e-6)
    rare, common = np.argmin(counts.expected[:, 1]), np.argmax(counts.expected[:, 1])
    kept = np.log(lift) / np.log(raw)
    assert kept[rare] < kept[common]


def test_the_part_of_the_day_counts_on_the_clock_of_the_log():
    log = bought(pull=6.0)
    by_hour = replace(log, time=log.time + np.where(log.channel == 1, 20, 2) * 3600, channel=np.empty(0, np.int16))
    source = Trending.fit(by_hour, TrendingConfig())
    assert best(source, hour=21) != best(source, hour=1)
    assert best(source, hour=12) == best(source), "at noon nothing was bought"


def test_a_question_comes_from_where_the_newest_event_did():
    log = bought(pull=4.0)
    asked = log.histories(np.array([0, 1, -1], dtype=np.int32), int(log.time.max()) + 1)
    assert asked.channel.tolist() == [0, 1, -1]
    assert asked.slice(1, 3).channel.tolist() == [1, -1]
    assert log.where(log.user > 0).channel[0] == 1
