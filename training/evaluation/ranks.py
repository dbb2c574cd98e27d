"""Ranks under weights: what a bootstrap draw, which counts a user several times or not at all, makes of an order."""

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def weighted_ranks(values: Float64, weights: Float64) -> Float64:
    """(d, n) rank of each of ``values`` (n,) in shares of the whole, 0 to 1, where row ``k`` of ``weights`` (d, n)
    counts user ``i`` ``weights[k, i]`` times. Equal values share their mean rank.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    mass = np.add.reduceat(weights[:, order], np.flatnonzero(first), axis=1)
    middle = np.cumsum(mass, axis=1) - mass / 2.0
    ranks = np.empty(weights.shape)
    ranks[:, order] = middle[:, np.cumsum(first) - 1]
    return np.asarray(ranks / weights.sum(axis=1, keepdims=True))
