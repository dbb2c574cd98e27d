"""How good ranked lists are: metrics per user, so that two lists can be compared user by user.

A list is a row of a (q, K) Int32 array of item indices, best first, padded with -1. Relevance is binary. Every metric
looks at the first ``k`` places only and ranks stand against the whole catalogue, never against sampled negatives
(Krichene and Rendle, "On sampled metrics for item recommendation", KDD 2020).

To add a metric: write a function of :class:`Hits` and decorate it with :func:`per_user`; the name given there plus
``@k`` is the column of every table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.evaluation.fold import Truth
from training.interactions import Bool, Int32, Int64

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hits:
    """Where the first ``k`` places of ``q`` lists hold a true item."""

    hit: Bool  # (q, k)
    truth_size: Int64  # (q,) number of true items, at least 1

    @property
    def k(self) -> int:
        """Length of the lists."""
        return int(self.hit.shape[1])

    @property
    def reachable(self) -> Int64:
        """(q,) the most hits that a list of length ``k`` can hold: ``min(k, |truth|)``."""
        return np.minimum(self.k, self.truth_size)

    def at(self, k: int) -> "Hits":
        """The same lists cut to ``k`` places."""
        return Hits(self.hit[:, :k], self.truth_size)


Metric = Callable[[Hits], Float64]

#: Every per-user metric by name.
METRICS: dict[str, Metric] = {}


def per_user(name: str) -> Callable[[Metric], Metric]:
    """Enter the decorated function in :data:`METRICS`; two of one name raise ``ValueError``."""

    def enter(metric: Metric) -> Metric:
        if name in METRICS:
            raise ValueError(f"two ranking metrics are called {name!r}")
        METRICS[name] = metric
        return metric

    return enter


@per_user("recall")
def recall(hits: Hits) -> Float64:
    """``hits / |truth|``: the share of what the user took that the list held (Salton and McGill, 1983)."""
    found: Float64 = hits.hit.sum(axis=1) / hits.truth_size
    return found


@per_user("ndcg")
def ndcg(hits: Hits) -> Float64:
    """``DCG / IDCG``, ``DCG = sum over hits of 1 / log2(rank + 1)``, ranks from 1.

    ``IDCG`` is the DCG of ``min(k, |truth|)`` hits at the top (Järvelin and Kekäläinen, ACM TOIS 20(4), 2002).
    """
    discount = 1.0 / np.log2(np.arange(2, hits.k + 2))
    ideal = np.cumsum(discount)[hits.reachable - 1]
    gained: Float64 = hits.hit @ discount / ideal
    return gained


@per_user("hit")
def any_hit(hits: Hits) -> Float64:
    """1 where the list holds any true item, else 0."""
    found: Float64 = hits.hit.max(axis=1, initial=False).astype(np.float64)
    return found


@per_user("mrr")
def mrr(hits: Hits) -> Float64:
    """``1 / rank`` of the first hit, 0 without one (Voorhees, TREC-8, 1999)."""
    first: Float64 = 1.0 / (hits.hit.argmax(axis=1) + 1)
    return first * any_hit(hits)


@per_user("map")
def average_precision(hits: Hits) -> Float64:
    """Average precision ``sum over hits of precision@rank / min(k, |truth|)`` (Buckley and Voorhees, 2000).

    The denominator is what a list of length ``k`` can reach, so that a perfect list scores 1.
    """
    precision = np.cumsum(hits.hit, axis=1) / np.arange(1, hits.k + 1)
    averaged: Float64 = (precision * hits.hit).sum(axis=1) / hits.reachable
    return averaged


@dataclass(frozen=True)
class Ranking:
    """The judgement of one recommender on one fold; keys look like ``ndcg@10``."""

    per_user: dict[str, Float64]  # each (q,)
    aggregate: dict[str, float]  # coverage and novelty, which are not means over users

    def means(self) -> dict[str, float]:
        """Every metric as one number: means over users, then the aggregates."""
        return {name: float(values.mean()) for name, values in self.per_user.items()} | self.aggregate


def find_hits(recommended: Int32, truth: Truth) -> Hits:
    """Mark the places of ``recommended`` (q, K) that hold a true item of their row.

    An item that stands twice in a list counts at its first place only. Raises ``ValueError`` when the rows do not
    match the truth or a row has no true item.
    """
    truth_size = np.diff(truth.indptr)
    if len(recommended) != len(truth_size):
        raise ValueError(f"{len(recommended)} lists cannot be judged against the truth of {len(truth_size)} users")
    if not truth_size.all():
        raise ValueError(f"row {int(np.argmin(truth_size))} has no true item; metrics are not defined for it")
    width = int(max(recommended.max(initial=-1), truth.item.max(initial=-1))) + 1
    rows = np.arange(len(truth_size), dtype=np.int64)
    wanted = np.repeat(rows, truth_size) * width + truth.item
    offered = np.where(recommended >= 0, rows[:, None] * width + recommended, -1)
    hit = np.isin(offered, wanted)
    row, place = np.nonzero(hit)
    _, first = np.unique(offered[row, place], return_index=True)
    once = np.zeros_like(hit)
    once[row[first], place[first]] = True
    return Hits(once, truth_size)


def coverage(recommended: Int32, popularity: Int64) -> float:
    """Share of the items known in training that stand in at least one list (Ge et al., RecSys 2010).

    ``popularity`` (n,) counts the training events of each item; an item is known when it has any.
    """
    offered = np.unique(recommended[recommended >= 0])
    known = int(np.count_nonzero(popularity))
    return float(np.count_nonzero(popularity[offered])) / known if known else 0.0


def novelty(recommended: Int32, popularity: Int64) -> float:
    """Mean ``-log2(share of training events)`` of the places filled, in bits (Zhou et al., PNAS 107(10), 2010).

    An item without training events counts as if it had one. 0 when nothing was recommended.
    """
    offered = recommended[recommended >= 0]
    if not offered.size:
        return 0.0
    share = np.maximum(popularity[offered], 1) / max(int(popularity.sum()), 1)
    return float(-np.log2(share).mean())


def judge(recommended: Int32, truth: Truth, ks: Sequence[int], popularity: Int64) -> Ranking:
    """Every metric at every ``k``. Lists shorter than ``k`` count as having empty places at the end.

    ``recommended`` is (q, K) with -1 for an empty place; ``popularity`` (n,) the training events per item.
    """
    missing = max(0, max(ks) - recommended.shape[1])
    lists = np.pad(recommended, ((0, 0), (0, missing)), constant_values=-1)
    hits = find_hits(lists, truth)
    people: dict[str, Float64] = {}
    aggregate: dict[str, float] = {}
    for k in ks:
        cut = hits.at(k)
        people |= {f"{name}@{k}": metric(cut) for name, metric in METRICS.items()}
        aggregate[f"coverage@{k}"] = coverage(lists[:, :k], popularity)
        aggregate[f"novelty@{k}"] = novelty(lists[:, :k], popularity)
    return Ranking(people, aggregate)
