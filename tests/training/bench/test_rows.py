"""Which rival counts, and by how much one row is better than another."""

import numpy as np
import pytest

from training.bench.measure import Cost
from training.bench.rows import Kind, Row, best_rival, compare, deciding_metric, standings
from training.evaluation.ranking import Ranking


def row(model: str, kind: Kind, values: list[float]) -> Row:
    ranking = Ranking({"ndcg@10": np.array(values)}, {"coverage@10": 0.5})
    return Row(model, kind, ranking, Cost(1.23456, 78.9), np.zeros((len(values), 10), dtype=np.int32))


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


def test_standings_hold_the_rival_still() -> None:
    found = {row["model"]: row for row in standings(ROWS, ROWS[3], "ndcg@10")}
    rival = found["covisit"]
    assert (rival["value"], rival["low"], rival["high"]) == pytest.approx((0.4, 0.4, 0.4))
    assert found["pipeline"]["value"] == pytest.approx(0.6)
    assert found["pipeline"]["low"] == pytest.approx(0.4)
    assert found["pipeline"]["high"] == pytest.approx(1.0)
