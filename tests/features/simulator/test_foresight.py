"""What the law says people will buy is what they buy, in drawn baskets and in the simulated days themselves."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.contracts.errors import UnknownNameError
from features.simulator import Truth
from features.simulator.baskets import choose_items
from features.simulator.block import relive
from features.simulator.people import category_table
from features.simulator.shelves import Tastes, feed

AS_OF = datetime(2025, 1, 29, tzinfo=UTC)
DAYS = 28


@pytest.fixture(scope="module")
def truth(mall):
    return Truth.open(mall.folder)


@pytest.fixture(scope="module")
def foresight(truth):
    return truth.foresight(AS_OF, DAYS)


def test_people_lived_again_are_the_people_of_the_truth(truth, foresight):
    assert np.array_equal(foresight.standing.people.factors, truth.user_factors)
    ended = pq.read_table(truth.folder / "truth" / "users.parquet")["lifetime_end"].to_pylist()
    assert foresight.standing.state.alive.tolist() == [end is None or end >= AS_OF for end in ended]
    assert len(relive(truth.world, 1, 3).staple) == truth.world.people_of(1)


def test_choices_are_those_that_drawn_baskets_make(truth, foresight):
    rows, draws = np.arange(3, dtype=np.int32), 100_000
    chance = foresight.choices(rows)
    assert np.allclose(chance.sum(axis=1), 1, atol=1e-4)
    world, catalogue, people = truth.world, truth.catalogue, foresight.standing.people.some(rows)
    nobody = np.zeros((1, world.factors), np.float32)
    tastes = Tastes(*(category_table(f, catalogue) for f in (people.factors, people.believed, nobody)))
    ends = catalogue.ends(28 + DAYS // 2)
    random = np.random.default_rng(5)
    for row in rows:
        person = np.full(draws, row, np.int32)
        shown, _ = feed(random, world, catalogue, tastes, person, ends)
        item, _ = choose_items(random, world, catalogue, people, tastes, person, shown, ends)
        often = np.flatnonzero(chance[row] > 1e-4)
        drawn = np.bincount(item, minlength=len(catalogue))[often] / draws
        z = (drawn - chance[row, often]) / np.sqrt(chance[row, often] / draws)
        assert 0.7 < (z**2).mean() < 1.3


def test_expected_purchases_add_up_to_what_happened(truth, foresight, ask):
    rows = np.arange(len(truth.user_map), dtype=np.int32)
    expected = foresight.purchases(rows)
    until = AS_OF + timedelta(days=DAYS)
    bought = np.zeros_like(expected)
    lines = ask(
        "SELECT person, item_id FROM events JOIN identities ON raw_id = user_id AND id_kind = 'user' "
        f"WHERE event_type = 'purchase' AND NOT fake AND occurred_at >= '{AS_OF}' AND occurred_at < '{until}'"
    )
    for person, item in lines:
        bought[truth.user_map.index(person), truth.item_map.index(item)] += 1
    registered = foresight.standing.people.joined < 28
    expected, bought = expected[registered], bought[registered]
    staple = foresight.standing.staple[registered]
    loyal = np.flatnonzero(staple >= 0)
    habit = expected[loyal, staple[loyal]], bought[loyal, staple[loyal]]
    for told, happened in ((expected.sum(axis=1), bought.sum(axis=1)), habit):
        difference = happened - told
        assert abs(difference.mean()) < 3.5 * difference.std() / np.sqrt(len(difference))
    assert habit[1].sum() > 10
    # Where more is expected, more is bought.
    best = np.argsort(-expected, axis=1)[:, :20]
    assert np.take_along_axis(bought, best, axis=1).sum() > 4 * bought.sum() * 20 / bought.shape[1]


def test_fake_accounts_are_nobody_and_second_ones_somebody(truth, ask):
    rows = ask("SELECT raw_id, person, fake FROM identities WHERE id_kind = 'user'")
    assert truth.person == {raw: person for raw, person, fake in rows if not fake}


@pytest.mark.parametrize("moment", [AS_OF + timedelta(hours=1), AS_OF - timedelta(days=60), AS_OF + timedelta(days=60)])
def test_other_moments_are_not_known(truth, moment):
    with pytest.raises(UnknownNameError, match="midnights"):
        truth.foresight(moment, DAYS)
