import numpy as np
import pytest

from training.models.ensemble_selection import mean_ndcg, select_parts

RNG = np.random.default_rng(3)
GROUPS = np.full(200, 20, dtype=np.int64)
LISTS = np.concatenate([[0], np.cumsum(GROUPS)])
WORTH = RNG.normal(size=4000)
HIT = (WORTH + RNG.normal(size=4000) > 1.5).astype(np.float32)


def test_a_model_that_knows_nothing_gets_no_part():
    assert select_parts([RNG.normal(size=4000), WORTH], HIT, GROUPS)[0] == 0


def test_models_with_independent_errors_are_summed():
    views = [WORTH + RNG.normal(size=4000) for _ in range(2)]
    parts = select_parts(views, HIT, GROUPS)
    assert min(parts) > 0
    mixed = sum(part * view for part, view in zip(parts, views, strict=True))
    assert mean_ndcg(mixed, HIT, LISTS) > max(mean_ndcg(view, HIT, LISTS) for view in views)


def test_of_two_equal_models_the_first_is_taken_alone():
    assert select_parts([WORTH, WORTH], HIT, GROUPS) == (1, 0)


def test_ndcg_of_hand_made_lists():
    # The first list has its hit in second place, the second has two hits on top, the third has none and does not count.
    score, hit = np.array([2.0, 1, 3, 2, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 0, 0], dtype=np.float32)
    assert mean_ndcg(score, hit, np.array([0, 2, 5, 7])) == pytest.approx((1 / np.log2(3) + 1) / 2)


def test_without_any_hit_there_is_still_an_answer():
    nothing = np.zeros(4000, dtype=np.float32)
    assert sum(select_parts([WORTH], nothing, GROUPS)) == 1
