"""Fewer users than there are, of several moments, so that the moments do not all keep the same ones.

A user tells nearly the same at neighbouring moments. Where a tenth of the rows may stay, a tenth of the users of every
moment, other ones each time, teach far more than the same tenth over and over.
"""

import numpy as np
import numpy.typing as npt

#: Multiples of it, modulo 1, keep as far from each other as can be, however many there are.
_GOLDEN = 0.6180339887498949


def spread(count: int, kept: int, turn: int) -> npt.NDArray[np.int64]:
    """(min(kept, count),) rising positions in ``count`` users, evenly apart; every ``turn`` begins at another place."""
    if kept >= count:
        return np.arange(count)
    start = turn * _GOLDEN % 1.0
    taken: npt.NDArray[np.int64] = np.floor((np.arange(kept) + start) * (count / kept)).astype(np.int64)
    return taken
