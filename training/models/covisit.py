"""Items that follow one another: sequence co-visitation with direction, gap and event type.

For every user the moments (baskets, clicks) form a sequence. A pair (i at one moment, j at the g-th after it) adds
``w_i * w_j * gap_decay^(g - 1) * 2^(-days between / pair_half_life)``; a pair within one moment adds ``together``
times its weights; the backward direction counts ``backward`` of the forward one. Large baskets are damped by the root
of their size. Asked with a history, newer moments weigh more (``recency ** steps_back``). Compare Ludewig and Jannach,
"Evaluation of session-based recommendation algorithms" (UMUAI 2018), sequential rules.
"""

from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from training.interactions import SECONDS_PER_DAY, Clock, Float32, Int64, Interactions
from training.models.neighbour_source import NeighbourConfig, NeighbourSource
from training.models.neighbours import Neighbours, Sparse
from training.models.ragged import Float64, first_of_run
from training.models.recency import moments, weights_of
from training.models.source import SourceConfig


class CovisitConfig(NeighbourConfig):
    """Settings of :class:`Covisit`."""

    neighbours: int = Field(default=150, gt=0)
    """Items kept per item."""
    gaps: int = Field(default=8, ge=0)
    """Moments that a pair may lie apart."""
    gap_decay: float = Field(default=0.7, gt=0, le=1)
    """Factor per further moment between the two."""
    backward: float = Field(default=0.3, ge=0, le=1)
    """What the later item says about the earlier one, as a share of the forward weight."""
    together: float = Field(default=1.0, ge=0)
    """Weight of a pair within one moment."""
    damping: float = Field(default=0.3, ge=0, le=1)
    """Exponent of the popularity that a pair's weight is divided by; 0 favours popular items."""
    pair_half_life: float = Field(default=30.0, gt=0)
    """Days between the two after which a pair counts half (only where times are known)."""
    history: int = Field(default=50, gt=0)
    """Moments of the history that ask."""
    pair_budget: int = Field(default=40_000_000, gt=0)
    """Most pairs that are counted; larger gaps are left out past it."""


class Covisit(NeighbourSource):
    """Sequence co-visitation."""

    name: ClassVar[str] = "covisit"
    Config: ClassVar[type[SourceConfig]] = CovisitConfig

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, CovisitConfig)
        return cls(config, Neighbours.strongest(count_pairs(data, config), config.neighbours))


def count_pairs(data: Interactions, config: CovisitConfig) -> Sparse:
    """(items, items) damped pair weights; row: the item had, column: the item that goes with it."""
    items = len(data.items)
    if not len(data):
        return sp.csr_array((items, items), dtype=np.float32)
    moment = moments(data)
    first = np.flatnonzero(first_of_run(moment))
    owner, time = data.user[first], data.time[first]
    baskets = baskets_of(data, moment, weights_of(data.kind, config.kinds.table()), len(first))
    size = np.diff(baskets.indptr).astype(np.int64)

    pairs = sp.csr_array(sp.csr_array(baskets.T) @ baskets) * np.float32(config.together)
    counted = int((size**2).sum())
    later = []
    for gap in range(1, config.gaps + 1 if data.clock is not Clock.NONE else 1):
        earlier = np.flatnonzero(owner[gap:] == owner[:-gap])
        counted += int((size[earlier] * size[earlier + gap]).sum())
        if counted > config.pair_budget or not len(earlier):
            break
        factor = np.full(len(earlier), config.gap_decay ** (gap - 1))
        if data.clock is Clock.TIMED:
            days = (time[earlier + gap] - time[earlier]) / SECONDS_PER_DAY
            factor *= np.exp2(-days / config.pair_half_life)
        later.append((factor.astype(np.float32), earlier, earlier + gap))
    if later:
        # What comes after each moment, gaps together: one product of matrices instead of one per gap.
        weight, row, column = (np.concatenate(parts) for parts in zip(*later, strict=True))
        after = sp.csr_array(sp.coo_array((weight, (row, column)), shape=(len(first), len(first)))) @ baskets
        forward = sp.csr_array(sp.csr_array(baskets.T) @ after)
        pairs = pairs + forward
        if config.backward:
            pairs = pairs + sp.csr_array(forward.T) * np.float32(config.backward)
    return damp(pairs, np.asarray(baskets.sum(axis=0), dtype=np.float32).ravel(), config.damping)


def baskets_of(data: Interactions, moment: Int64, weight: Float64, rows: int) -> Sparse:
    """(rows, items) sums of the (m,) event weights by moment, every row divided by the root of its size."""
    shape = (rows, len(data.items))
    baskets = sp.csr_array(sp.coo_array((weight.astype(np.float32), (moment, data.item)), shape=shape))
    size = np.diff(baskets.indptr)
    baskets.data /= np.repeat(np.sqrt(size), size).astype(np.float32)
    return baskets


def damp(pairs: Sparse, popularity: Float32, exponent: float) -> Sparse:
    """Divide by the popularity of both sides, the asked one by its root so that rare history items do not dominate."""
    scale = np.maximum(popularity, 1e-6)
    damped = sp.csr_array(pairs, copy=True)
    damped.data *= np.repeat(scale**-0.5, np.diff(damped.indptr)) * scale[damped.indices] ** -exponent
    return damped
