"""New arrivals that fit the user: young items that few people met, in the categories and of the brands he takes.

``score(u, i) = 2^(-age(i) / half_life) * known / (known + users(i)) * (reach + a c + b d + e f)`` where ``c``, ``d``
and ``f`` are the decayed shares of the user's own events in the item's category, department and brand, and ``a``, ``b``
and ``e`` their weights. An item is born when the catalogue says that it was published, else with its first event. A
user without history gets the newest. It brings forward items that have no or few events, which sources that learn from
events cannot (cold start: Schein et al., "Methods and metrics for cold-start recommendations", SIGIR 2002).
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import SECONDS_PER_DAY, Clock, Float32, Histories, Int32, Interactions
from training.models import compiled
from training.models.kind_weights import KindWeights
from training.models.ragged import (
    Float64,
    Rows,
    best_of_rows,
    distinct,
    ends_of,
    no_candidates,
    pair_keys,
    seen_keys,
    select,
)
from training.models.recency import ages, log_end, weights_of
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows scored at a time: bounds the dense block of scores.
_BLOCK = 256
_CODES = ("category", "department", "brand")


class ArrivalsConfig(SourceConfig):
    """Settings of :class:`Arrivals`."""

    half_life: float = Field(default=14.0, gt=0)
    """Days after which an item is half as new."""
    known: float = Field(default=20.0, gt=0)
    """Users of an item at which it counts half: the others find it by what people do."""
    kept: int = Field(default=1000, gt=0)
    """Newest items that are offered."""
    taste_half_life: float = Field(default=90.0, gt=0)
    """Days after which an event of the user counts half."""
    reach: float = Field(default=0.02, gt=0)
    """What an item outside of everything that the user had is worth, beside the shares."""
    category: float = Field(default=1.0, ge=0)
    department: float = Field(default=0.3, ge=0)
    brand: float = Field(default=0.5, ge=0)
    kinds: KindWeights = KindWeights()


class Arrivals(CandidateSource):
    """New arrivals."""

    name: ClassVar[str] = "arrivals"
    Config: ClassVar[type[SourceConfig]] = ArrivalsConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"taste_half_life", "reach", *_CODES})
    clocks: ClassVar[frozenset[Clock]] = frozenset({Clock.TIMED})

    def __init__(self, config: ArrivalsConfig, item: Int32, newness: Float32, codes: dict[str, Int32]) -> None:
        self._config = config
        self._item = item  # (k,) the items offered, ascending
        self._newness = newness  # (k,)
        self._codes = codes  # by kind (items,), -1 where no item offered has the code
        self._kinds = config.kinds.table()
        self._of_all = np.stack([codes[name] for name in _CODES])  # (kinds, items)
        self._of_offered = np.ascontiguousarray(self._of_all[:, item])  # (kinds, k)
        self._factors = np.array([config.category, config.department, config.brand])

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, ArrivalsConfig)
        newness = _newness(data, config)
        young = np.flatnonzero(newness > 0).astype(np.int32)
        best, _ = best_of_rows(np.array([0, len(young)], dtype=np.int64), young, newness[young], config.kept)
        item = np.sort(young[best])
        codes = {name: _compact(getattr(data.catalogue, name), item) for name in _CODES}
        return cls(config, item, newness[item].astype(np.float32), codes)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        if histories.clock is not Clock.TIMED or not len(self._item):
            return no_candidates()
        items = len(self._codes["category"])
        parts = []
        for start in range(0, len(histories), _BLOCK):
            block = histories.slice(start, min(start + _BLOCK, len(histories)))
            score = (self._newness * self._fit_to(block)).ravel()
            indptr = np.arange(len(block) + 1, dtype=np.int64) * len(self._item)
            offered = np.tile(self._item, len(block))
            had = int(np.diff(block.indptr).max(initial=0)) if exclude_seen else 0
            place, counts = best_of_rows(indptr, offered, score, n + had)
            seen = seen_keys(block, items) if exclude_seen else None
            best = select(Rows(ends_of(counts), offered[place], score[place]), n, seen=seen, items=items)
            parts.append(Candidates(best.row + np.int32(start), best.item, best.score))
        if not parts:
            return no_candidates()
        return Candidates(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "item", "score"))
        )

    def _fit_to(self, histories: Histories) -> Float64:
        """(q, k) how well each item offered fits each history."""
        weight = weights_of(histories.kind, self._kinds) * np.exp2(-ages(histories) / self._config.taste_half_life)
        fit: Float64 = compiled.shares_of_codes(
            histories.indptr,
            histories.item,
            weight,
            self._of_all,
            self._of_offered,
            self._factors,
            self._config.reach,
        )
        return fit

    def arrays(self) -> Arrays:
        return {"item": self._item, "newness": self._newness, **self._codes}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, ArrivalsConfig)
        codes = {name: np.asarray(arrays[name]) for name in _CODES}
        return cls(config, np.asarray(arrays["item"]), np.asarray(arrays["newness"]), codes)


def _newness(data: Interactions, config: ArrivalsConfig) -> Float64:
    """(items,) between 0 and 1; 0 for an item that is not out yet, or of which no date is known."""
    items = len(data.items)
    if data.clock is not Clock.TIMED or not len(data):
        return np.zeros(items)
    end = log_end(data)
    first = np.full(items, np.iinfo(np.int64).max)
    np.minimum.at(first, data.item, data.time)
    published = data.catalogue.published_at
    # An item with events is out, whatever date the catalogue gives it.
    born = np.where(published >= 0, np.minimum(published, first), first)
    users = np.bincount(distinct(pair_keys(data.user, data.item, items)) % items, minlength=items)
    fresh = np.exp2(-np.maximum(end - born, 0) / SECONDS_PER_DAY / config.half_life)
    fresh *= config.known / (config.known + users)
    return np.where(born < end, fresh, 0.0)


def _compact(code: Int32, offered: Int32) -> Int32:
    """Codes of all items, numbered anew over those that the items ``offered`` have; -1 for the others."""
    used = distinct(code[offered][code[offered] >= 0].astype(np.int64))
    table = np.full(int(code.max(initial=-1)) + 2, -1, dtype=np.int32)
    table[used] = np.arange(len(used))
    return table[code]
