"""Goods after articles, and that nothing else learns from what was read."""

from dataclasses import replace

import numpy as np
import pytest

from features.contracts.events import EventType
from tests.training.models.logs import PURCHASE, VIEW, end_of, everybody, history, make_log, random_log
from tests.training.models.test_recommender import assemble
from training.interactions import Clock
from training.models.articles import Articles, ArticlesConfig
from training.models.source import shown, sources

READ = EventType.ARTICLE_READ.code
TEA, RAIN = 10, 11  # articles
POPULAR = 0


def readers(clock=Clock.TIMED):
    """After the article on tea people take goods 1 and 2, after that on rain 3; everybody takes 0 all the time."""
    rows, unit = [], 0.01 if clock is Clock.TIMED else 1
    for user in range(40):
        article, goods = (TEA, (1, 2)) if user % 2 else (RAIN, (3,))
        rows += [(user, POPULAR, 0, PURCHASE), (user, article, unit, READ)]
        rows += [(user, item, (2 + place) * unit, VIEW) for place, item in enumerate(goods)]
        rows.append((user, POPULAR, 5 * unit, PURCHASE))
    return make_log(rows, items=12, clock=clock)


@pytest.mark.parametrize("clock", [Clock.TIMED, Clock.ORDERED])
def test_readers_get_what_readers_went_on_to_take(clock):
    source = Articles.fit(readers(clock), ArticlesConfig())
    asked = history([(5, 99, VIEW), (TEA, 100, READ)], clock=clock)
    found = source.retrieve(asked, 5, exclude_seen=False)
    assert set(found.item[:2].tolist()) == {1, 2}
    assert 3 not in found.item
    assert source.because(asked, found.row[:1], found.item[:1]).tolist() == [TEA]


def test_what_was_taken_long_after_or_before_has_nothing_to_do_with_it():
    rows = [(u, i, day, kind) for u in range(20) for i, day, kind in [(4, 0, VIEW), (TEA, 1, READ), (5, 30, PURCHASE)]]
    source = Articles.fit(make_log(rows, items=12), ArticlesConfig())
    assert not len(source.retrieve(history([(TEA, 40, READ)]), 5, exclude_seen=False).item)


def test_only_readings_ask_and_nobody_who_read_nothing_is_answered():
    source = Articles.fit(readers(), ArticlesConfig())
    assert not len(source.retrieve(history([(TEA, 3, VIEW), (1, 4, PURCHASE)]), 5, exclude_seen=False).item)


def test_readings_change_nothing_for_other_sources_and_features():
    log = random_log()
    read = np.zeros(len(log), dtype=np.bool_)
    read[::7] = True
    with_readings = replace(log, kind=np.where(read, READ, log.kind).astype(np.int8))
    without = with_readings.where(~read)
    for name, cls in sources().items():
        if cls is not Articles:
            fitted = cls.fit(shown(cls, with_readings), cls.Config())
            a, b = (
                fitted.retrieve(shown(cls, everybody(each)), 9, exclude_seen=True) for each in (with_readings, without)
            )
            assert np.array_equal(a.item, b.item), name
    recommender = assemble(without)
    a, b = (
        recommender.recommend(each.histories(np.arange(60, dtype=np.int32), end_of(log)), 9, exclude_seen=False)
        for each in (with_readings, without)
    )
    assert np.array_equal(a.score, b.score)
