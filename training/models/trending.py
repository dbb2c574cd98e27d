"""What many people take now: popularity decayed in time, overall and inside the departments a user shops in.

``score(u, i) = heat(i) * (1 + lift * share(u, department(i)))``: heat is the decayed, type-weighted number of events,
each user counting once per day and item; ``share`` is the part of the user's own events in the department. A user
without history gets plain heat.
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import SECONDS_PER_DAY, Clock, Float32, Histories, Int32, Interactions
from training.models.kind_weights import KindWeights
from training.models.ragged import Float64, best_of_rows, group_sums, no_candidates, pair_keys, seen_keys, select
from training.models.recency import log_ages, log_end, weights_of
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows scored at a time: bounds the dense block of scores.
_BLOCK = 1024


class TrendingConfig(SourceConfig):
    """Settings of :class:`Trending`."""

    half_life: float = Field(default=28.0, gt=0)
    """Days after which an event counts half (no effect where users have no common clock)."""
    lift: float = Field(default=1.0, ge=0)
    """How far the user's own departments raise an item; 0 ranks the same for all."""
    overall: int = Field(default=500, gt=0)
    """Hottest items kept over all departments; a history that excludes more than these gets fewer."""
    per_department: int = Field(default=100, ge=0)
    """Hottest items kept of each department."""
    kinds: KindWeights = KindWeights()


class Trending(CandidateSource):
    """Recency-decayed popularity."""

    name: ClassVar[str] = "trending"
    Config: ClassVar[type[SourceConfig]] = TrendingConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"lift"})

    def __init__(self, config: TrendingConfig, item: Int32, heat: Float32, department: Int32) -> None:
        self._config = config
        self._item = item  # (h,) the items kept, ascending
        self._heat = heat  # (h,)
        self._department = department  # (items,) code of every item, -1 unknown
        self._departments = int(department.max(initial=-1)) + 1
        self._kinds = config.kinds.table()

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, TrendingConfig)
        heat = item_heat(data, config.half_life, config.kinds.table())
        department = np.asarray(data.catalogue.department, dtype=np.int32)
        kept = [_hottest(heat, np.flatnonzero(heat > 0), config.overall)]
        kept += [
            _hottest(heat, np.flatnonzero((department == code) & (heat > 0)), config.per_department)
            for code in range(int(department.max(initial=-1)) + 1)
        ]
        item = np.unique(np.concatenate(kept)).astype(np.int32)
        return cls(config, item, heat[item].astype(np.float32), department)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        seen = seen_keys(histories, len(self._department)) if exclude_seen else None
        had = np.diff(histories.indptr) if exclude_seen else np.zeros(len(histories), dtype=np.int64)
        share = self._shares(histories)
        heat = self._heat.astype(np.float64)
        group = self._department[self._item]
        rows, places, scores = [], [], []
        for start in range(0, len(histories), _BLOCK):
            stop = min(start + _BLOCK, len(histories))
            score = (heat * (1 + self._config.lift * share[start:stop, group])).ravel()
            indptr = np.arange(stop - start + 1, dtype=np.int64) * len(heat)
            item = np.tile(self._item, stop - start)
            place, counts = best_of_rows(indptr, item, score, n + int(had[start:stop].max(initial=0)))
            rows.append(np.repeat(np.arange(start, stop), counts))
            places.append(item[place])
            scores.append(score[place])
        if not rows:
            return no_candidates()
        row = np.concatenate(rows).astype(np.int32)
        found, best = np.concatenate(places), np.concatenate(scores)
        return select(histories, row, found, best, n, seen=seen, items=len(self._department))

    def _shares(self, histories: Histories) -> Float64:
        """(q, departments + 1) part of each history per department; the last column, for unknown ones, is zero."""
        width = self._departments + 1
        weight = weights_of(histories.kind, self._kinds)
        keys = pair_keys(histories.row, self._department[histories.item] % width, width)
        total = group_sums(keys, weight, len(histories) * width).reshape(-1, width)
        total[:, -1] = 0
        shares: Float64 = total / np.maximum(total.sum(axis=1, keepdims=True), 1e-9)
        return shares

    def arrays(self) -> Arrays:
        return {"item": self._item, "heat": self._heat, "department": self._department}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, TrendingConfig)
        return cls(config, *(np.asarray(arrays[name]) for name in ("item", "heat", "department")))


def item_heat(data: Interactions, half_life: float, kinds: Float32) -> Float64:
    """(items,) decayed weight of events, a user counting once per day, item and type (once at all without a clock)."""
    day = data.time // SECONDS_PER_DAY if data.clock is Clock.TIMED else np.zeros_like(data.time)
    pair = pair_keys(data.user, data.item, len(data.items))
    order = np.lexsort((data.kind, day, pair))
    same = np.ones(len(order), dtype=np.bool_)
    for values in (pair, day, data.kind):
        same[1:] &= values[order][1:] == values[order][:-1]
    same[:1] = False
    once = order[~same]
    weight = weights_of(data.kind, kinds) * np.exp2(-log_ages(data, log_end(data)) / half_life)
    return group_sums(data.item[once], weight[once], len(data.items))


def _hottest(heat: Float64, items: np.ndarray, n: int) -> np.ndarray:
    place, _ = best_of_rows(np.array([0, len(items)], dtype=np.int64), items.astype(np.int32), heat[items], n)
    return items[place]
