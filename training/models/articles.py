"""Goods that people take after an article: ties from what was read to what was looked at, put into the cart or bought.

A reading (a, t) is tied to the events of the same reader within the days after it, each worth the weight of its type
times ``2^(-days / half_life)``; an article read again counts again. What everybody takes anyway says nothing about the
article, so a pair is weighed as in :mod:`training.models.complements`:
``weight(a, j) = log((n_aj + prior) / (e_aj + prior)) * sqrt(n_aj / n_a)``, where ``e_aj`` spreads what followed the
article over goods as what followed all articles is spread. Only readings ask, newer ones more; the item id of an
``article_read`` event names the article.
"""

from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from features.contracts.events import EVENT_TYPES, ITEM_EVENTS, EventType
from training.interactions import SECONDS_PER_DAY, Clock, Histories, Interactions
from training.models.neighbour_source import NeighbourConfig, NeighbourSource
from training.models.neighbours import HistoryWeighting, Neighbours, Sparse
from training.models.ragged import Float64
from training.models.source import SourceConfig

_READ = EventType.ARTICLE_READ
#: Weights by type with which a history asks.
_READINGS = np.array([float(kind is _READ) for kind in EVENT_TYPES], dtype=np.float32)


class ArticlesConfig(NeighbourConfig):
    """Settings of :class:`Articles`."""

    within: float = Field(default=7.0, gt=0)
    """Days after a reading in which events are tied to it (only where times are known)."""
    half_life: float = Field(default=1.0, gt=0)
    """Days after which an event counts half."""
    following: int = Field(default=20, gt=0)
    """Events after a reading that are tied to it at most."""
    prior: float = Field(default=2.0, gt=0)
    """Events with which the lift of a pair is shrunk towards 1."""


class Articles(NeighbourSource):
    """Association from articles to goods."""

    name: ClassVar[str] = "articles"
    Config: ClassVar[type[SourceConfig]] = ArticlesConfig
    asked_by: ClassVar[frozenset[EventType]] = frozenset({*ITEM_EVENTS, _READ})
    clocks: ClassVar[frozenset[Clock]] = frozenset({Clock.TIMED, Clock.ORDERED})

    def __init__(self, config: NeighbourConfig, neighbours: Neighbours) -> None:
        super().__init__(config, neighbours)
        self._readings = HistoryWeighting(_READINGS, config.recency, config.history)

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ArticlesConfig)
        return cls(config, Neighbours.strongest(tie_articles(data, config), config.neighbours))

    def weights(self, histories: Histories) -> Float64:
        """(m,) how much each reading asks; 0 for what is no reading."""
        weight = self._readings.weights(histories)
        return weight if histories.clock is not Clock.NONE else np.zeros_like(weight)


def tie_articles(data: Interactions, config: ArticlesConfig) -> Sparse:
    """(items, items) weights; row: the article read, column: the goods that follow."""
    items = len(data.items)
    followed = _followed(data, config)
    of_article, of_goods = (np.asarray(followed.sum(axis=axis), dtype=np.float64).ravel() for axis in (1, 0))
    pairs = sp.coo_array(followed)
    article, goods = pairs.coords
    count = pairs.data.astype(np.float64)
    expected = of_article[article] * of_goods[goods] / max(float(of_goods.sum()), 1e-12)
    lift = np.log((count + config.prior) / (expected + config.prior))
    weight = (lift * np.sqrt(count / of_article[article])).astype(np.float32)
    return sp.csr_array(sp.coo_array((weight, (article, goods)), shape=(items, items)))


def _followed(data: Interactions, config: ArticlesConfig) -> Sparse:
    """(items, items) decayed weight of what followed each article."""
    shape = (len(data.items), len(data.items))
    reading = np.flatnonzero(data.kind == _READ.code)
    worth = config.kinds.table()[data.kind]
    parts: list[Sparse] = []
    for gap in range(1, config.following + 1 if data.clock is not Clock.NONE else 1):
        reading = reading[reading + gap < len(data)]
        reading = reading[data.user[reading + gap] == data.user[reading]]
        weight = worth[reading + gap].astype(np.float64)
        if data.clock is Clock.TIMED:
            days = (data.time[reading + gap] - data.time[reading]) / SECONDS_PER_DAY
            near = days <= config.within
            reading, weight = reading[near], (weight * np.exp2(-days / config.half_life))[near]
        there = weight > 0
        pair = (data.item[reading[there]], data.item[reading[there] + gap])
        parts.append(sp.csr_array(sp.coo_array((weight[there].astype(np.float32), pair), shape=shape)))
    return sum(parts, start=sp.csr_array(shape, dtype=np.float32))
