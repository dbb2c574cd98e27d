"""Fast orders are the plain ones, to the last tie."""

import numpy as np
import pytest

from training.interactions import Histories
from training.models import compiled_sessions
from training.models.pool import Pool
from training.models.ragged import (
    Rows,
    best_of_rows,
    best_sums,
    best_totals,
    heaviest,
    pair_keys,
    stable_order,
    sum_by_key,
)


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


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 7, 100, 511, 512, 513, 2000])
def test_the_best_of_long_rows_are_those_of_a_plain_sort(n: int, kind: type) -> None:
    random = np.random.default_rng(n)
    indptr = np.array([0, 1500, 1500, 2000, 3500, 5000, 6500])
    item = np.concatenate([random.permutation(1500)[:length] for length in np.diff(indptr)]).astype(np.int32)
    score = (random.exponential(size=len(item)) ** 9).astype(kind)
    score[2000:3500] = np.round(score[2000:3500])  # ties beyond the last place
    score[3500:5000][random.random(1500) < 0.5] = -np.inf
    score[5000:6500][random.random(1500) < 0.1] = np.inf
    place, counts = best_of_rows(indptr, item, score, n)
    expected = plain_best(indptr, item, score, n)
    assert counts.tolist() == [len(row) for row in expected]
    assert place.tolist() == [k for row in expected for k in row]


def test_a_score_that_is_no_number_is_refused() -> None:
    score = np.full(40, np.nan)
    with pytest.raises(ValueError, match="all are numbers"):
        best_of_rows(np.array([0, 40]), np.arange(40, dtype=np.int32), score, 5)


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


def random_rows(random: np.random.Generator, rows: int, items: int, longest: int, kind: type = np.float64) -> Rows:
    lengths = random.integers(0, longest, rows)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    item = np.concatenate([random.choice(items, length, replace=False) for length in lengths]).astype(np.int32)
    return Rows(starts, item, random.integers(0, 5, len(item)).astype(kind) / 8)


def histories_of(rows: Rows) -> Histories:
    """Rows whose items were had."""
    count, events = len(rows.starts) - 1, len(rows.item)
    return Histories(
        user=np.arange(count, dtype=np.int32),
        as_of=np.zeros(count, np.int64),
        indptr=rows.starts,
        item=rows.item,
        kind=np.zeros(events, np.int8),
        time=np.zeros(events, np.int64),
        quantity=np.ones(events, np.float32),
        basket=np.full(events, -1, np.int64),
    )


def dense(rows: Rows, width: int) -> np.ndarray:
    matrix = np.zeros((len(rows.starts) - 1, width))
    np.add.at(matrix, (rows.row, rows.item), rows.weight)
    return matrix


def plain_lists(matrix: np.ndarray, n: int) -> list[list[tuple[int, float]]]:
    """The best of each row that are above zero, of equal ones the lower item."""
    return [
        [(i, row[i]) for i in sorted(np.flatnonzero(row > 0).tolist(), key=lambda i: (-row[i], i))[:n]]
        for row in matrix
    ]


def as_lists(rows: Rows) -> list[list[tuple[int, float]]]:
    bounds = zip(rows.starts[:-1].tolist(), rows.starts[1:].tolist(), strict=True)
    return [list(zip(rows.item[a:b].tolist(), rows.weight[a:b].tolist(), strict=True)) for a, b in bounds]


@pytest.mark.parametrize("with_own", [True, False])
@pytest.mark.parametrize("with_seen", [True, False])
@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("width", [40, 900])  # fewer and more items than entries: two ways to note what was met
def test_the_best_sums_are_those_of_a_product_of_matrices(with_own: bool, with_seen: bool, n: int, width: int) -> None:
    random = np.random.default_rng(3)
    asked, table = random_rows(random, 30, 12, 9), random_rows(random, 12, width, 30, np.float32)
    own = random_rows(random, 30, width, 8) if with_own else None
    seen = random_rows(random, 30, width, 6) if with_seen else None
    for array in table:
        array.setflags(write=False)  # as in a memory-mapped bundle
    expected = dense(asked, 12) @ dense(table, width) + (dense(own, width) if own else 0)
    if seen:
        expected[seen.row, seen.item] = 0
    had = histories_of(seen) if seen else None
    found = best_sums(asked, table, width, n, own=own, seen=had)
    assert as_lists(found) == plain_lists(expected, n)
    again = best_sums(asked, table, width, n, own=own, seen=had)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True)), "work was left behind"


def test_what_does_not_weigh_asks_nothing() -> None:
    table = Rows(np.array([0, 2, 3]), np.array([0, 1, 1], np.int32), np.array([1, 2, 4], np.float32))
    asked = Rows(np.array([0, 2, 3]), np.array([0, 1, 0], np.int32), np.array([0.0, 1.0, -1.0]))
    assert as_lists(best_sums(asked, table, 2, 5)) == [[(1, 4.0)], []]


def test_entries_of_one_item_are_added_up_in_their_order() -> None:
    rows = Rows(np.array([0, 3, 3, 5]), np.array([7, 2, 7, 1, 1], np.int32), np.array([1e16, 5, 1, 0, 3]))
    assert as_lists(best_totals(rows, 8, 9)) == [[(7, 1e16 + 1), (2, 5)], [], [(1, 3)]]


def test_the_heaviest_entry_of_an_item_counts() -> None:
    rows = Rows(np.array([0, 4, 4, 6]), np.array([7, 2, 7, 3, 1, 4], np.int32), np.array([1, 5, 6, 5, 0, -1.0]))
    assert as_lists(heaviest(rows, 8, 2)) == [[(7, 6), (2, 5)], [], []]
    assert as_lists(heaviest(rows, 8, 9)) == [[(7, 6), (2, 5), (3, 5)], [], []]


def test_the_newest_sessions_are_those_of_a_plain_look_through_all_lists() -> None:
    random = np.random.default_rng(4)
    sessions = [np.sort(random.choice(60, random.integers(0, 30), replace=False)).astype(np.int32) for _ in range(9)]
    starts = np.concatenate([[0], np.cumsum([len(each) for each in sessions])]).astype(np.int64)
    session, place = np.concatenate(sessions), random.integers(0, 20, starts[-1]).astype(np.int32)
    asked = random_rows(random, 20, 9, 7)
    for recent in (1, 10, 1000):
        found = compiled_sessions.newest_sessions(*asked, starts, session, place, recent)
        for row, (low, high) in enumerate(zip(asked.starts[:-1], asked.starts[1:], strict=True)):
            expected: dict[int, list[float]] = {}
            for item, weight in zip(asked.item[low:high], asked.weight[low:high], strict=True):
                for at in range(starts[item], starts[item + 1]):
                    kept = expected.setdefault(int(session[at]), [0.0, float(place[at])])
                    kept[0] += weight
            mine = slice(found[0][row], found[0][row + 1])
            newest = sorted(expected)[:recent]
            assert found[1][mine].tolist() == newest
            assert list(zip(found[2][mine], found[3][mine], strict=True)) == [tuple(expected[each]) for each in newest]


def test_scores_are_scaled_by_row_and_source() -> None:
    silent = np.nan
    score = np.array([[1, silent], [3, 5], [2, silent], [4, silent]], dtype=np.float32)
    scaled = Pool(3, np.array([0, 0, 0, 2], np.int32), np.arange(4, dtype=np.int32), score, score).normalised()
    assert scaled == pytest.approx(np.array([[0.1, 0], [1, 1], [0.55, 0], [1, 0]]))
