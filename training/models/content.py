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
from training.models.blocks import by_blocks
from training.models.item_features import FieldWeights, item_features
from training.models.kind_weights import KindWeights
from training.models.neighbours import HistoryWeighting, Sparse
from training.models.ragged import (
    Rows,
    best_of_rows,
    best_sums,
    candidates,
    ends_of,
    group_sums,
    spans,
)
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows answered at a time: bounds the block of scores.
_BLOCK = 64
_CSR = {"indptr": np.int64, "indices": np.int32, "data": np.float32}


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

    def __init__(self, config: ContentConfig, vectors: Rows, index: Rows) -> None:
        self._config = config
        self._vectors = vectors  # of each item its features
        self._index = index  # of each feature its items, at most ``postings``
        self._weighting = HistoryWeighting(config.kinds.table(), config.recency, config.history)

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ContentConfig)
        vectors = item_features(data.catalogue, config.fields)
        return cls(config, _rows(vectors), _strongest(_rows(sp.csr_array(vectors.T)), config.postings))

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        return by_blocks(histories, _BLOCK, lambda block: self._retrieve(block, n, exclude_seen))

    def _retrieve(self, histories: Histories, n: int, exclude_seen: bool) -> Candidates:
        seen = histories if exclude_seen else None
        return candidates(best_sums(self._profiles(histories), self._index, self._items, n, seen=seen))

    def because(self, histories: Histories, row: Int32, item: Int32) -> Int32:
        answer = np.full(len(row), -1, dtype=np.int32)
        weight = self._weighting.weights(histories)
        asked = np.zeros(len(self._index.starts) - 1)
        for place in range(len(row)):
            low, high = int(histories.indptr[row[place]]), int(histories.indptr[row[place] + 1])
            had = histories.item[low:high]
            of_item = slice(int(self._vectors.starts[item[place]]), int(self._vectors.starts[item[place] + 1]))
            asked[self._vectors.item[of_item]] = self._vectors.weight[of_item]
            counts = np.diff(self._vectors.starts)[had]
            pair = spans(self._vectors.starts[:-1][had], counts)
            product = asked[self._vectors.item[pair]] * self._vectors.weight[pair]
            like = group_sums(np.repeat(np.arange(len(had)), counts), product, len(had)) * weight[low:high]
            asked[self._vectors.item[of_item]] = 0
            if len(like) and like.max() > 0:
                answer[place] = had[int(like.argmax())]
        return answer

    @property
    def _items(self) -> int:
        return len(self._vectors.starts) - 1

    def _profiles(self, histories: Histories) -> Rows:
        """The heaviest features of each history, of length 1."""
        asking = Rows(histories.indptr, histories.item, self._weighting.weights(histories))
        heaviest = best_sums(asking, self._vectors, len(self._index.starts) - 1, self._config.features)
        length = np.sqrt(group_sums(heaviest.row, heaviest.weight**2, len(histories)))
        return heaviest._replace(weight=heaviest.weight / length[heaviest.row])

    def arrays(self) -> Arrays:
        made: Arrays = {}
        for name, rows in (("vectors", self._vectors), ("index", self._index)):
            made |= {f"{name}_indptr": rows.starts, f"{name}_indices": rows.item, f"{name}_data": rows.weight}
        return made

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, ContentConfig)
        vectors, index = (
            Rows(*(np.asarray(arrays[f"{name}_{part}"], kind) for part, kind in _CSR.items()))
            for name in ("vectors", "index")
        )
        return cls(config, vectors, index)


def _rows(matrix: Sparse) -> Rows:
    parts = (matrix.indptr, matrix.indices, matrix.data)
    return Rows(*(np.asarray(part, kind) for part, kind in zip(parts, _CSR.values(), strict=True)))


def _strongest(rows: Rows, n: int) -> Rows:
    """The ``n`` heaviest entries of every row, the heaviest first."""
    place, counts = best_of_rows(rows.starts, rows.item, rows.weight, n)
    return Rows(ends_of(counts), rows.item[place], rows.weight[place])
