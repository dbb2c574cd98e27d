"""Do two models say the same of the same users?"""

import numpy as np
import numpy.typing as npt

Named = npt.NDArray[np.integer]


def top_overlap(a: Named, b: Named) -> float:
    """Mean share of what either names that both name, per user; 1: always the same. NaN when nothing is named at all.

    ``a`` and ``b`` are (n, k) codes without repeats in a row, -1 for an empty place. A user of whom neither says
    anything is left out. The denominator is the longer of the two lists ("overlap at k", Webber, Moffat & Zobel 2010).
    """
    longer = np.maximum((a >= 0).sum(axis=1), (b >= 0).sum(axis=1))
    both = ((a[:, :, None] == b[:, None, :]) & (a[:, :, None] >= 0)).sum(axis=(1, 2))
    told = longer > 0
    return float((both[told] / longer[told]).mean()) if told.any() else float("nan")
