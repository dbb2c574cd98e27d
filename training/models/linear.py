"""What comes next as a linear function of what was had: a full-rank item-to-item model, solved in closed form.

Every moment of a user's sequence asks a question: the items so far, weighted as in :class:`HistoryWeighting`
(``recency`` per moment back), shall predict the items of the moments after it, the ``g``-th counting
``gap_decay^(g - 1)``. Beside these rows stand the users' whole tastes, each item predicted from all others whatever
the order; they are all there is where no order is known. Unlike a count of pairs, the regression gives a pair only
what other items of the history do not explain. Choi, Kim, Lee, Shim and Lee, "Session-aware linear item-item models for
session-based recommendation" (SLIST, WWW 2021); Steck, "Embarrassingly shallow autoencoders for sparse data" (EASE,
WWW 2019), which is what the tastes alone amount to.
"""

import math
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from training.interactions import Clock, Int64, Interactions
from training.models.head_ridge import HeadRidge
from training.models.neighbour_source import NeighbourConfig, NeighbourSource
from training.models.neighbours import Sparse
from training.models.ragged import first_of_run
from training.models.recency import moments, weights_of
from training.models.source import SourceConfig
from training.models.taste import keep_heaviest, user_items


class LinearConfig(NeighbourConfig):
    """Settings of :class:`Linear`."""

    regularization: float = Field(default=4.0, gt=0)
    """L2 on every weight, in units of what the data say of an average item."""
    backward: float = Field(default=0.2, ge=0, le=1)
    """What a later item says about an earlier one, as a share of the forward weight."""
    taste: float = Field(default=2.0, ge=0)
    """Weight of what goes together in whatever order, beside a weight of 1 for what comes next."""
    gaps: int = Field(default=8, gt=0)
    """Moments that a question looks back, and ahead."""
    gap_decay: float = Field(default=0.5, gt=0, le=1)
    """Factor per further moment ahead."""
    heaviest: int = Field(default=200, gt=0)
    """Items of one user's taste that count, the most frequent first: cost grows with the square of it."""
    head: int = Field(default=3000, gt=0)
    """Items, the most frequent ones, whose weights are solved exactly: 4 bytes times its square, time by its cube."""
    targets: int = Field(default=1000, gt=0)
    """Targets of one item that the solution knows of."""
    pair_budget: int = Field(default=200_000_000, gt=0)
    """Most pairs of items that the questions are multiplied out to; past it every second, third, ... one is asked."""


class Linear(NeighbourSource):
    """The linear model; its weights are kept as lists of neighbours."""

    name: ClassVar[str] = "linear"
    Config: ClassVar[type[SourceConfig]] = LinearConfig
    #: The fit asks as the histories will, so it needs ``recency`` as well.
    asked_with: ClassVar[frozenset[str]] = frozenset({"history"})

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, LinearConfig)
        taste = _by_size(sp.csr_array(keep_heaviest(user_items(data, config.kinds.table()), config.heaviest)))
        asked, next_ = questions(data, config)
        backward, both = np.float32(config.backward), np.float32(config.taste)
        ridge = HeadRidge(config.regularization, config.head, config.targets, config.neighbours)
        return cls(
            config,
            ridge.fit(
                sources=_stack(asked, taste * np.sqrt(both)),
                left=_stack(asked, next_ * backward, taste * both),
                right=_stack(next_, asked, taste),
            ),
        )


def questions(data: Interactions, config: LinearConfig) -> tuple[Sparse, Sparse]:
    """(moments that have a next one, items) twice: what was had up to the moment, and what came after it."""
    if data.clock is Clock.NONE or not len(data):
        nothing = sp.csr_array((0, len(data.items)), dtype=np.float32)
        return nothing, nothing
    moment = moments(data)
    first = np.flatnonzero(first_of_run(moment))
    owner = data.user[first].astype(np.int64)
    shape = (len(first), len(data.items))
    weight = weights_of(data.kind, config.kinds.table()).astype(np.float32)
    baskets = _by_size(sp.csr_array(sp.coo_array((weight, (moment, data.item)), shape=shape)))
    ahead = _window(owner, range(1, config.gaps + 1), config.gap_decay)
    asks = np.flatnonzero(np.diff(ahead.indptr))
    back = sp.csr_array(_window(owner, range(config.gaps + 1), config.recency).T)[asks]
    items = sp.csr_array(back > 0) @ np.diff(baskets.indptr)
    step = max(1, math.ceil(float((items.astype(np.float64) ** 2).sum()) / config.pair_budget))
    # Fewer questions count more each, so that they stay as heavy as the tastes beside them.
    scale = np.float32(math.sqrt(step))
    return sp.csr_array(back[::step] @ baskets) * scale, sp.csr_array(ahead[asks[::step]] @ baskets) * scale


def _window(owner: Int64, gaps: range, decay: float) -> Sparse:
    """(moments, moments) ``decay^(gap - first gap)`` from each moment to the one ``gap`` later of the same user."""
    weight, row, column = [], [], []
    for power, gap in enumerate(gaps):
        earlier = np.flatnonzero(owner[gap:] == owner[: max(len(owner) - gap, 0)])
        weight.append(np.full(len(earlier), decay**power, dtype=np.float32))
        row.append(earlier)
        column.append(earlier + gap)
    places = (np.concatenate(row), np.concatenate(column))
    return sp.csr_array(sp.coo_array((np.concatenate(weight), places), shape=(len(owner), len(owner))))


def _by_size(matrix: Sparse) -> Sparse:
    """Every row divided by the root of its number of items: a long one says less of each pair in it."""
    size = np.diff(matrix.indptr)
    matrix.data /= np.repeat(np.sqrt(size), size).astype(np.float32)
    return matrix


def _stack(*parts: Sparse) -> Sparse:
    return sp.csr_array(sp.vstack([sp.csr_array(part) for part in parts], format="csr"), dtype=np.float32)
