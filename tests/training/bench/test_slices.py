"""The groups of users and of items in which the comparison is repeated."""

import numpy as np
import pytest

from features.contracts.ids import IdMap
from training.bench.measure import Cost
from training.bench.rows import Kind, Row
from training.bench.slices import slices
from training.evaluation.fold import Fold, Truth
from training.evaluation.ranking import judge
from training.interactions import SECONDS_PER_DAY, Clock, Interactions, ItemCatalogue

NOW = 100 * SECONDS_PER_DAY
ITEMS = 7  # 0 has nine events, 1 has three, the others none; 0 and 3 are food, 1 and 2 are for the house
CATALOGUE = ItemCatalogue(
    category=np.array([0, 1, 1, 0, -1, -1, -1], dtype=np.int32),
    department=np.array([0, 1, 1, 0, -1, -1, -1], dtype=np.int32),
    brand=np.full(ITEMS, -1, dtype=np.int32),
    price=np.full(ITEMS, np.nan, dtype=np.float32),
    category_names=("FOOD > FRUIT", "HOME"),
)
#: Users of training: one with three events of late, one with nine over a long time. The third is a stranger.
ITEM = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], dtype=np.int32)
DAYS = np.array([90, 91, 92, 10, 20, 30, 40, 50, 60, 70, 80, 85])
TRAIN = Interactions(
    users=IdMap.of(["a", "b"]),
    items=IdMap.of([f"i{n}" for n in range(ITEMS)]),
    user=np.repeat([0, 1], [3, 9]).astype(np.int32),
    item=ITEM,
    kind=np.zeros(12, dtype=np.int8),
    time=DAYS.astype(np.int64) * SECONDS_PER_DAY,
    quantity=np.ones(12, dtype=np.float32),
    amount=np.ones(12, dtype=np.float32),
    basket=np.full(12, -1, dtype=np.int64),
    clock=Clock.TIMED,
    catalogue=CATALOGUE,
)
#: What the stranger, a and b take: an old item, a new one, an old one and one that nobody can know.
TRUTH = Truth(np.array([0, 1, 2, 4]), np.array([0, 2, 1, 99], dtype=np.int32))
FOLD = Fold(TRAIN, np.array([-1, 0, 1], dtype=np.int32), np.full(3, NOW), TRUTH)


def row(model: str, kind: Kind, *lists: list[int]) -> Row:
    offered = np.array(lists, dtype=np.int32)
    ranking = judge(offered, TRUTH, (2,), np.bincount(ITEM, minlength=ITEMS).astype(np.int64))
    return Row(model, kind, ranking, Cost(), offered)


PIPELINE = row("pipeline", Kind.PIPELINE, [0, 1], [1, 2], [0, -1])
RIVAL = row("popular", Kind.BASELINE, [0, 1], [0, 1], [0, 1])
FOUND = slices(PIPELINE, RIVAL, "ndcg@2", FOLD, FOLD.histories())


def test_users_are_parted_by_history_and_by_age() -> None:
    users = {name: part["users"] for name, part in FOUND.items() if not name.startswith(("item", "category"))}
    assert users == {
        "history 0": 1,
        "history 1-4": 1,
        "history 5-19": 1,
        "heavy users": 1,
        "new users": 2,
        "old users": 1,
    }
    assert FOUND["history 0"]["pipeline"] == FOUND["history 0"]["rival"] == 1
    assert FOUND["history 1-4"]["recall"] == {"metric": "recall@2", "pipeline": 1.0, "rival": 0.0}
    assert FOUND["heavy users"]["rival"] > FOUND["heavy users"]["pipeline"] == 0


def test_a_group_of_items_keeps_only_its_part_of_the_truth() -> None:
    new = FOUND["items without events"]
    assert new["users"] == 1  # the one who takes item 2; what nobody can know is in no group
    assert new["pipeline"] == pytest.approx(1 / np.log2(3))  # at the second place of a list that stayed as it was
    assert (new["rival"], new["against"]) == (0.0, "popular")
    few = FOUND["items with 1-4 events"]
    assert (few["users"], few["pipeline"]) == (1, 0.0)
    assert few["rival"] == pytest.approx(1 / np.log2(3))  # one true item is left, and it is second


def test_categories_are_those_of_the_truth_the_largest_first() -> None:
    names = [name for name in FOUND if name.startswith("category")]
    assert names == ["category HOME", "category FOOD"]
    assert FOUND["category HOME"]["users"] == 2
    assert FOUND["category HOME"]["mean"] == pytest.approx(0.0)
