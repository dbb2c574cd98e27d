"""Past users as rows of the value models."""

from datetime import timedelta

import numpy as np
import pytest

from features.engine import EventTables
from tests.training.pipelines.cdnow import CUTOFF, TAGS, events
from training.models.value_config import ValueConfig
from training.models.value_features import ValueColumns, required_tags
from training.pipelines.value_data import Past, past_of, stack

DAYS = 30
CONFIG = ValueConfig(horizons=(DAYS,))


@pytest.fixture(scope="module")
def parts() -> list[tuple[Past, ValueColumns]]:
    past = past_of(EventTables.from_arrow(events()), CUTOFF - timedelta(days=30), required_tags(TAGS), CONFIG)
    return [(each, each.columns(TAGS)) for each in past]


@pytest.mark.parametrize("most", [100, 777, 10**9])
def test_what_is_said_of_a_user_stays_his_when_users_are_thinned(
    parts: list[tuple[Past, ValueColumns]], most: int
) -> None:
    thinned = stack(parts, DAYS, most)
    wanted = min(most, sum(len(columns) for _, columns in parts))
    assert wanted - len(parts) <= len(thinned) <= wanted  # each part is rounded down
    known = {
        (columns.trees[user].tobytes(), float(past.spend(DAYS)[user])): (spend[user], silent[user])
        for past, columns in parts
        for spend, silent in [(columns.rhythm_spend(DAYS), columns.rhythm.no_purchase(columns.history, DAYS))]
        for user in range(len(columns))
    }
    for row in range(len(thinned)):
        told = known[thinned.columns[row].tobytes(), float(thinned.spend[row])]
        assert (thinned.rhythm_spend[row], thinned.rhythm_silent[row]) == told


def test_one_part_may_be_cut_to_some_of_its_users(parts: list[tuple[Past, ValueColumns]]) -> None:
    past, columns = parts[0]
    odd = np.arange(1, len(columns), 2)
    found = stack(parts[:1], DAYS, 10**9, odd)
    np.testing.assert_array_equal(found.columns, columns.trees[odd])
    np.testing.assert_array_equal(found.bought, past.bought(DAYS)[odd])
