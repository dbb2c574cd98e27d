"""Features of pairs against a plain look at each user's events, and of a user alone against those of many."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, everybody, random_log
from training.interactions import SECONDS_PER_DAY, Clock
from training.models.item_statistics import ItemStatistics
from training.models.pool import pool
from training.models.ranker_features import featurise
from training.models.source import Candidates

USERS, ITEMS = 9, 12


def _every_item(rows: int) -> Candidates:
    row = np.repeat(np.arange(rows, dtype=np.int32), ITEMS)
    item = np.tile(np.arange(ITEMS, dtype=np.int32), rows)
    return Candidates(row, item, (100 - item).astype(np.float32))


def _features(clock: Clock):
    data = random_log(3, users=USERS, items=ITEMS, events=20, clock=clock)
    data = replace(data, time=data.time // 3 * 3 if clock is Clock.TIMED else data.time)
    # One user has no history, in the midst of the others.
    histories = everybody(data.where(data.user != 4))
    candidates = pool([_every_item(len(histories))], len(histories), ITEMS)
    statistics = ItemStatistics.fit(data)
    return histories, candidates, statistics, featurise(histories, candidates, statistics, ["one"])


def _expected(histories, statistics, row: int, item: int) -> dict[str, float]:
    """What some features say of a user and an item."""
    low, high = histories.indptr[row], histories.indptr[row + 1]
    age = (histories.as_of[row] - histories.time[low:high]) / SECONDS_PER_DAY
    items, kind = histories.item[low:high], histories.kind[low:high]
    own, alike = items == item, statistics.category[items] == statistics.category[item]
    moments = np.unique(age[own])
    gap = (moments.max() - moments.min()) / (len(moments) - 1) if len(moments) > 1 else np.nan
    bought = own & (kind == PURCHASE)
    gaps = np.diff(np.unique(age[bought]))
    return {
        "pair_events": own.sum(),
        "pair_purchases": bought.sum(),
        "pair_age": age[own].min(initial=np.inf) if own.any() else np.nan,
        "pair_first_age": age[own].max() if own.any() else np.nan,
        "pair_times": len(moments),
        "pair_decayed_30": np.exp2(-age[own] / 30).sum(),
        "pair_last_28": (age[own] < 28).sum(),
        "pair_weeks": len(np.unique(age[own] // 7)),
        "pair_previous_age": np.sort(age[own])[1] if own.sum() > 1 else np.nan,
        "pair_gap": gap,
        "bought_times": len(np.unique(age[bought])),
        "bought_age": age[bought].min() if bought.any() else np.nan,
        "bought_longest_wait": age[bought].min() / max(gaps.max(), 1e-3) if len(gaps) else np.nan,
        "user_events": np.log1p(len(age)),
        "user_items": np.log1p(len(np.unique(items))),
        "category_events": alike.sum(),
        "category_age": age[alike].min() if alike.any() else np.nan,
        "category_share": np.exp2(-age[alike] / 90).sum() / max(np.exp2(-age / 90).sum(), 1e-9),
        "item_heat": statistics.heat_season[item],
        "one_rank": item,
    }


def test_features_say_what_a_plain_look_at_the_events_says() -> None:
    histories, candidates, statistics, (names, values) = _features(Clock.TIMED)
    for place, (row, item) in enumerate(zip(candidates.row.tolist(), candidates.item.tolist(), strict=True)):
        for name, expected in _expected(histories, statistics, row, item).items():
            np.testing.assert_allclose(values[place, names.index(name)], expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("clock", list(Clock))
def test_a_user_alone_is_described_as_among_others(clock: Clock) -> None:
    histories, candidates, statistics, (names, values) = _features(clock)
    assert len(set(names)) == len(names) == values.shape[1]
    for row in range(len(histories)):
        alone = pool([_every_item(1)], 1, ITEMS)
        told, mine = featurise(histories.slice(row, row + 1), alone, statistics, ["one"])
        assert told == names
        assert np.array_equal(mine, values[candidates.row == row], equal_nan=True)
