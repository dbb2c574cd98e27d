"""The rows of a recommendation benchmark, and the comparisons between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from training.bench.measure import Cost
from training.evaluation.paired import Paired, paired_bootstrap
from training.evaluation.ranking import Ranking
from training.interactions import SECONDS_PER_DAY, Bool, Clock, Histories, Int64

SEED = 20170101
_PREFERRED_K = 10
_NEW_USER_DAYS = 28
_HISTORY_BOUNDS = (0, 1, 5, 20, 100, 500)


class Kind(StrEnum):
    """What a row is: our whole product, a part of it, or something it must beat."""

    PIPELINE = "pipeline"
    BLEND = "blend"
    SOURCE = "source"
    BASELINE = "baseline"


@dataclass(frozen=True)
class Row:
    """One recommender judged on the test users."""

    model: str
    kind: Kind
    ranking: Ranking
    cost: Cost

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
    return {"metric": metric, "against": b.model, **vars(_paired(a, b, metric, None))}


def slices(pipeline: Row, rival: Row, metric: str, histories: Histories) -> dict[str, Any]:
    """The comparison within groups of users: by length of history, and new against old ones."""
    result: dict[str, Any] = {}
    for name, members in _groups(histories).items():
        if members.any():
            result[name] = {
                "users": int(members.sum()),
                "metric": metric,
                "pipeline": float(pipeline.ranking.per_user[metric][members].mean()),
                "against": rival.model,
                "rival": float(rival.ranking.per_user[metric][members].mean()),
                **vars(_paired(pipeline, rival, metric, members)),
            }
    return result


def _paired(a: Row, b: Row, metric: str, members: Bool | None) -> Paired:
    chosen = slice(None) if members is None else members
    return paired_bootstrap(a.ranking.per_user[metric][chosen], b.ranking.per_user[metric][chosen], seed=SEED)


def _groups(histories: Histories) -> dict[str, Bool]:
    length = np.diff(histories.indptr)
    groups: dict[str, Bool] = {}
    for low, high in zip(_HISTORY_BOUNDS, (*_HISTORY_BOUNDS[1:], None), strict=True):
        label = f"history {low}+" if high is None else f"history {low}-{high - 1}" if high - low > 1 else "history 0"
        groups[label] = (length >= low) & (length < (np.inf if high is None else high))
    if histories.clock is Clock.TIMED:
        new = histories.as_of - _first_event(histories) < _NEW_USER_DAYS * SECONDS_PER_DAY
        groups |= {"new users": new, "old users": ~new}
    return groups


def _first_event(histories: Histories) -> Int64:
    """(q,) the time of the first event; ``as_of`` for an empty history."""
    first = histories.as_of.copy()
    known = np.diff(histories.indptr) > 0
    first[known] = histories.time[histories.indptr[:-1][known]]
    return first
