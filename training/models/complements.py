"""What goes with the things in the basket: items of other categories that are bought along more often than by chance.

``weight(i, j) = log((n_ij + prior) / (n_i n_j / n + prior)) * sqrt(n_ij / n_i)`` over ``n`` baskets. The first factor
is the lift, which takes off what is due to popularity, shrunk to 1 as by a gamma prior (DuMouchel, "Bayesian data
mining in large frequency tables", American Statistician 1999), so that chance pairs of rare items do not come out on
top; the second asks how many buyers of ``i`` it concerns. Items of one category are substitutes and left out, as in
McAuley, Pandey and Leskovec, "Inferring networks of substitutable and complementary products" (KDD 2015).
"""

from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from features.contracts.events import EventType
from training.interactions import SECONDS_PER_DAY, Clock, Histories, Interactions
from training.models.kind_weights import KindWeights
from training.models.neighbour_source import NeighbourConfig, NeighbourSource
from training.models.neighbours import Neighbours, Sparse
from training.models.ragged import Float64, first_of_run, pair_keys
from training.models.recency import weights_of
from training.models.source import SourceConfig


class ComplementsConfig(NeighbourConfig):
    """Settings of :class:`Complements`."""

    prior: float = Field(default=5.0, gt=0)
    """Baskets with which the lift of a pair is shrunk towards 1."""
    largest: int = Field(default=100, gt=1)
    """Different items of a basket past which it says nothing: the stock of a small shop."""
    pair_budget: int = Field(default=40_000_000, gt=0)
    """Most pairs that are counted; older baskets are left out past it."""
    newest: float = Field(default=1.0, ge=0)
    """Days before the newest event of the history from which on everything asks, as one basket."""
    kinds: KindWeights = KindWeights(cart_add=1.0, favorite=0.2, click=0.1, view=0.1)


class Complements(NeighbourSource):
    """Same-basket complements. A basket is an order, or, where orders are not known, what a user buys in a day."""

    name: ClassVar[str] = "complements"
    Config: ClassVar[type[SourceConfig]] = ComplementsConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"newest", "kinds"})
    clocks: ClassVar[frozenset[Clock]] = frozenset({Clock.TIMED})

    def __init__(self, config: NeighbourConfig, neighbours: Neighbours) -> None:
        assert isinstance(config, ComplementsConfig)
        super().__init__(config, neighbours)
        self._kinds, self._newest = config.kinds.table(), config.newest

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ComplementsConfig)
        return cls(config, Neighbours.strongest(weigh_pairs(data, config), config.neighbours))

    def weights(self, histories: Histories) -> Float64:
        """(m,) the types of what is in the newest basket, 0 for what came before it."""
        filled = np.diff(histories.indptr) > 0
        newest = np.zeros(len(histories), dtype=np.int64)
        newest[filled] = histories.time[histories.indptr[1:][filled] - 1]
        before = newest[histories.row] - histories.time
        weight = weights_of(histories.kind, self._kinds)
        weight[before > self._newest * SECONDS_PER_DAY] = 0.0
        return weight


def weigh_pairs(data: Interactions, config: ComplementsConfig) -> Sparse:
    """(items, items) weights of pairs; row: the item in the basket, column: the one that goes with it."""
    items = len(data.items)
    baskets = _baskets(data, config)
    baskets_with = np.asarray(baskets.sum(axis=0), dtype=np.float64).ravel()
    together = sp.coo_array(sp.csr_array(baskets.T) @ baskets)
    row, column = together.coords
    category = data.catalogue.category
    other = (row != column) & ((category[row] != category[column]) | (category[row] < 0))
    row, column, count = row[other], column[other], together.data[other].astype(np.float64)
    expected = baskets_with[row] * baskets_with[column] / max(baskets.shape[0], 1)
    lift = np.log((count + config.prior) / (expected + config.prior))
    weight = lift * np.sqrt(count / baskets_with[row])
    return sp.csr_array(sp.coo_array((weight.astype(np.float32), (row, column)), shape=(items, items)))


def _baskets(data: Interactions, config: ComplementsConfig) -> Sparse:
    """(baskets, items) 1 for each item bought; the newest baskets that fit the limits."""
    bought = data.kind == EventType.PURCHASE.code
    if data.clock is not Clock.TIMED or not bought.any():
        return sp.csr_array((0, len(data.items)), dtype=np.float32)
    user, item, time = data.user[bought], data.item[bought], data.time[bought]
    occasion = np.where(data.basket[bought] >= 0, data.basket[bought], -1 - time // SECONDS_PER_DAY)
    place = np.lexsort((item, occasion, user))
    user, occasion, item, time = user[place], occasion[place], item[place], time[place]
    basket = np.cumsum(first_of_run(user) | first_of_run(occasion)) - 1
    once = first_of_run(pair_keys(basket.astype(np.int32), item, len(data.items)))
    basket, item, time = basket[once], item[once], time[once]
    size = np.bincount(basket)
    fits = size <= config.largest
    newest = np.argsort(-time[first_of_run(basket)], kind="stable")
    fits[newest] &= np.cumsum(np.where(fits, size**2, 0)[newest]) <= config.pair_budget
    kept = fits[basket]
    number = np.cumsum(fits) - 1
    shape = (int(fits.sum()), len(data.items))
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    return sp.csr_array(sp.coo_array((ones, (number[basket[kept]], item[kept])), shape=shape))
