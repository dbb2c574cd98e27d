"""What lists are like: diverse, popular, uneven. Worked out by hand, and against plain loops."""

from itertools import combinations

import numpy as np
import pytest

from training.evaluation.diversity import diversity
from training.evaluation.popularity import Popularity
from training.interactions import Histories


def lists(*rows):
    return np.array(rows, dtype=np.int32)


def histories(*rows):
    sizes = [len(row) for row in rows]
    m, q = sum(sizes), len(rows)
    return Histories(
        user=np.arange(q, dtype=np.int32),
        as_of=np.zeros(q, dtype=np.int64),
        indptr=np.cumsum([0, *sizes]),
        item=np.array([item for row in rows for item in row], dtype=np.int32),
        kind=np.zeros(m, dtype=np.int8),
        time=np.zeros(m, dtype=np.int64),
        quantity=np.ones(m, dtype=np.float32),
        basket=np.full(m, -1, dtype=np.int64),
    )


def test_diversity_is_the_share_of_unlike_pairs():
    group = np.array([0, 0, 1, 2, -1], dtype=np.int32)
    assert diversity(lists([0, 1, -1]), group) == 0
    assert diversity(lists([0, 1, 2]), group) == pytest.approx(2 / 3)
    assert diversity(lists([0, 2, 3], [0, 1, -1]), group) == pytest.approx(0.5)
    assert diversity(lists([0, 2, 4]), group) == 1  # what is not known counts for nothing
    assert np.isnan(diversity(lists([0, -1, 4]), group))


def test_diversity_is_that_of_a_plain_loop():
    random = np.random.default_rng(2)
    group = random.integers(-1, 4, 30).astype(np.int32)
    table = random.integers(-1, 30, (50, 8)).astype(np.int32)
    by_hand = []
    for row in table:
        known = [group[item] for item in row if item >= 0 and group[item] >= 0]
        unlike = [a != b for a, b in combinations(known, 2)]
        by_hand += [np.mean(unlike)] if unlike else []
    assert diversity(table, group) == pytest.approx(np.mean(by_hand))


def test_popularity_bias_is_the_distance_from_what_the_user_has():
    counts = np.array([40, 30, 20, 10, 0])
    people = Popularity.of(counts, histories([3, 3], [0], []))
    assert people.percentile.tolist() == [1, 0.75, 0.5, 0.25, 0]
    assert people.bias(lists([0, 2], [0, -1], [0, 0])) == pytest.approx((0.75 - 0.25 + 0) / 2)
    assert people.bias(lists([3, 3], [0, 0], [0, 0])) == 0
    assert np.isnan(people.bias(lists([-1, -1], [-1, -1], [0, 0])))
    assert people.head_share(lists([0, 1], [2, -1])) == pytest.approx(1 / 3)
    assert people.head_share(lists([-1])) == 0


def test_gini_from_even_to_one_for_all():
    people = Popularity.of(np.array([5, 5, 5, 5, 0]), histories([0]))
    assert people.gini(lists([0, 1], [2, 3])) == 0
    assert people.gini(lists([0, -1], [0, 4])) == pytest.approx(0.75)  # 1 - 1 / 4; an unknown item is not in the sum
    assert people.gini(lists([-1])) == 0
