"""Ranked lists for several questions at once, by the best way that the time left allows.

A batch costs little more than a single question, since most of the work of one is the calling of functions; and a row
of a batch gets to the bit what it gets alone (:meth:`training.models.recommender.Recommender.recommend`).
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.engine.asking import Degraded
from serving.engine.observing import Observer, stage
from training.interactions import Float32, Histories, Int32
from training.models.recommender import Ranked, Recommender

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RankedList:
    """What was ranked for one question, best first."""

    item: Int32  # (k,)
    score: Float32  # (k,) comparable within one list
    source: Int32  # (k,) place in the recommender's ``source_names``


@dataclass(frozen=True)
class RankedBatch:
    """One list per question, and what they were made without."""

    lists: tuple[RankedList, ...]
    degraded: tuple[Degraded, ...] = ()


def rank_batch(
    recommender: Recommender,
    histories: Histories,
    widths: Sequence[int],
    *,
    exclude_seen: bool,
    deadline: float,
    observer: Observer,
) -> RankedBatch:
    """The ``widths[r]`` best items for every row ``r``.

    Where the ranker breaks, or ``deadline`` (of ``time.perf_counter``) has passed when it would begin, the blend of the
    sources ranks instead. Raises what a source raises.
    """
    count = len(histories)
    with stage(observer, "retrieve", count):
        pool = recommender.retrieve(histories, exclude_seen=exclude_seen)
        observer.candidates(
            dict(zip(recommender.source_names, (~np.isnan(pool.rank)).sum(axis=0).tolist(), strict=True))
        )
        candidates = recommender.shortlisted(pool)
    degraded: tuple[Degraded, ...] = ()
    with stage(observer, "rank", count):
        if recommender.ranker is not None and time.perf_counter() > deadline:
            score, degraded = recommender.blend.score(candidates), (Degraded.DEADLINE,)
        else:
            try:
                score = recommender.rank(histories, candidates)
            except Exception:
                # A page with the blend's order is better than none; the log and the answer both say so.
                _LOG.exception("the ranker failed; the blend of the sources ranks instead")
                score, degraded = recommender.blend.score(candidates), (Degraded.RANKER,)
        best = recommender.best(candidates, score, max(widths))
    return RankedBatch(_by_row(best, widths), degraded)


def _by_row(ranked: Ranked, widths: Sequence[int]) -> tuple[RankedList, ...]:
    bounds = np.searchsorted(ranked.row, np.arange(len(widths) + 1)).tolist()
    lists = []
    for row, width in enumerate(widths):
        part = slice(bounds[row], min(bounds[row + 1], bounds[row] + width))
        lists.append(RankedList(ranked.item[part], ranked.score[part], ranked.source[part]))
    return tuple(lists)
