"""What the user had before, by decayed frequency. In groceries nothing simple is stronger.

``score(u, i) = repeat_rate(i)^p * sum over events of w(type) * 2^(-age / half_life)``, where ``repeat_rate`` is the
smoothed share of an item's buyers who came back to it. Decayed personal frequency: Hu et al., "Modeling personalized
item frequency information for next-basket recommendation" (TIFU-KNN, SIGIR 2020), without its neighbours.
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import Float32, Histories, Interactions
from training.models.kind_weights import KindWeights
from training.models.ragged import Rows, no_candidates, pair_keys, row_starts, select, sum_by_key
from training.models.recency import ages, moments, weights_of
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig


class RepeatConfig(SourceConfig):
    """Settings of :class:`Repeat`."""

    half_life: float = Field(default=90.0, gt=0)
    """Days (events where only the order is known) after which an event counts half."""
    propensity: float = Field(default=0.5, ge=0)
    """Exponent of the item's repeat rate; 0 ignores it."""
    prior: float = Field(default=10.0, gt=0)
    """Buyers with which an item's repeat rate is smoothed towards the rate of all items."""
    kinds: KindWeights = KindWeights()


class Repeat(CandidateSource):
    """Personal repeat."""

    name: ClassVar[str] = "repeat"
    Config: ClassVar[type[SourceConfig]] = RepeatConfig
    asked_with: ClassVar[frozenset[str]] = frozenset({"half_life"})
    only_seen: ClassVar[bool] = True

    def __init__(self, config: RepeatConfig, propensity: Float32) -> None:
        self._config = config
        self._propensity = propensity  # (items,) repeat_rate ** p
        self._kinds = config.kinds.table()

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, RepeatConfig)
        rate = repeat_rates(data, config.prior)
        return cls(config, (rate**config.propensity).astype(np.float32))

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        if exclude_seen or not len(histories.item):
            return no_candidates()
        weight = weights_of(histories.kind, self._kinds) * np.exp2(-ages(histories) / self._config.half_life)
        items = len(self._propensity)
        keys, total = sum_by_key(pair_keys(histories.row, histories.item, items), weight)
        row, item = (keys // items).astype(np.int32), (keys % items).astype(np.int32)
        score = total * self._propensity[item]
        return select(Rows(row_starts(row, len(histories)), item, score), n, seen=None, items=items)

    def arrays(self) -> Arrays:
        return {"propensity": self._propensity}

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, RepeatConfig)
        return cls(config, np.asarray(arrays["propensity"], dtype=np.float32))


def repeat_rates(data: Interactions, prior: float) -> Float32:
    """(items,) smoothed share of each item's users who had it at more than one moment."""
    items = len(data.items)
    pair, moment = pair_keys(data.user, data.item, items), moments(data)
    order = np.lexsort((moment, pair))
    pair, moment = pair[order], moment[order]
    new_pair = np.diff(pair, prepend=-1) != 0
    visits = np.bincount(np.cumsum(new_pair) - 1, weights=(np.diff(moment, prepend=-1) != 0) | new_pair)
    item = pair[new_pair] % items
    users = np.bincount(item, minlength=items)
    repeated = np.bincount(item, weights=visits > 1, minlength=items)
    overall = repeated.sum() / max(len(item), 1)
    rates: Float32 = ((repeated + prior * overall) / (users + prior)).astype(np.float32)
    return rates
