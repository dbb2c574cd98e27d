"""What is due: items that the user buys again and again, by the time since the last purchase.

Waiting times between purchases of a (user, item) pair follow a piecewise-constant hazard

    h(t) = base(stratum, bin(t)) * item(i, bin(t)) * user(u) * pair(u, i)

where the stratum is what the pair was like so far (times bought, own rhythm). Every factor is a gamma-Poisson
empirical-Bayes estimate ``(events + k) / (expected events + k)`` and so shrinks to the next coarser one: the pair to
its user, the item to its category, and that to all items. Waits that had not ended count as such (right-censoring).
The score is the expected number of first repeats in the coming ``horizon``. Shared gamma frailty: Clayton, "A model for
association in bivariate life tables" (Biometrika 1978); piecewise exponential hazards: Friedman (Annals of Statistics
1982); purchase intervals for repeat recommendation: Bhagat et al., "Buy It Again" (KDD 2018).
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import Clock, Float32, Histories, Int32, Int64, Interactions
from training.models import compiled
from training.models.purchase_gaps import DAY_BINS, DAY_EDGES, STRATA, PurchaseGaps, days_within
from training.models.ragged import Float64, Rows, group_sums, no_candidates, row_starts, select
from training.models.recency import log_end
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Purchases with which the hazard of a bin is smoothed towards that of the bin before.
_BIN_PRIOR = 10.0


class ReplenishConfig(SourceConfig):
    """Settings of :class:`Replenish`."""

    horizon: float = Field(default=28.0, gt=0)
    """Days ahead in which a repeat counts."""
    item_prior: float = Field(default=5.0, gt=0)
    """Expected repeats with which an item is smoothed towards its category, and that towards all."""
    shape_prior: float = Field(default=10.0, gt=0)
    """Expected repeats with which the course of an item's hazard is smoothed towards the usual course."""
    user_prior: float = Field(default=5.0, gt=0)
    """Expected repeats with which a user is smoothed towards all users."""
    pair_prior: float = Field(default=6.0, gt=0)
    """Expected repeats with which a user's habit of one item is smoothed towards his habit of any."""


class Replenish(CandidateSource):
    """Personal repeat by interval."""

    name: ClassVar[str] = "replenish"
    Config: ClassVar[type[SourceConfig]] = ReplenishConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"horizon", "user_prior", "pair_prior"})
    only_seen: ClassVar[bool] = True
    clocks: ClassVar[frozenset[Clock]] = frozenset({Clock.TIMED})

    def __init__(self, config: ReplenishConfig, base: Float32, item: Float32) -> None:
        self._config = config
        self._base = base  # (STRATA, DAY_BINS) purchases per day of waiting
        self._item = item  # (items, DAY_BINS) factor

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ReplenishConfig)
        items = len(data.items)
        timed = data if data.clock is Clock.TIMED else data.where(np.zeros(len(data), dtype=np.bool_))
        end = np.full(len(data.users), log_end(timed), dtype=np.int64)
        gaps = PurchaseGaps.of(timed.user, timed.item, timed.kind, timed.time, end, items)
        base = _base_hazard(gaps)
        return cls(config, base.astype(np.float32), _item_factors(gaps, base, data, config).astype(np.float32))

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        if exclude_seen or histories.clock is not Clock.TIMED:
            return no_candidates()
        items = len(self._item)
        gaps = PurchaseGaps.of(histories.row, histories.item, histories.kind, histories.time, histories.as_of, items)
        last = gaps.last
        row, item, waiting = gaps.owner[last], gaps.item[last], gaps.days[last]
        happened = group_sums(gaps.pair, ~last, len(row))
        expected = group_sums(gaps.pair, self._hazard_over(gaps.stratum, gaps.item, gaps.days), len(row))
        of_user, usual = (group_sums(row, part, len(histories)) for part in (happened, expected))
        user = _shrunk(of_user, usual, self._config.user_prior)[row]
        pair = _shrunk(happened, user * expected, self._config.pair_prior)
        stratum = gaps.stratum[last]
        due = self._hazard_over(stratum, item, waiting + self._config.horizon)
        due -= self._hazard_over(stratum, item, waiting)
        return select(Rows(row_starts(row, len(histories)), item, user * pair * due), n, seen=None, items=items)

    def _hazard_over(self, stratum: Int64, item: Int32, days: Float64) -> Float64:
        """(k,) repeats expected of an average user and pair in the first ``days`` of waiting."""
        total: Float64 = compiled.hazard_over(self._base, self._item, stratum, item, days, DAY_EDGES)
        return total

    def arrays(self) -> Arrays:
        return {"base": self._base, "item": self._item}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, ReplenishConfig)
        return cls(config, np.asarray(arrays["base"]), np.asarray(arrays["item"]))


def _shrunk(events: Float64, expected: Float64, prior: float) -> Float64:
    """Posterior mean of a Poisson rate factor under a gamma prior of mean 1."""
    return (events + prior) / (expected + prior)


def _base_hazard(gaps: PurchaseGaps) -> Float64:
    """(STRATA, DAY_BINS) repeats per day of waiting; a bin that nobody reached goes on like the one before."""
    ended = ~gaps.last
    events = group_sums(gaps.stratum * DAY_BINS + gaps.day_bin, ended, STRATA * DAY_BINS).reshape(STRATA, DAY_BINS)
    waited = [group_sums(gaps.stratum, days_within(b, gaps.days), STRATA) for b in range(DAY_BINS)]
    before = np.full(STRATA, max(float(ended.sum()), 1.0) / max(float(gaps.days.sum()), 1.0))
    base = np.empty((STRATA, DAY_BINS))
    for b in range(DAY_BINS):
        before = base[:, b] = (events[:, b] + _BIN_PRIOR) / (waited[b] + _BIN_PRIOR / before)
    return base


def _item_factors(gaps: PurchaseGaps, base: Float64, data: Interactions, config: ReplenishConfig) -> Float64:
    """(items, DAY_BINS) how much sooner (above 1) or later than usual each item is bought again."""
    items = len(data.items)
    ended = gaps.item.astype(np.int64) * DAY_BINS + gaps.day_bin
    events = group_sums(ended, ~gaps.last, items * DAY_BINS).reshape(items, DAY_BINS)
    usual = [base[gaps.stratum, b] * days_within(b, gaps.days) for b in range(DAY_BINS)]
    expected = np.stack([group_sums(gaps.item, part, items) for part in usual], axis=1)

    group = data.catalogue.category + 1  # 0: unknown
    known, foreseen = (
        group_sums(group, table.sum(axis=1), int(group.max(initial=0)) + 1) for table in (events, expected)
    )
    category = np.where(group > 0, _shrunk(known, foreseen, config.item_prior)[group], 1.0)
    level = category * _shrunk(events.sum(axis=1), category * expected.sum(axis=1), config.item_prior)
    return level[:, None] * _shrunk(events, level[:, None] * expected, config.shape_prior)
