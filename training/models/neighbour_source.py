"""What sources over item pairs share: a list of neighbours per item, asked with the newest of the history."""

from typing import ClassVar, Self

from pydantic import Field

from training.interactions import Histories, Int32
from training.models.kind_weights import KindWeights
from training.models.neighbours import HistoryWeighting, Neighbours
from training.models.ragged import Float64
from training.models.source import Arrays, Candidates, CandidateSource, SourceConfig


class NeighbourConfig(SourceConfig):
    """Settings of every source over item pairs."""

    neighbours: int = Field(default=100, gt=0)
    """Items kept per item."""
    recency: float = Field(default=0.6, gt=0, le=1)
    """Factor per moment back in the history that asks."""
    history: int = Field(default=100, gt=0)
    """Moments of the history that ask."""
    kinds: KindWeights = KindWeights()


class NeighbourSource(CandidateSource):
    """A source that sums the neighbours of what the user had. A subclass says how they are found."""

    asked_with: ClassVar[frozenset[str]] = frozenset({"recency", "history"})

    def __init__(self, config: NeighbourConfig, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self._weighting = HistoryWeighting(config.kinds.table(), config.recency, config.history)

    def weights(self, histories: Histories) -> Float64:
        """(m,) how much each event of the histories asks."""
        return self._weighting.weights(histories)

    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        return self.neighbours.ask(histories, self.weights(histories), n, exclude_seen=exclude_seen)

    def because(self, histories: Histories, row: Int32, item: Int32) -> Int32:
        return self.neighbours.because(histories, self.weights(histories), row, item)

    def arrays(self) -> Arrays:
        return self.neighbours.arrays()

    @classmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        assert isinstance(config, NeighbourConfig)
        return cls(config, Neighbours.from_arrays(arrays))
