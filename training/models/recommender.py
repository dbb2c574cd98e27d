"""From histories to ranked items: the scoring half, used by training to judge and by the server to answer.

``retrieve`` asks every source, ``featurise`` describes what they found, ``rank`` orders it; ``recommend`` does all
three. A source that is added to the package takes part without a change here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from training.interactions import Float32, Histories, Int32
from training.models.blend import Blend, shortlist
from training.models.item_statistics import ItemStatistics
from training.models.neighbour_source import NeighbourSource
from training.models.pool import Pool, pool
from training.models.ragged import Float64, best_of_rows, distinct
from training.models.ranker import Ranker
from training.models.ranker_features import featurise
from training.models.source import Candidates, CandidateSource, shown

#: Rows answered at a time: bounds the memory of a batch.
BLOCK = 512
#: Candidates that the ranker looks at: describing and scoring all would take most of the time of an answer.
SHORTLIST = 100

Intent = Literal["similar", "complementary"]


@dataclass(frozen=True)
class Ranked:
    """Items for the rows of a :class:`Histories`, sorted by row and then place, best first."""

    row: Int32  # (c,)
    item: Int32  # (c,)
    score: Float32  # (c,) comparable within one row
    source: Int32  # (c,) place in :attr:`Recommender.source_names` of the source that ranked the item best

    def lists(self, rows: int, width: int) -> Int32:
        """(rows, width) item indices, best first, -1 where the list is shorter."""
        starts = np.searchsorted(self.row, np.arange(rows))
        place = np.arange(len(self.row)) - starts[self.row]
        fits = place < width
        table = np.full((rows, width), -1, dtype=np.int32)
        table[self.row[fits], place[fits]] = self.item[fits]
        return table


@dataclass(frozen=True)
class Evidence:
    """Why an item stands in a list, for a sentence to a person."""

    source: str  # the source that ranked it best
    because: int  # index of the item of the user's history that speaks for it, -1 if none
    times: int  # moments at which the user had the item itself
    every: float  # mean days between them, NaN with fewer than two or without times
    ago: float  # days since the last of them, NaN likewise


@dataclass(frozen=True)
class Recommender:
    """Fitted sources and the way their candidates are ordered. Immutable."""

    sources: Mapping[str, CandidateSource]
    limits: Mapping[str, int]  # candidates per source and row
    statistics: ItemStatistics
    blend: Blend
    ranker: Ranker | None = None  # None: the blend ranks
    shortlist: int = SHORTLIST  # the blend's best of a row, which the ranker orders
    source_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source_names", tuple(self.sources))

    @property
    def items(self) -> int:
        """Number of items of the catalogue."""
        return len(self.statistics.buyers)

    def retrieve(self, histories: Histories, *, exclude_seen: bool) -> Pool:
        """The union of what the sources find, with the score and rank of each."""
        found = [
            source.retrieve(shown(type(source), histories), self.limits[name], exclude_seen=exclude_seen)
            for name, source in self.sources.items()
        ]
        return pool(found, len(histories), self.items)

    def shortlisted(self, candidates: Pool) -> Pool:
        """What is worth the ranker's time: the best of the blend; everything where the blend ranks."""
        return candidates if self.ranker is None else shortlist(candidates, self.blend, self.shortlist)

    def featurise(self, histories: Histories, candidates: Pool) -> tuple[tuple[str, ...], Float32]:
        """Names (f,) and values (c, f) of the ranker's features."""
        return featurise(shown(None, histories), candidates, self.statistics, self.source_names)

    def rank(self, histories: Histories, candidates: Pool) -> Float64:
        """(c,) the score that orders the candidates of a row."""
        if self.ranker is None:
            return self.blend.score(candidates)
        return self.ranker.predict(*self.featurise(histories, candidates))

    def recommend(self, histories: Histories, n: int, *, exclude_seen: bool) -> Ranked:
        """The ``n`` best items for every row; a row alone gets what it gets in any batch."""
        parts = []
        for start, block in self._blocks(histories):
            candidates = self.shortlisted(self.retrieve(block, exclude_seen=exclude_seen))
            best = self.best(candidates, self.rank(block, candidates), n)
            parts.append(Ranked(best.row + np.int32(start), best.item, best.score, best.source))
        if not parts:
            nothing = np.empty(0, dtype=np.int32)
            return Ranked(nothing, nothing, nothing.astype(np.float32), nothing)
        return Ranked(
            *(np.concatenate([getattr(p, name) for p in parts]) for name in ("row", "item", "score", "source"))
        )

    def best(self, candidates: Pool, score: Float64, n: int) -> Ranked:
        """The ``n`` candidates of every row that ``score`` (c,) puts first."""
        place, counts = best_of_rows(candidates.indptr, candidates.item, score, n)
        row = np.repeat(np.arange(candidates.rows, dtype=np.int32), counts)
        return Ranked(row, candidates.item[place], score[place].astype(np.float32), candidates.best_source()[place])

    def evidence(self, histories: Histories, row: Int32, item: Int32, source: Int32) -> list[Evidence]:
        """What speaks for each (row, item), given the place of its best source (see :class:`Ranked`)."""
        because = self.because(histories, row, item, source)
        return [
            _evidence(histories, int(row[k]), int(item[k]), self.source_names[source[k]], int(because[k]))
            for k in range(len(row))
        ]

    def because(self, histories: Histories, row: Int32, item: Int32, source: Int32) -> Int32:
        """(k,) the item of the row's history that speaks for each (row, item), -1 where none does."""
        because = np.full(len(row), -1, dtype=np.int32)
        for place in set(source.tolist()):
            mine = np.flatnonzero(source == place)
            speaker = self.sources[self.source_names[place]]
            because[mine] = speaker.because(shown(type(speaker), histories), row[mine], item[mine])
        return because

    def similar(self, item: int, n: int, intent: Intent = "similar") -> Candidates:
        """The ``n`` items nearest to one: liked by the same users, or (``complementary``) had with or after it."""
        order = ("item_knn", "linear", "covisit") if intent == "similar" else ("complements", "covisit", "linear")
        for name in order:
            source = self.sources.get(name)
            if isinstance(source, NeighbourSource):
                found, weight = source.neighbours.of(item, n)
                if len(found):
                    return Candidates(np.zeros(len(found), dtype=np.int32), found, weight)
        return Candidates(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))

    def _blocks(self, histories: Histories) -> Iterator[tuple[int, Histories]]:
        for start in range(0, len(histories), BLOCK):
            yield start, histories.slice(start, min(start + BLOCK, len(histories)))


def _evidence(histories: Histories, row: int, item: int, source: str, because: int) -> Evidence:
    low, high = int(histories.indptr[row]), int(histories.indptr[row + 1])
    times = distinct(histories.time[low:high][histories.item[low:high] == item])
    if histories.clock != "timed" or not len(times):
        return Evidence(source, because, len(times), float("nan"), float("nan"))
    days = times / 86_400
    every = float((days[-1] - days[0]) / (len(days) - 1)) if len(days) > 1 else float("nan")
    return Evidence(source, because, len(times), every, float(int(histories.as_of[row]) / 86_400 - days[-1]))
