"""What many people take now: popularity decayed in time, by where the question comes from and by what a user likes.

``score(u, i) = heat(i) * segments(i) * (1 + lift * share(u, department(i)))``: heat is the decayed, type-weighted
number of events, each user counting once per day and item; ``segments`` is the product of the item's lifts in the
channel, the region and the part of the day (:mod:`training.models.segments`), 1 where the question does not say;
``share`` is the part of the user's own events in the department. Of a stranger nothing is known but the former two.
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import SECONDS_PER_DAY, Clock, Float32, Histories, Int32, Interactions
from training.models.kind_weights import KindWeights
from training.models.ragged import (
    Float64,
    Rows,
    best_of_rows,
    group_sums,
    no_candidates,
    pair_keys,
    row_starts,
    seen_keys,
    select,
)
from training.models.recency import log_ages, log_end, weights_of
from training.models.segments import Lifts, SegmentCounts
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows scored at a time: bounds the dense block of scores.
_BLOCK = 1024
#: What a question may say of where it comes from.
_SEGMENTS = ("channel", "region", "hour")


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
    per_segment: int = Field(default=50, ge=0)
    """Hottest items kept of each channel, region and part of the day, where these differ."""
    hours: int = Field(default=4, gt=0, le=24)
    """Hours that make up a part of the day."""
    kinds: KindWeights = KindWeights()


class Trending(CandidateSource):
    """Recency-decayed popularity."""

    name: ClassVar[str] = "trending"
    Config: ClassVar[type[SourceConfig]] = TrendingConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"lift"})
    answers_strangers: ClassVar[bool] = True

    def __init__(
        self, config: TrendingConfig, item: Int32, heat: Float32, department: Int32, lifts: dict[str, Lifts]
    ) -> None:
        self._config = config
        self._lifts = lifts  # by the name of the segment; what is not there makes no difference
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
        counts = _segment_counts(data, config)
        for each in counts.values():
            share = each.count / np.maximum(each.expected.sum(axis=0), 1e-9)
            kept += [_hottest(part, np.flatnonzero(part > 0), config.per_segment) for part in share.T]
        item = np.unique(np.concatenate(kept)).astype(np.int32)
        lifts = {name: each.lifts(item) for name, each in counts.items()}
        return cls(config, item, heat[item].astype(np.float32), department, lifts)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        seen = seen_keys(histories, len(self._department)) if exclude_seen else None
        had = np.diff(histories.indptr) if exclude_seen else np.zeros(len(histories), dtype=np.int64)
        share = self._shares(histories)
        heat = self._heat.astype(np.float64)
        group = self._department[self._item]
        rows, places, scores = [], [], []
        for start in range(0, len(histories), _BLOCK):
            stop = min(start + _BLOCK, len(histories))
            usual = heat * self._lifted(histories, start, stop)
            score = (usual * (1 + self._config.lift * share[start:stop, group])).ravel()
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
        return select(Rows(row_starts(row, len(histories)), found, best), n, seen=seen, items=len(self._department))

    def _lifted(self, histories: Histories, start: int, stop: int) -> Float64:
        """(stop - start, h) product of the lifts of the segments that the questions come from."""
        total = np.ones((1, len(self._item)))
        for name, lifts in self._lifts.items():
            segment = histories.hour // self._config.hours if name == "hour" else getattr(histories, name)
            told = segment[start:stop]
            if (told >= 0).any():
                total = total * lifts.of(told)
        return total

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
        return {"item": self._item, "heat": self._heat, "department": self._department} | {
            f"{name}_lift": lifts.table for name, lifts in self._lifts.items()
        }

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, TrendingConfig)
        lifts = {name: Lifts(np.asarray(arrays[key])) for name in _SEGMENTS if (key := f"{name}_lift") in arrays}
        item, heat, department = (np.asarray(arrays[name]) for name in ("item", "heat", "department"))
        return cls(config, item, heat, department, lifts)


def _segment_counts(data: Interactions, config: TrendingConfig) -> dict[str, SegmentCounts]:
    """By the name of the segment what is taken where, of those segments alone that differ."""
    segments = {"channel": data.channel, "region": data.region}
    if data.clock is Clock.TIMED:
        segments["hour"] = (data.time % SECONDS_PER_DAY // 3600 // config.hours).astype(np.int16)
    weight = weights_of(data.kind, config.kinds.table())
    weight *= np.exp2(-log_ages(data, log_end(data)) / config.half_life)
    counts = {
        name: SegmentCounts.of(data.user, data.item, weight, segment, len(data.items))
        for name, segment in segments.items()
        if (segment >= 0).any()
    }
    return {name: each for name, each in counts.items() if each.differ}


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
