"""The factors are those that solve the equations, and the best products those of all products."""

from itertools import pairwise

import numpy as np
import pytest

from training.models import compiled_als
from training.models.ragged import had_by


@pytest.mark.parametrize("width", [1, 5, 64])
def test_factors_solve_the_normal_equations_of_each_history(width: int) -> None:
    random = np.random.default_rng(width)
    factors = random.normal(size=(50, width)).astype(np.float32)
    gram = factors.T.astype(np.float64) @ factors + 0.1 * np.eye(width)
    starts = np.array([0, 9, 9, 10, 40])
    item = np.concatenate([random.choice(50, length, replace=False) for length in np.diff(starts)]).astype(np.int32)
    confidence = 1 + 20 * random.random(len(item))
    solved = compiled_als.folded_in(gram, factors, starts, item, confidence)
    for row, (low, high) in enumerate(pairwise(starts)):
        taken, weight = factors[item[low:high]].astype(np.float64), confidence[low:high]
        expected = np.linalg.solve(gram + (taken.T * (weight - 1)) @ taken, taken.T @ weight)
        assert solved[row] == pytest.approx(expected, rel=1e-5, abs=1e-6)
        alone = compiled_als.folded_in(gram, factors, np.array([0, high - low]), item[low:high], weight)
        assert np.array_equal(alone[0], solved[row])


@pytest.mark.parametrize("n", [1, 20, 2000])
@pytest.mark.parametrize("with_seen", [True, False])
def test_no_product_that_is_among_the_best_is_passed_over(n: int, with_seen: bool) -> None:
    random = np.random.default_rng(n)
    scale = random.exponential(size=(1800, 1)) ** 3  # few long ones, as popular items are
    factors = (random.normal(size=(1800, 16)) * scale).astype(np.float32)
    order = np.argsort(-np.linalg.norm(factors, axis=1), kind="stable").astype(np.int32)[:1700]
    place = np.full(1800, -1, dtype=np.int32)
    place[order] = np.arange(1700)
    length = (np.linalg.norm(factors[order], axis=1) * 1.00001).astype(np.float32)
    users = random.normal(size=(6, 16)).astype(np.float32)
    users[3] = 0
    seen = np.stack([random.choice(1800, 90, replace=False) for _ in users]).astype(np.int32)
    had = (np.arange(7, dtype=np.int64) * 90, seen.ravel()) if with_seen else had_by(None)
    starts, item, product = compiled_als.best_products(users, factors[order], length, order, place, *had, n)
    for row, user in enumerate(users):
        mine = slice(starts[row], starts[row + 1])
        if not user.any():
            assert not len(item[mine])
            continue
        usable = set(order.tolist()) - (set(seen[row].tolist()) if with_seen else set())
        exact = factors.astype(np.float64) @ user
        expected = sorted(usable, key=lambda i: -exact[i])[:n]
        assert item[mine].tolist() == expected
        assert product[mine] == pytest.approx(exact[expected], rel=1e-4, abs=1e-4)
