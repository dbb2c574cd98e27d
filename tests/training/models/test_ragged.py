"""Fast orders are the plain ones, to the last tie."""

import numpy as np
import pytest

from training.models.ragged import best_of_rows, pair_keys, stable_order, sum_by_key


def plain_best(indptr: np.ndarray, item: np.ndarray, score: np.ndarray, n: int) -> list[list[int]]:
    return [
        sorted(range(low, high), key=lambda k: (-score[k], item[k]))[:n]
        for low, high in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)
    ]


@pytest.mark.parametrize("rows", [1, 2, 40])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_best_of_rows_are_the_first_of_a_plain_sort(rows: int, ascending: bool, kind: type) -> None:
    random = np.random.default_rng(rows)
    lengths = random.integers(0, 30, rows)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    drawn = [random.choice(99, length, replace=False) for length in lengths]
    item = np.concatenate([np.sort(row) if ascending else row for row in drawn]).astype(np.int32)
    score = random.integers(-3, 4, len(item)).astype(kind)  # many ties
    score[random.random(len(item)) < 0.1] = -np.inf
    for n in (1, 5, 100):
        place, counts = best_of_rows(indptr, item, score, n)
        expected = plain_best(indptr, item, score, n)
        assert counts.tolist() == [len(row) for row in expected]
        assert place.tolist() == [k for row in expected for k in row]


@pytest.mark.parametrize("low", [-5, 0])
@pytest.mark.parametrize("high", [3, 2**40, 2**62])
def test_the_stable_order_is_that_of_argsort(low: int, high: int) -> None:
    keys = np.random.default_rng(1).integers(low, high, 500)
    assert np.array_equal(stable_order(keys), np.argsort(keys, kind="stable"))
    assert len(stable_order(keys[:0])) == 0


def test_sums_by_key_add_up_in_the_order_of_the_input() -> None:
    random = np.random.default_rng(2)
    keys = pair_keys(random.integers(0, 9, 3000).astype(np.int32), random.integers(0, 7, 3000).astype(np.int32), 7)
    weights = random.random(3000) * 10.0 ** random.integers(-8, 8, 3000)
    distinct, sums = sum_by_key(keys, weights)
    assert np.array_equal(distinct, np.unique(keys))
    for key, total in zip(distinct, sums, strict=True):
        added = 0.0
        for weight in weights[keys == key]:
            added += weight
        assert total == added
