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

from training.interactions import Histories, Int32, Int64, Interactions
from training.models import compiled_sessions
from training.models.blocks import by_blocks
from training.models.kind_weights import KindWeights
from training.models.neighbours import HistoryWeighting
from training.models.ragged import (
    Float64,
    Positions,
    Rows,
    best_of_rows,
    candidates,
    contains,
    ends_of,
    had_by,
    heaviest,
    zeros,
)
from training.models.session_index import SessionIndex
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

    starts: Int64  # (rows + 1,)
    session: Int32  # (k,) nearest first
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
        # (items,) 0 for items that no session has
        self._rarity = np.where(index.frequency > 0, np.maximum(index.frequency, 1.0) ** -config.rarity, 0.0)
        self._farthest = int(index.place.max(initial=0))
        gaps = np.arange(-self._farthest, self._farthest + 1)
        decay = config.gap_decay ** np.maximum(np.abs(gaps) - 1.0, 0.0)
        self._near = decay * np.where(gaps < 0, config.backward, 1.0)  # what a vote counts, by the moments between

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
        index, nearest = self._index, self._nearest(self._asked(histories))
        found = compiled_sessions.best_votes(
            nearest.starts,
            nearest.session,
            nearest.similarity,
            nearest.anchor,
            index.starts,
            index.item,
            index.place,
            index.weight,
            self._near,
            self._farthest,
            *had_by(histories if exclude_seen else None),
            zeros(index.items),
            n,
        )
        return candidates(Rows(*found))

    def _asked(self, histories: Histories) -> Rows:
        """What asks: distinct known items of each row, the weightiest first."""
        weight = self._weighting.weights(histories) * self._rarity[histories.item]
        return heaviest(Rows(histories.indptr, histories.item, weight), self._index.items, self._config.asked)

    def _nearest(self, asked: Rows) -> _Nearest:
        index = self._index
        starts, session, similarity, anchor = compiled_sessions.newest_sessions(
            *asked, index.item_starts, index.session, index.item_place, self._config.recent
        )
        best, counts = best_of_rows(starts, session, similarity, self._config.nearest)
        return _Nearest(ends_of(counts), session[best], similarity[best], anchor[best])

    def _votes(self, nearest: _Nearest) -> tuple[Positions, Positions, Float64]:
        """For every item of every neighbour: the neighbour, the place in the index, and the vote."""
        index = self._index
        return compiled_sessions.votes(
            nearest.session,
            nearest.similarity,
            nearest.anchor,
            index.starts,
            index.place,
            index.weight,
            self._near,
            self._farthest,
        )

    def because(self, histories: Histories, row: Int32, item: Int32) -> Int32:
        """The asked item that brought most of the votes, each session's vote counting for all it shares."""
        answer = np.full(len(row), -1, dtype=np.int32)
        index = self._index
        for one in np.unique(row).tolist():
            history = histories.slice(one, one + 1)
            asking = self._asked(history)
            asked, weight = asking.item, asking.weight
            nearest = self._nearest(asking)
            neighbour, pair, vote = self._votes(nearest)
            for place in np.flatnonzero(row == one).tolist():
                mine = index.item[pair] == item[place]
                voters, votes = nearest.session[neighbour[mine]], vote[mine]
                speaks = np.zeros(len(asked))
                for position, source in enumerate(asked.tolist()):
                    posting = index.session[index.item_starts[source] : index.item_starts[source + 1]]
                    speaks[position] = weight[position] * votes[contains(posting, voters)].sum()
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
