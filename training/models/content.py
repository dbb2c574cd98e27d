"""Items that are like what the user had, by category, brand, shop, price and words; they need no events of their own.

``score(u, i) = cos(profile(u), v(i))`` with the item vectors of :mod:`training.models.item_features` and
``profile(u) = sum over events of w(type) * recency^(steps back) * v(item)``. An inverted index answers: for each
feature the items that have it. Pazzani and Billsus, "Content-based recommendation systems" (The Adaptive Web, 2007).
"""

from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from training.interactions import Histories, Int32, Interactions
from training.models.item_features import FieldWeights, item_features
from training.models.kind_weights import KindWeights
from training.models.neighbours import HistoryWeighting, Sparse
from training.models.ragged import best_of_rows, group_sums, no_candidates, seen_keys, select
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows answered at a time: bounds the block of scores.
_BLOCK = 64
_CSR = ("data", "indices", "indptr")


class ContentConfig(SourceConfig):
    """Settings of :class:`Content`."""

    recency: float = Field(default=0.9, gt=0, le=1)
    """Factor per moment back in the history that asks."""
    history: int = Field(default=50, gt=0)
    """Moments of the history that ask."""
    features: int = Field(default=60, gt=0)
    """Heaviest features of a profile that are looked up."""
    postings: int = Field(default=4000, gt=0)
    """Items looked up per feature, those that it says most of first: bounds the time of one answer."""
    fields: FieldWeights = FieldWeights()
    kinds: KindWeights = KindWeights()


class Content(CandidateSource):
    """Content-based filtering."""

    name: ClassVar[str] = "content"
    Config: ClassVar[type[SourceConfig]] = ContentConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"recency", "history", "features", "kinds"})

    def __init__(self, config: ContentConfig, vectors: Sparse, index: Sparse) -> None:
        self._config = config
        self._vectors = vectors  # (items, features)
        self._index = index  # (features, items) at most ``postings`` per row
        self._weighting = HistoryWeighting(config.kinds.table(), config.recency, config.history)

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ContentConfig)
        vectors = item_features(data.catalogue, config.fields)
        return cls(config, vectors, _strongest(sp.csr_array(vectors.T), config.postings))

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        items = self._vectors.shape[0]
        weight = self._weighting.weights(histories)
        parts = []
        for start in range(0, len(histories), _BLOCK):
            block = histories.slice(start, min(start + _BLOCK, len(histories)))
            low = int(histories.indptr[start])
            found = self._profiles(block, weight[low : low + len(block.item)]) @ self._index
            owner = np.repeat(np.arange(len(block), dtype=np.int32), np.diff(found.indptr))
            seen = seen_keys(block, items) if exclude_seen else None
            best = select(block, owner, found.indices, found.data, n, seen=seen, items=items)
            parts.append(Candidates(best.row + np.int32(start), best.item, best.score))
        if not parts:
            return no_candidates()
        return Candidates(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "item", "score"))
        )

    def because(self, histories: Histories, row: Int32, item: Int32) -> Int32:
        answer = np.full(len(row), -1, dtype=np.int32)
        weight = self._weighting.weights(histories)
        for place in range(len(row)):
            low, high = int(histories.indptr[row[place]]), int(histories.indptr[row[place] + 1])
            had = histories.item[low:high]
            like = (self._vectors[had] @ self._vectors[[int(item[place])]].T).toarray().ravel() * weight[low:high]
            if len(like) and like.max() > 0:
                answer[place] = had[int(like.argmax())]
        return answer

    def _profiles(self, histories: Histories, weight: np.ndarray) -> Sparse:
        """(q, features) the heaviest features of each history, of length 1."""
        asking = sp.csr_array(
            (weight, histories.item, histories.indptr), shape=(len(histories), self._vectors.shape[0])
        )
        whole = sp.csr_array(asking @ self._vectors)
        whole.sort_indices()
        profiles = _strongest(whole, self._config.features)
        row = np.repeat(np.arange(len(histories)), np.diff(profiles.indptr))
        length = np.sqrt(group_sums(row, profiles.data.astype(np.float64) ** 2, len(histories)))
        profiles.data = (profiles.data / np.maximum(length, 1e-12)[row]).astype(np.float32)
        return profiles

    def arrays(self) -> Arrays:
        parts = {"vectors": self._vectors, "index": self._index}
        return {f"{name}_{part}": getattr(matrix, part) for name, matrix in parts.items() for part in _CSR} | {
            "shape": np.array(self._vectors.shape, dtype=np.int64)
        }

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, ContentConfig)
        items, features = arrays["shape"].tolist()
        shapes = {"vectors": (items, features), "index": (features, items)}
        vectors, index = (
            sp.csr_array(tuple(np.asarray(arrays[f"{name}_{part}"]) for part in _CSR), shape=shape)
            for name, shape in shapes.items()
        )
        return cls(config, vectors, index)


def _strongest(matrix: Sparse, n: int) -> Sparse:
    """The ``n`` largest entries of every row, by column."""
    place, counts = best_of_rows(matrix.indptr.astype(np.int64), matrix.indices, matrix.data, n)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    kept = sp.csr_array((matrix.data[place], matrix.indices[place], indptr), shape=matrix.shape)
    kept.sort_indices()
    return kept
