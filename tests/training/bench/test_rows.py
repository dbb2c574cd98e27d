"""Which rival counts, and the groups of users in which the comparison is repeated."""

import numpy as np
import pytest

from training.bench.measure import Cost
from training.bench.rows import Kind, Row, best_rival, compare, deciding_metric, slices
from training.evaluation.ranking import Ranking
from training.interactions import SECONDS_PER_DAY, Clock, Histories


def row(model: str, kind: Kind, values: list[float]) -> Row:
    return Row(model, kind, Ranking({"ndcg@10": np.array(values)}, {"coverage@10": 0.5}), Cost(1.23456, 78.9))


PIPELINE = row("pipeline", Kind.PIPELINE, [0.9, 0.5, 0.4])
ROWS = [
    PIPELINE,
    row("blend", Kind.BLEND, [0.9, 0.9, 0.9]),
    row("popular", Kind.BASELINE, [0.1, 0.1, 0.1]),
    row("covisit", Kind.SOURCE, [0.3, 0.5, 0.4]),
]


@pytest.mark.parametrize(("ks", "metric"), [((5, 10, 20), "ndcg@10"), ((5, 20), "ndcg@5"), ((7, 50), "ndcg@7")])
def test_the_deciding_k_is_the_nearest_to_ten(ks: tuple[int, ...], metric: str) -> None:
    assert deciding_metric(ks) == metric


def test_the_rival_is_a_baseline_or_a_source_and_never_a_part_of_the_pipeline() -> None:
    assert best_rival(ROWS, "ndcg@10").model == "covisit"


def test_comparison_is_by_user() -> None:
    found = compare(PIPELINE, ROWS[3], "ndcg@10")
    assert found["metric"] == "ndcg@10"
    assert found["against"] == "covisit"
    assert found["mean"] == pytest.approx(0.2)
    assert found["low"] == pytest.approx(0.0)


def test_a_row_as_json() -> None:
    assert ROWS[3].as_json() == {
        "model": "covisit",
        "kind": "source",
        "metrics": {"ndcg@10": pytest.approx(0.4), "coverage@10": 0.5},
        "seconds": 1.235,
        "peak_mb": 78.9,
    }


def test_slices_part_the_users_by_history_and_by_age() -> None:
    lengths = [0, 3, 6]
    now = 100 * SECONDS_PER_DAY
    m = sum(lengths)
    days = np.array([90, 91, 92, 10, 20, 30, 40, 50, 60])
    histories = Histories(
        user=np.array([-1, 0, 1], dtype=np.int32),
        as_of=np.full(3, now, dtype=np.int64),
        indptr=np.array([0, 0, 3, 9], dtype=np.int64),
        item=np.zeros(m, dtype=np.int32),
        kind=np.zeros(m, dtype=np.int8),
        time=days.astype(np.int64) * SECONDS_PER_DAY,
        quantity=np.ones(m, dtype=np.float32),
        basket=np.full(m, -1, dtype=np.int64),
        clock=Clock.TIMED,
    )
    found = slices(PIPELINE, ROWS[3], "ndcg@10", histories)
    assert {name: part["users"] for name, part in found.items()} == {
        "history 0": 1,
        "history 1-4": 1,
        "history 5-19": 1,
        "new users": 2,
        "old users": 1,
    }
    assert found["history 0"]["pipeline"] == pytest.approx(0.9)
    assert found["history 0"]["mean"] == pytest.approx(0.6)
    assert found["old users"]["rival"] == pytest.approx(0.4)
