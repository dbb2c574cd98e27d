"""Items that are bought after others: co-visitation whose second item is always a purchase, typed by the first.

Every event of a user is tied to his next purchases: a view or click to those of the coming hours, an item in the cart
to those of the coming days, a purchase to the baskets of the coming weeks, each with its own weight and half-life. A
pair (i, then j bought at the g-th purchase after it) adds ``w(type of i) * gap_decay^(g - 1) * 2^(-time / half_life)``,
half-life by type. What :mod:`training.models.covisit` counts besides, items of one basket and the way back from the
later to the earlier, is left out: this list answers "what do people end up buying". Typed co-visitation won the session
competition OTTO (Kaggle, 2023).
"""

from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from features.contracts.config import Config
from features.contracts.events import EventType
from training.interactions import SECONDS_PER_DAY, Clock, Int64, Interactions
from training.models.covisit import baskets_of, damp
from training.models.neighbour_source import NeighbourConfig, NeighbourSource
from training.models.neighbours import Neighbours, Sparse
from training.models.ragged import first_of_run
from training.models.recency import moments
from training.models.source import SourceConfig


class Tie(Config):
    """How an event of one type is tied to a later purchase."""

    weight: float = Field(ge=0)
    """Share of the tie between two purchases."""
    half_life: float = Field(gt=0)
    """Days until the purchase after which it counts half (only where times are known)."""


class CovisitBuyConfig(NeighbourConfig):
    """Settings of :class:`CovisitBuy`."""

    neighbours: int = Field(default=150, gt=0)
    """Items kept per item."""
    browse: Tie = Tie(weight=0.3, half_life=0.1)
    """From a view, click or favourite."""
    cart: Tie = Tie(weight=0.8, half_life=3.0)
    """From an item put into the cart."""
    purchase: Tie = Tie(weight=1.0, half_life=30.0)
    """From a purchase to the baskets after it."""
    gaps: int = Field(default=4, gt=0)
    """Purchases after the event that it is tied to."""
    gap_decay: float = Field(default=0.7, gt=0, le=1)
    """Factor per further purchase."""
    damping: float = Field(default=0.0, ge=0, le=1)
    """Exponent of the popularity that a pair's weight is divided by; 0 favours popular items."""
    history: int = Field(default=50, gt=0)
    """Moments of the history that ask."""
    pair_budget: int = Field(default=40_000_000, gt=0)
    """Most pairs that are counted; larger gaps are left out past it."""

    def ties(self) -> dict[EventType, Tie]:
        """By type of the earlier event."""
        browsing = (EventType.VIEW, EventType.CLICK, EventType.FAVORITE)
        return {
            **dict.fromkeys(browsing, self.browse),
            EventType.CART_ADD: self.cart,
            EventType.PURCHASE: self.purchase,
        }


class CovisitBuy(NeighbourSource):
    """Typed co-visitation towards purchases."""

    name: ClassVar[str] = "covisit_buy"
    Config: ClassVar[type[SourceConfig]] = CovisitBuyConfig

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, CovisitBuyConfig)
        return cls(config, Neighbours.strongest(count_purchases_after(data, config), config.neighbours))


def count_purchases_after(data: Interactions, config: CovisitBuyConfig) -> Sparse:
    """(items, items) damped pair weights; row: the item had, column: the item bought after it."""
    items = len(data.items)
    bought = data.kind == EventType.PURCHASE.code
    if not bought.any():
        return sp.csr_array((items, items), dtype=np.float32)
    moment = moments(data)
    first = np.flatnonzero(first_of_run(moment))
    baskets = baskets_of(data.where(bought), moment[bought], np.ones(bought.sum()), len(first))
    pairs = sp.csr_array((items, items), dtype=np.float32)
    budget = config.pair_budget
    for kind, tie in config.ties().items():
        earlier = data.kind == kind.code
        if tie.weight and earlier.any():
            asking = baskets_of(data.where(earlier), moment[earlier], np.ones(earlier.sum()), len(first))
            together = kind is not EventType.PURCHASE
            links, budget = _links(data, first, asking, baskets, tie, config, budget, together=together)
            pairs = pairs + sp.csr_array(sp.csr_array(asking.T) @ (links @ baskets)) * np.float32(tie.weight)
    return damp(pairs, np.asarray(baskets.sum(axis=0), dtype=np.float32).ravel(), config.damping)


def _links(
    data: Interactions,
    first: Int64,
    asking: Sparse,
    baskets: Sparse,
    tie: Tie,
    config: CovisitBuyConfig,
    budget: int,
    *,
    together: bool,
) -> tuple[Sparse, int]:
    """(moments, moments) weight of each purchase for each earlier moment, and what is left of the ``budget`` of pairs.

    ``first`` is the first event of each moment; with ``together`` a purchase is tied to its own moment as well.
    """
    owner, time = data.user[first], data.time[first]
    size, sold = np.diff(asking.indptr).astype(np.int64), np.diff(baskets.indptr).astype(np.int64)
    purchases, from_ = np.flatnonzero(sold), np.flatnonzero(size)
    following = np.searchsorted(purchases, from_, side="right")
    same = from_[sold[from_] > 0] if together else from_[:0]
    parts = [(np.ones(len(same)), same, same)]
    for gap in range(config.gaps if data.clock is not Clock.NONE else 0):
        place = following + gap
        there = place < len(purchases)
        row, column = from_[there], purchases[place[there]]
        own = owner[row] == owner[column]
        row, column = row[own], column[own]
        budget -= int((size[row] * sold[column]).sum())
        if budget < 0 or not len(row):
            break
        weight = np.full(len(row), config.gap_decay**gap)
        if data.clock is Clock.TIMED:
            weight *= np.exp2(-(time[column] - time[row]) / SECONDS_PER_DAY / tie.half_life)
        parts.append((weight, row, column))
    weight, row, column = (np.concatenate(part) for part in zip(*parts, strict=True))
    links = sp.coo_array((weight.astype(np.float32), (row, column)), shape=(len(first), len(first)))
    return sp.csr_array(links), budget
