"""Implicit matrix factorisation by ``implicit.als``, with the user's factors solved from his history at query time.

Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008). The factors of users are
thrown away after the fit: ``x = (Y'Y + Y'(C - I)Y + reg I)^-1 Y'C 1`` is solved for the history that is asked, so
events that came after the fit count and a user who came after it is answered.
"""

from typing import ClassVar, Self

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import Field
from threadpoolctl import threadpool_limits

from training.interactions import Float32, Histories, Interactions
from training.models import compiled_best
from training.models.kind_weights import KindWeights
from training.models.ragged import (
    Float64,
    Rows,
    best_of_rows,
    no_candidates,
    pair_keys,
    row_starts,
    seen_keys,
    select,
    sum_by_key,
)
from training.models.recency import weights_of
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig
from training.models.taste import user_items

#: Rows scored at a time: bounds the dense block of scores.
_BLOCK = 256


class AlsConfig(SourceConfig):
    """Settings of :class:`Als`."""

    factors: int = Field(default=64, gt=0)
    iterations: int = Field(default=10, gt=0)
    regularization: float = Field(default=0.05, ge=0)
    """L2 on both sides."""
    alpha: float = Field(default=5.0, gt=0)
    """Confidence of one event above the confidence 1 of nothing."""
    history: int = Field(default=400, gt=0)
    """Items of the history that count, the heaviest first."""
    seed: int = 0
    threads: int = Field(default=0, ge=0)
    """Threads of the fit; 0 means all cores."""
    kinds: KindWeights = KindWeights()


class Als(CandidateSource):
    """Implicit ALS with fold-in."""

    name: ClassVar[str] = "als"
    Config: ClassVar[type[SourceConfig]] = AlsConfig

    def __init__(self, config: AlsConfig, factors: Float32, known: Float32) -> None:
        self._config = config
        self._factors = factors  # (items, f)
        self._known = known  # (items,) 0 for items with events in the fit, -inf for the others
        self._kinds = config.kinds.table()
        wide = factors.astype(np.float64)
        self._gram = wide.T @ wide + config.regularization * np.eye(factors.shape[1])

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, AlsConfig)
        items = len(data.items)
        matrix = user_items(data, config.kinds.table())
        known = np.where(np.bincount(matrix.indices, minlength=items) > 0, 0.0, -np.inf).astype(np.float32)
        if not matrix.nnz:
            return cls(config, np.zeros((items, config.factors), dtype=np.float32), known)
        # The library runs its own threads; a threaded BLAS below them only gets in the way.
        with threadpool_limits(limits=1, user_api="blas"):
            model = AlternatingLeastSquares(
                factors=config.factors,
                iterations=config.iterations,
                regularization=config.regularization,
                alpha=config.alpha,
                random_state=config.seed,
                num_threads=config.threads,
            )
            model.fit(matrix, show_progress=False)
        return cls(config, np.asarray(model.item_factors, dtype=np.float32), known)

    def user_factors(self, histories: Histories) -> Float32:
        """(q, f) factors solved from each history; zero for an empty one."""
        items, width = self._factors.shape
        weight = weights_of(histories.kind, self._kinds)
        keys, total = sum_by_key(pair_keys(histories.row, histories.item, items), weight)
        keys, total = keys[total > 0], total[total > 0]
        confidence = self._config.alpha * np.log2(1 + total)
        item = (keys % items).astype(np.int32)
        indptr = row_starts((keys // items).astype(np.int32), len(histories))
        place, counts = best_of_rows(indptr, item, confidence, self._config.history)
        ends = np.cumsum(counts)
        solved = np.zeros((len(histories), width), dtype=np.float32)
        for row in np.flatnonzero(counts).tolist():
            mine = place[ends[row] - counts[row] : ends[row]]
            taken = self._factors[item[mine]].astype(np.float64)
            left = self._gram + (taken.T * (confidence[mine] - 1)) @ taken
            solved[row] = np.linalg.solve(left, taken.T @ confidence[mine])
        return solved

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        filled = np.flatnonzero(np.diff(histories.indptr))
        if not len(filled):
            return no_candidates()
        users, items = self.user_factors(histories), len(self._factors)
        seen = seen_keys(histories, items) if exclude_seen else None
        rows, found = [], []
        for start in range(0, len(filled), _BLOCK):
            block = filled[start : start + _BLOCK]
            scores = users[block] @ self._factors.T + self._known
            if exclude_seen:
                part, place = _positions(histories, block)
                scores[part, place] = -np.inf
            take = min(n, items)
            starts, place = compiled_best.contenders(np.arange(len(block) + 1) * items, scores.ravel(), take)
            usable = np.isfinite(scores.ravel()[place])
            rows.append(np.repeat(block, np.diff(starts))[usable])
            found.append(place[usable] % items)
        row = np.concatenate(rows).astype(np.int32)
        item = np.concatenate(found).astype(np.int32)
        # Scored again pair by pair: a product of matrices rounds differently for one row than for many.
        score: Float64 = np.einsum("ij,ij->i", users[row], self._factors[item]).astype(np.float64)
        return select(Rows(row_starts(row, len(histories)), item, score), n, seen=seen, items=items)

    def arrays(self) -> Arrays:
        return {"factors": self._factors, "known": self._known}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, AlsConfig)
        return cls(config, np.asarray(arrays["factors"]), np.asarray(arrays["known"]))


def _positions(histories: Histories, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row within ``block``, item) of every event of the rows in ``block``."""
    lengths = np.diff(histories.indptr)[block]
    events = np.concatenate([np.arange(histories.indptr[r], histories.indptr[r + 1]) for r in block])
    return np.repeat(np.arange(len(block)), lengths), histories.item[events]
