"""What sessions like the present one held: nearest neighbours over sessions.

``similarity(s) = sum over asked items q in s of w(q) * recency^steps_back(q) / sessions(q)^rarity``, over the newest
sessions that share an item. The nearest ones vote: ``score(i) = sum over s of similarity(s) * w(i, s) * near(i, s)``,
where ``near`` is ``gap_decay^(g - 1)`` for an item ``g`` moments after the weightiest shared item of the session,
``backward`` of that before it and 1 beside it. Ludewig and Jannach, "Evaluation of session-based recommendation
algorithms" (UMUAI 2018), V-SKNN; Kersbergen, Sprangers and Schelter, "Serenade" (SIGMOD 2022), the index; Garg et al.,
"Sequence and time aware neighborhood for session-based recommendations" (SIGIR 2019), the place within a neighbour.

Rarity counts where sessions are matched and not where they vote: there, measured, it only put rare items before good
ones. The history that asks is not cut at pauses; ``recency`` fades what came before.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from training.interactions import Histories, Int32, Interactions
from training.models.blocks import by_blocks
from training.models.kind_weights import KindWeights
from training.models.neighbours import HistoryWeighting
from training.models.ragged import (
    Float64,
    Positions,
    best_of_rows,
    first_of_run,
    group_sums,
    pair_keys,
    row_starts,
    seen_keys,
    select,
    spans,
    sum_by_key,
)
from training.models.session_index import SessionIndex, heads
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig

#: Rows answered at a time: bounds the votes held at once.
_BLOCK = 64


class SessionsConfig(SourceConfig):
    """Settings of :class:`Sessions`."""

    gap: float = Field(default=14.0, gt=0)
    """Days of inactivity that end a session (only where times are known)."""
    longest: int = Field(default=30, gt=0)
    """Moments of a session; a longer one is several."""
    widest: int = Field(default=50, gt=0)
    """Items of a session that vote, the latest first."""
    sessions: int = Field(default=1_000_000, gt=0)
    """Sessions kept, the newest first: bounds memory."""
    recent: int = Field(default=1000, gt=0)
    """Newest sessions that are compared, of each item asked and of all of them together."""
    nearest: int = Field(default=200, gt=0)
    """Sessions that vote."""
    asked: int = Field(default=30, gt=0)
    """Items of the history that ask, the weightiest first."""
    history: int = Field(default=20, gt=0)
    """Moments of the history that ask."""
    recency: float = Field(default=0.7, gt=0, le=1)
    """Factor per moment back in the history that asks."""
    rarity: float = Field(default=0.3, ge=0)
    """Exponent of the number of sessions that a shared item's weight is divided by."""
    gap_decay: float = Field(default=0.7, gt=0, le=1)
    """Factor per further moment between an item of a neighbour and the shared one."""
    backward: float = Field(default=0.5, ge=0, le=1)
    """What counts of an item before the shared one."""
    kinds: KindWeights = KindWeights()


@dataclass(frozen=True)
class _Nearest:
    """The sessions nearest to each row."""

    row: Int32  # (k,) ascending
    session: Int32  # (k,)
    similarity: Float64  # (k,)
    anchor: Int32  # (k,) place of the weightiest shared item


class Sessions(CandidateSource):
    """Session-based nearest neighbours."""

    name: ClassVar[str] = "sessions"
    Config: ClassVar[type[SourceConfig]] = SessionsConfig
    asked_with: ClassVar[frozenset[str]] = frozenset(
        {"nearest", "asked", "history", "recency", "rarity", "gap_decay", "backward"}
    )

    def __init__(self, config: SessionsConfig, index: SessionIndex) -> None:
        self._config, self._index = config, index
        self._weighting = HistoryWeighting(config.kinds.table(), config.recency, config.history)
        self._rarity = np.maximum(index.frequency, 1.0) ** -config.rarity  # (items,)

    @classmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        assert isinstance(config, SessionsConfig)
        index = SessionIndex.of(
            data,
            config.kinds.table(),
            gap=config.gap,
            longest=config.longest,
            widest=config.widest,
            sessions=config.sessions,
            postings=config.recent,
        )
        return cls(config, index)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        return by_blocks(histories, _BLOCK, lambda block: self._retrieve(block, n, exclude_seen))

    def _retrieve(self, histories: Histories, n: int, exclude_seen: bool) -> Candidates:
        items = self._index.items
        nearest = self._nearest(histories, *self._asked(histories))
        neighbour, pair, vote = self._votes(nearest)
        keys, score = sum_by_key(pair_keys(nearest.row[neighbour], self._index.item[pair], items), vote)
        row, item = (keys // items).astype(np.int32), (keys % items).astype(np.int32)
        found = score > 0
        seen = seen_keys(histories, items) if exclude_seen else None
        return select(histories, row[found], item[found], score[found], n, seen=seen, items=items)

    def _asked(self, histories: Histories) -> tuple[Int32, Int32, Float64]:
        """Row, item and weight of what asks: distinct known items of each row, the weightiest first."""
        weight = self._weighting.weights(histories)
        weight *= (self._index.frequency > 0)[histories.item] * self._rarity[histories.item]
        events = np.flatnonzero(weight > 0)
        keys = pair_keys(histories.row[events], histories.item[events], self._index.items)
        order = np.lexsort((-weight[events], keys))
        events = events[order[first_of_run(keys[order])]]
        row, item, weight = histories.row[events], histories.item[events], weight[events]
        place, _ = best_of_rows(row_starts(row, len(histories)), item, weight, self._config.asked)
        return row[place], item[place], weight[place]

    def _nearest(self, histories: Histories, row: Int32, item: Int32, weight: Float64) -> _Nearest:
        index, sessions = self._index, len(self._index.starts) - 1
        counts = np.diff(index.item_starts)[item]
        posting = spans(index.item_starts[:-1][item], counts)
        keys = pair_keys(np.repeat(row, counts), index.session[posting], sessions)
        # The postings of each item ascend, and the sort is stable: the weightiest item of a session stays first.
        order = np.argsort(keys, kind="stable")
        first = first_of_run(keys[order])
        similarity = group_sums(np.cumsum(first) - 1, np.repeat(weight, counts)[order], int(first.sum()))
        shared = order[first]
        owner, session = np.repeat(row, counts)[shared], index.session[posting[shared]]
        anchor = index.item_place[posting[shared]]

        newest = heads(row_starts(owner, len(histories)), self._config.recent)
        starts = row_starts(owner[newest], len(histories))
        best = newest[best_of_rows(starts, session[newest], similarity[newest], self._config.nearest)[0]]
        return _Nearest(owner[best], session[best], similarity[best], anchor[best])

    def _votes(self, nearest: _Nearest) -> tuple[Positions, Positions, Float64]:
        """For every item of every neighbour: the neighbour, the place in the index, and the vote."""
        index, config = self._index, self._config
        counts = np.diff(index.starts)[nearest.session]
        pair = spans(index.starts[:-1][nearest.session], counts)
        neighbour = np.repeat(np.arange(len(counts)), counts)
        after = index.place[pair] - nearest.anchor[neighbour]
        near = config.gap_decay ** np.maximum(np.abs(after) - 1.0, 0.0) * np.where(after < 0, config.backward, 1.0)
        return neighbour, pair, nearest.similarity[neighbour] * index.weight[pair] * near

    def because(self, histories: Histories, row: Int32, item: Int32) -> Int32:
        """The asked item that brought most of the votes, each session's vote counting for all it shares."""
        answer = np.full(len(row), -1, dtype=np.int32)
        index = self._index
        for one in np.unique(row).tolist():
            history = histories.slice(one, one + 1)
            owner, asked, weight = self._asked(history)
            nearest = self._nearest(history, owner, asked, weight)
            neighbour, pair, vote = self._votes(nearest)
            for place in np.flatnonzero(row == one).tolist():
                mine = index.item[pair] == item[place]
                voters, votes = nearest.session[neighbour[mine]], vote[mine]
                speaks = np.zeros(len(asked))
                for position, source in enumerate(asked.tolist()):
                    posting = index.session[index.item_starts[source] : index.item_starts[source + 1]]
                    speaks[position] = weight[position] * votes[np.isin(voters, posting)].sum()
                speaks[asked == item[place]] = 0.0
                if speaks.max(initial=0.0) > 0:
                    answer[place] = asked[int(speaks.argmax())]
        return answer

    def arrays(self) -> Arrays:
        return self._index.arrays()

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, SessionsConfig)
        return cls(config, SessionIndex.from_arrays(arrays))
