"""A weighted sum of the sources' normalised scores: what ranks where a learnt ranker does not pay."""

from dataclasses import dataclass

import numpy as np

from training.models import compiled
from training.models.pool import Pool
from training.models.ragged import Float64, best_of_rows

#: What every source weighs beside its weight: it orders the pairs that the blend is silent about.
_SILENT = 1e-6


@dataclass(frozen=True)
class Blend:
    """One weight per source, in the order of the pool's columns."""

    weights: tuple[float, ...]

    @classmethod
    def only(cls, place: int, count: int) -> "Blend":
        """The source at ``place`` alone: its order, the rest of the pool behind it."""
        return cls(tuple(float(k == place) for k in range(count)))

    def score(self, pool: Pool) -> Float64:
        """(c,) the blend's score; pairs that it is silent about follow in the order of all sources together."""
        total: Float64 = compiled.blended(pool.normalised(), np.array(self.weights, np.float64), _SILENT)
        return total


def shortlist(pool: Pool, blend: Blend, n: int) -> Pool:
    """The ``n`` pairs of every row that the blend likes best."""
    if not len(pool.row) or int(np.diff(pool.indptr).max()) <= n:
        return pool
    place, _ = best_of_rows(pool.indptr, pool.item, blend.score(pool), n)
    return pool.only(np.sort(place))
