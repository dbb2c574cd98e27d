"""The linear source: the closed form on a small case, its direction, and what it does without order or events."""

import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.models.logs import PURCHASE, VIEW, everybody, history, make_log, random_log
from training.interactions import Clock
from training.models.head_ridge import HeadRidge
from training.models.linear import Linear, LinearConfig, questions


def chain(users=30, clock=Clock.TIMED):
    """Everybody takes 0, then 1, then 2; others take 3, then 4."""
    rows = [(u, i, d, PURCHASE) for u in range(users) for d, i in enumerate((0, 1, 2))]
    rows += [(users + u, i, d, PURCHASE) for u in range(users) for d, i in enumerate((3, 4))]
    return make_log(rows, clock=clock)


def dense(neighbours):
    n = len(neighbours)
    return sp.csr_array((neighbours.weight, neighbours.item, neighbours.indptr), shape=(n, n)).toarray()


def closed_form(x, left, right, penalty):
    """Constrained ridge column by column: each target without its own source, by ordinary linear algebra."""
    n = x.shape[1]
    weights = np.zeros((n, n))
    for target in range(n):
        others = np.flatnonzero(np.arange(n) != target)
        gram = x[:, others].T @ x[:, others] + penalty * np.eye(n - 1)
        weights[others, target] = np.linalg.solve(gram, left[:, others].T @ right[:, target])
    return np.maximum(weights, 0)


@pytest.fixture(scope="module")
def matrices():
    rng = np.random.default_rng(3)
    x, y = (rng.random((200, 12)) * (rng.random((200, 12)) < 0.3) for _ in range(2))
    return x.astype(np.float32), y.astype(np.float32)


class TestHeadRidge:
    def test_it_equals_one_regression_per_target(self, matrices):
        x, y = matrices
        found = HeadRidge(2.0, head=50, targets=50, neighbours=50).fit(*map(sp.csr_array, (x, x, y)))
        penalty = 2.0 * (x**2).sum(axis=0).mean()
        np.testing.assert_allclose(dense(found), closed_form(x, x, y, penalty), atol=2e-5)

    def test_with_itself_as_the_target_it_is_ease(self, matrices):
        x, _ = matrices
        found = HeadRidge(1.0, head=50, targets=50, neighbours=50).fit(*map(sp.csr_array, (x, x, x)))
        inverse = np.linalg.inv(x.T @ x + np.eye(12) * (x**2).sum(axis=0).mean())
        ease = -inverse / np.diag(inverse)
        np.fill_diagonal(ease, 0)
        np.testing.assert_allclose(dense(found), np.maximum(ease, 0), atol=2e-5)

    def test_items_outside_the_head_are_regressed_one_by_one(self, matrices):
        x, y = matrices
        found = dense(HeadRidge(2.0, head=5, targets=50, neighbours=50).fit(*map(sp.csr_array, (x, x, y))))
        energy = (x**2).sum(axis=0)
        tail = np.argsort(-energy)[5:]
        alone = (x.T @ y) / (energy + 2.0 * energy.mean())[:, None]
        np.fill_diagonal(alone, 0)
        np.testing.assert_allclose(found[tail], alone[tail], rtol=1e-4, atol=1e-6)
        head = np.argsort(-energy)[:5]
        assert not np.allclose(found[head], alone[head], rtol=0.05)

    def test_it_keeps_the_strongest(self, matrices):
        x, y = matrices
        few, all_ = (HeadRidge(2.0, 50, 50, n).fit(*map(sp.csr_array, (x, x, y))) for n in (3, 50))
        for item in range(12):
            assert few.of(item, 3)[0].tolist() == all_.of(item, 3)[0].tolist()
            assert len(few.of(item, 9)[0]) <= 3


class TestQuestions:
    def test_a_question_is_the_past_and_its_target_the_future(self):
        log = make_log([(0, i, i, PURCHASE) for i in range(4)], clock=Clock.ORDERED)
        asked, following = questions(log, LinearConfig(recency=0.5, gap_decay=0.1, gaps=2))
        assert asked.toarray().tolist() == [[1, 0, 0, 0], [0.5, 1, 0, 0], [0.25, 0.5, 1, 0]]
        np.testing.assert_allclose(following.toarray(), [[0, 1, 0.1, 0], [0, 0, 1, 0.1], [0, 0, 0, 1]], rtol=1e-6)

    def test_nothing_passes_from_one_user_to_the_next(self):
        log = make_log([(0, 0, 0, PURCHASE), (0, 1, 1, PURCHASE), (1, 2, 0, PURCHASE), (1, 3, 1, PURCHASE)])
        asked, following = questions(log, LinearConfig())
        assert asked.toarray().tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
        assert following.toarray().tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]

    def test_past_the_budget_fewer_questions_keep_their_weight(self):
        log = random_log()
        every, some = (questions(log, LinearConfig(pair_budget=b))[0] for b in (10**9, 20_000))
        assert some.shape[0] < every.shape[0] / 2
        assert some.power(2).sum() == pytest.approx(every.power(2).sum(), rel=0.15)


class TestLinear:
    def test_it_points_forward(self):
        source = Linear.fit(chain(), LinearConfig(backward=0.0, taste=0.0, regularization=0.1))
        assert source.retrieve(history([(0, 10, PURCHASE)]), 5, exclude_seen=True).item.tolist() == [1, 2]
        assert source.retrieve(history([(1, 10, PURCHASE)]), 5, exclude_seen=True).item.tolist() == [2]
        assert not len(source.retrieve(history([(2, 10, PURCHASE)]), 5, exclude_seen=True).item)

    def test_backward_and_taste_reach_what_came_before(self):
        for config in (LinearConfig(backward=0.5, taste=0.0), LinearConfig(backward=0.0, taste=1.0)):
            found = Linear.fit(chain(), config).retrieve(history([(1, 10, PURCHASE)]), 5, exclude_seen=True)
            assert found.item.tolist() == [2, 0]

    def test_the_newest_step_speaks_loudest(self):
        source = Linear.fit(chain(), LinearConfig())
        found = source.retrieve(history([(3, 1, PURCHASE), (1, 2, PURCHASE)]), 1, exclude_seen=True)
        assert found.item.tolist() == [2]

    def test_a_pair_that_a_third_item_explains_counts_less(self):
        """0 comes before 2 only where 1 does; apart from each other (a head of one) both are credited in full."""
        rows = [(u, i, d, PURCHASE) for u in range(40) for d, i in enumerate((0, 1, 2))]
        rows += [(u, i, d, PURCHASE) for u in range(40, 80) for d, i in enumerate((1, 2))]
        rows += [(u, i, d, PURCHASE) for u in range(80, 120) for d, i in enumerate((0, 3))]
        config = LinearConfig(gap_decay=1.0, recency=1.0, taste=0.0, backward=0.0, regularization=0.1)
        joint, alone = (Linear.fit(make_log(rows), config.model_copy(update={"head": h})) for h in (10, 1))
        share = [dense(s.neighbours)[0, 2] / dense(s.neighbours)[1, 2] for s in (joint, alone)]
        assert share[0] < 0.85 * share[1]

    def test_purchases_tie_items_closer_than_views(self):
        rows = [(u, i, d, PURCHASE) for u in range(9) for d, i in enumerate((0, 1))]
        rows += [(u, i, d, VIEW) for u in range(9, 18) for d, i in enumerate((0, 2))]
        assert Linear.fit(make_log(rows), LinearConfig()).neighbours.of(0, 2)[0].tolist() == [1, 2]

    def test_without_order_only_taste_is_left_and_it_is_symmetric_in_time(self):
        source = Linear.fit(chain(clock=Clock.NONE), LinearConfig())
        found = source.retrieve(history([(1, 0, PURCHASE)], clock=Clock.NONE), 5, exclude_seen=True)
        assert set(found.item.tolist()) == {0, 2}
        assert found.score[0] == pytest.approx(found.score[1], rel=1e-4)

    def test_a_log_without_events_finds_nothing(self):
        log = random_log()
        source = Linear.fit(log.where(np.zeros(len(log), dtype=np.bool_)), LinearConfig())
        assert len(source.neighbours) == len(log.items)
        assert not len(source.retrieve(everybody(log), 5, exclude_seen=False).item)

    def test_the_part_that_speaks_for_an_item_is_named(self):
        source = Linear.fit(chain(), LinearConfig(taste=0.0, backward=0.0))
        asked = history([(3, 1, PURCHASE), (1, 2, PURCHASE)])
        because = source.because(asked, np.array([0, 0], dtype=np.int32), np.array([2, 4], dtype=np.int32))
        assert because.tolist() == [1, 3]
