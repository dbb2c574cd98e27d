"""Items liked by the same users, from ``implicit.nearest_neighbours``; the order of events plays no part in the fit.

Linden, Smith and York, "Amazon.com recommendations: item-to-item collaborative filtering" (2003); BM25 weighting:
Robertson and Zaragoza (2009).
"""

import warnings
from typing import ClassVar, Literal, Self

import numpy as np
import scipy.sparse as sp
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from implicit.utils import ParameterWarning
from pydantic import Field
from threadpoolctl import threadpool_limits

from training.interactions import Interactions
from training.models.neighbour_source import NeighbourConfig, NeighbourSource
from training.models.neighbours import Neighbours
from training.models.source import SourceConfig
from training.models.taste import keep_heaviest, user_items

_MODELS = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}


class ItemKnnConfig(NeighbourConfig):
    """Settings of :class:`ItemKnn`."""

    similarity: Literal["cosine", "tfidf", "bm25"] = "tfidf"
    heaviest: int = Field(default=400, gt=0)
    """Items of one user that count, the most frequent first: cost grows with the square of it."""
    threads: int = Field(default=0, ge=0)
    """Threads of the fit; 0 means all cores."""


class ItemKnn(NeighbourSource):
    """Item-to-item similarity over users."""

    name: ClassVar[str] = "item_knn"
    Config: ClassVar[type[SourceConfig]] = ItemKnnConfig

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ItemKnnConfig)
        items = len(data.items)
        matrix = user_items(data, config.kinds.table())
        if not matrix.nnz:
            return cls(config, Neighbours.strongest(sp.csr_array((items, items), dtype=np.float32), 1))
        matrix = keep_heaviest(matrix, config.heaviest)
        # One more than asked for, since every item is its own nearest neighbour.
        model = _MODELS[config.similarity](K=config.neighbours + 1, num_threads=config.threads)
        # An item whose weights are all zero divides by zero; what comes of it is no neighbour of anything.
        with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings(), np.errstate(invalid="ignore"):
            # The library warns of a conversion that its own weighting makes necessary.
            warnings.simplefilter("ignore", ParameterWarning)
            model.fit(matrix, show_progress=False)
        return cls(config, Neighbours.strongest(sp.csr_array(model.similarity), config.neighbours))
