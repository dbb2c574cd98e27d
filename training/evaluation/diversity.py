"""How different from each other the items of one list are."""

import numpy as np

from training.interactions import Int32


def diversity(recommended: Int32, group: Int32) -> float:
    """Mean over lists of the share of pairs of their items that are of different groups, 0..1.

    Intra-list dissimilarity (Ziegler et al., "Improving recommendation lists through topic diversification", WWW 2005)
    with distance 1 between two groups and 0 within one. ``recommended`` is (q, K), -1 for an empty place; ``group``
    (n,) the code of each item's category, brand or shop, -1 unknown. Items of unknown group are left out, and so are
    lists with fewer than two others; NaN when no list is left.
    """
    of_item = np.append(group, -1)
    code = np.sort(of_item[recommended], axis=1)  # an empty place is -1 and takes the last, which is unknown
    known = code >= 0
    place = np.arange(code.shape[1])
    begins = np.concatenate([np.ones((len(code), 1), np.bool_), code[:, 1:] != code[:, :-1]], axis=1)
    before = place - np.maximum.accumulate(np.where(begins, place, 0), axis=1)  # earlier ones of the same group
    alike = np.where(known, before, 0).sum(axis=1)
    size = known.sum(axis=1)
    pairs = size * (size - 1) // 2
    judged = pairs > 0
    return float((1 - alike[judged] / pairs[judged]).mean()) if judged.any() else float("nan")
