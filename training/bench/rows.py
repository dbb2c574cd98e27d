"""The rows of a recommendation benchmark, and the comparisons between them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from training.bench.measure import Cost
from training.evaluation.paired import Paired, paired_bootstrap
from training.evaluation.ranking import Float64, Ranking
from training.interactions import Int32

SEED = 20170101
_PREFERRED_K = 10


class Kind(StrEnum):
    """What a row is: our whole product, a part of it, something it must beat, or what it can reach at most."""

    PIPELINE = "pipeline"
    BLEND = "blend"
    SOURCE = "source"
    BASELINE = "baseline"
    ORACLE = "oracle"


@dataclass(frozen=True)
class Row:
    """One recommender judged on the test users."""

    model: str
    kind: Kind
    ranking: Ranking
    cost: Cost
    lists: Int32 = field(repr=False)  # (q, K) item indices as they were judged, -1 for an empty place

    def as_json(self) -> dict[str, Any]:
        """The row as ``result.json`` has it."""
        return {
            "model": self.model,
            "kind": str(self.kind),
            "metrics": self.ranking.means(),
            "seconds": round(self.cost.seconds, 3),
            "peak_mb": round(self.cost.peak_mb, 1),
        }


def deciding_metric(ks: Sequence[int]) -> str:
    """``ndcg@10``, or at the ``k`` nearest to 10 that was asked for."""
    return f"ndcg@{min(ks, key=lambda k: (abs(k - _PREFERRED_K), k))}"


def best_rival(rows: Sequence[Row], metric: str) -> Row:
    """The best baseline or single source; of equals the first by name."""
    rivals = [row for row in rows if row.kind in (Kind.BASELINE, Kind.SOURCE)]
    return min(rivals, key=lambda row: (-row.ranking.per_user[metric].mean(), row.model))


def compare(a: Row, b: Row, metric: str) -> dict[str, Any]:
    """``a - b`` by user with its 95 % interval, as ``result.json`` has it."""
    return {"metric": metric, "against": b.model, **vars(_paired(a, b, metric))}


def standings(rows: Sequence[Row], rival: Row, metric: str) -> list[dict[str, Any]]:
    """Every row's value, and the interval in which it lies when the value of ``rival`` is taken as it is."""
    found = []
    for row in rows:
        value, gap = float(row.ranking.per_user[metric].mean()), _paired(row, rival, metric)
        low, high = value - gap.mean + gap.low, value - gap.mean + gap.high
        found.append({"model": row.model, "kind": str(row.kind), "value": value, "low": low, "high": high})
    return found


def difference(a: Float64, b: Float64) -> Paired:
    """``a - b``, aligned by user, with its 95 % interval; the same draws for every comparison of a result."""
    return paired_bootstrap(a, b, seed=SEED)


def _paired(a: Row, b: Row, metric: str) -> Paired:
    return difference(a.ranking.per_user[metric], b.ranking.per_user[metric])
