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
from training.models import compiled_als
from training.models.kind_weights import KindWeights
from training.models.ragged import Rows, best_totals, candidates, had_by
from training.models.recency import weights_of
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig
from training.models.taste import user_items

#: Products of vectors may exceed that of their lengths by rounding.
_MARGIN = np.float32(1 + 1e-5)


class AlsConfig(SourceConfig):
    """Settings of :class:`Als`."""

    factors: int = Field(default=64, gt=0)
    iterations: int = Field(default=10, gt=0)
    regularization: float = Field(default=0.05, gt=0)
    """L2 on both sides; without any a user's factors need not be determined."""
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
        length = np.linalg.norm(factors, axis=1)
        self._item = np.argsort(-length, kind="stable").astype(np.int32)  # (k,) those with events, the longest first
        self._item = self._item[np.isfinite(known[self._item])]
        self._longest = factors[self._item]  # (k, f)
        self._length = length[self._item] * _MARGIN  # (k,)
        self._place = np.full(len(factors), -1, dtype=np.int32)  # (items,) where each of them stands in these, or -1
        self._place[self._item] = np.arange(len(self._item))
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
        weight = weights_of(histories.kind, self._kinds)
        had = best_totals(Rows(histories.indptr, histories.item, weight), len(self._factors), self._config.history)
        confidence = self._config.alpha * np.log2(1 + had.weight)
        return compiled_als.folded_in(self._gram, self._factors, had.starts, had.item, confidence)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        seen = had_by(histories if exclude_seen else None)
        found = compiled_als.best_products(
            self.user_factors(histories), self._longest, self._length, self._item, self._place, *seen, n
        )
        return candidates(Rows(*found))

    def arrays(self) -> Arrays:
        return {"factors": self._factors, "known": self._known}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, AlsConfig)
        return cls(config, np.asarray(arrays["factors"]), np.asarray(arrays["known"]))
