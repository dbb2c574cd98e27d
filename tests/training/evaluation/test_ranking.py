"""Ranking metrics against numbers worked out by hand and against a slow, independent implementation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.fold import Truth
from training.evaluation.ranking import METRICS, coverage, find_hits, judge, novelty, per_user

ITEMS = 12
POPULARITY = np.ones(ITEMS, dtype=np.int64)


def truth_of(rows: list[list[int]]) -> Truth:
    sizes = np.cumsum([0, *(len(row) for row in rows)])
    return Truth(sizes.astype(np.int64), np.array([i for row in rows for i in row], dtype=np.int32))


def lists_of(rows: list[list[int]], width: int) -> np.ndarray:
    return np.array([row + [-1] * (width - len(row)) for row in rows], dtype=np.int32)


def test_worked_example() -> None:
    # Hits at ranks 1 and 3 of 4; three true items, one of which was never offered.
    ranking = judge(lists_of([[5, 0, 7, 1]], 4), truth_of([[5, 7, 9]]), [2, 4], POPULARITY)
    values = {name: float(v[0]) for name, v in ranking.per_user.items()}
    ideal = 1 + 1 / math.log2(3) + 0.5
    assert values["recall@4"] == pytest.approx(2 / 3)
    assert values["ndcg@4"] == pytest.approx((1 + 0.5) / ideal)
    assert values["hit@4"] == 1
    assert values["mrr@4"] == 1
    assert values["map@4"] == pytest.approx((1 + 2 / 3) / 3)
    assert values["recall@2"] == pytest.approx(1 / 3)
    assert values["ndcg@2"] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert values["map@2"] == pytest.approx(1 / 2)


def test_a_perfect_list_scores_one_even_when_truth_is_longer_than_k() -> None:
    ranking = judge(lists_of([[1, 2]], 2), truth_of([[1, 2, 3, 4]]), [2], POPULARITY)
    assert ranking.per_user["ndcg@2"][0] == pytest.approx(1)
    assert ranking.per_user["map@2"][0] == pytest.approx(1)
    assert ranking.per_user["recall@2"][0] == pytest.approx(0.5)


def test_an_empty_list_scores_zero_everywhere() -> None:
    ranking = judge(lists_of([[]], 3), truth_of([[1]]), [1, 5], POPULARITY)
    assert all(value == 0 for value in ranking.means().values())


def test_a_repeated_item_counts_once() -> None:
    hits = find_hits(lists_of([[3, 3, 4]], 3), truth_of([[3, 4]]))
    assert hits.hit.tolist() == [[True, False, True]]


def test_truth_that_was_never_seen_in_training_is_a_miss_and_still_counts() -> None:
    ranking = judge(lists_of([[0]], 1), truth_of([[0, ITEMS + 40]]), [1], POPULARITY)
    assert ranking.per_user["recall@1"][0] == pytest.approx(0.5)


def test_rows_without_truth_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="row 1 has no true item"):
        find_hits(lists_of([[0], [0]], 1), truth_of([[0], []]))


def test_rows_must_match() -> None:
    with pytest.raises(ValueError, match=r"2 lists .* 1 users"):
        find_hits(lists_of([[0], [0]], 1), truth_of([[0]]))


def test_coverage_and_novelty_by_hand() -> None:
    popularity = np.array([4, 2, 1, 1, 0])
    lists = lists_of([[0, 1], [0]], 2)
    assert coverage(lists, popularity) == pytest.approx(2 / 4)
    assert novelty(lists, popularity) == pytest.approx((1 + 2 + 1) / 3)
    assert novelty(lists_of([[4]], 1), popularity) == pytest.approx(3)  # unseen counts as one event in eight
    assert coverage(lists_of([[4]], 1), popularity) == 0
    assert novelty(lists_of([[]], 1), popularity) == 0


def test_two_metrics_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two ranking metrics are called 'ndcg'"):
        per_user("ndcg")(METRICS["ndcg"])


def brute_force(name: str, offered: list[int], wanted: set[int], k: int) -> float:
    places = [rank for rank, item in enumerate(offered[:k], start=1) if item in wanted]
    best = min(k, len(wanted))
    match name:
        case "recall":
            return len(places) / len(wanted)
        case "hit":
            return float(bool(places))
        case "mrr":
            return 1 / places[0] if places else 0.0
        case "ndcg":
            return sum(1 / math.log2(p + 1) for p in places) / sum(1 / math.log2(p + 1) for p in range(1, best + 1))
        case "map":
            return sum((i + 1) / p for i, p in enumerate(places)) / best
    raise AssertionError(f"no independent implementation of {name}")


user = st.tuples(
    st.lists(st.integers(0, ITEMS - 1), max_size=8, unique=True),
    st.sets(st.integers(0, ITEMS + 3), min_size=1, max_size=8),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(user, min_size=1, max_size=6), st.sets(st.integers(1, 12), min_size=1, max_size=3))
def test_every_metric_equals_its_definition(users: list[tuple[list[int], set[int]]], ks: set[int]) -> None:
    offered, wanted = [u[0] for u in users], [u[1] for u in users]
    ranking = judge(lists_of(offered, 8), truth_of([sorted(w) for w in wanted]), sorted(ks), POPULARITY)
    for name in METRICS:
        for k in ks:
            expected = [brute_force(name, o, w, k) for o, w in zip(offered, wanted, strict=True)]
            np.testing.assert_allclose(ranking.per_user[f"{name}@{k}"], expected, atol=1e-12)
