"""Which candidate sources earn their place. One that adds nothing costs time in every fit and every answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.models.ranker import OBJECTIVES, Examples, Ranker, RankerConfig
from training.models.ranker_features import columns_of_source
from training.models.source import sources
from training.pipelines.recommend_folds import Explored

#: A source stays when at least this share of what came true was found by it alone ...
_LEAST_FOUND = 0.005
#: ... or when its scores bring at least this share of the gain of a small ranker.
_LEAST_GAIN = 0.004
#: Boosting rounds of the small ranker.
_ROUNDS = 20


@dataclass(frozen=True)
class Worth:
    """What one source brings beside the others."""

    found_alone: float  # share of the hits of the whole pool
    gain: float  # share of the gain of a ranker over all features

    @property
    def enough(self) -> bool:
        return self.found_alone >= _LEAST_FOUND or self.gain >= _LEAST_GAIN


def weigh_sources(explored: Explored, examples: Examples, config: RankerConfig) -> tuple[list[str], dict[str, Worth]]:
    """The sources to keep, and the worth of every source when it was kept or dropped.

    The least of those that do not bring enough is dropped, and the hits are counted again without it: of two that find
    the same, one stays. The last that answers strangers stays as well: folds of the past hold few of them.
    """
    gains = _gains(examples, explored.names, config)
    kept = list(explored.names)
    answering = {name for name, source in sources().items() if source.answers_strangers}
    worth: dict[str, Worth] = {}
    while True:
        alone = _found_alone(explored, kept)
        worth |= {name: Worth(alone[name], gains[name]) for name in kept}
        strangers = [name for name in kept if name in answering]
        idle = [name for name in kept if not worth[name].enough and strangers != [name]]
        if not idle or len(kept) == 1:
            return kept, worth
        kept.remove(min(idle, key=lambda name: (worth[name].found_alone + worth[name].gain, name)))


def _found_alone(explored: Explored, kept: Sequence[str]) -> dict[str, float]:
    columns = [explored.names.index(name) for name in kept]
    finders = ~np.isnan(explored.pool.rank[explored.hit][:, columns])
    single = finders[finders.sum(axis=1) == 1]
    hits = max(int(finders.any(axis=1).sum()), 1)
    return {name: float(single[:, place].sum()) / hits for place, name in enumerate(kept)}


def _gains(examples: Examples, names: Sequence[str], config: RankerConfig) -> dict[str, float]:
    shares = Ranker.fit(examples, config, rounds=[_ROUNDS] * len(OBJECTIVES)).importance()
    return {name: sum(shares[column] for column in columns_of_source(name)) for name in names}
