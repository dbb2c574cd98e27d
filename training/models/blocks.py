"""Answering many rows a few at a time, so that what a source holds meanwhile stays small."""

from collections.abc import Callable

import numpy as np

from training.interactions import Histories
from training.models.ragged import no_candidates
from training.models.source import Candidates


def by_blocks(histories: Histories, rows: int, answer: Callable[[Histories], Candidates]) -> Candidates:
    """What ``answer`` gives for each block of at most ``rows`` rows, numbered as in ``histories``."""
    if 0 < len(histories) <= rows:
        return answer(histories)
    parts = []
    for start in range(0, len(histories), rows):
        found = answer(histories.slice(start, min(start + rows, len(histories))))
        parts.append((found.row + np.int32(start), found.item, found.score))
    if not parts:
        return no_candidates()
    row, item, score = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Candidates(row, item, score)
