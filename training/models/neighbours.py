"""Item-to-item neighbour lists and how a history asks them: shared by every source that works with item pairs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from training.interactions import Float32, Histories, Int32, Int64
from training.models import compiled, compiled_because
from training.models.ragged import (
    Float64,
    Rows,
    best_of_rows,
    best_sums,
    candidates,
)
from training.models.recency import steps_back
from training.models.source import Arrays, Candidates

#: A square matrix of item pairs.
Sparse: TypeAlias = "sp.csr_array[Any, Any]"

#: Events of the history whose weight falls below this share of a fresh purchase are not looked up.
_NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class HistoryWeighting:
    """How much each event of a history asks: ``w(type) * recency ** steps_back``, the newest ``limit`` steps."""

    kinds: Float32  # (types,) weight by type code
    recency: float  # 1 makes all steps equal
    limit: int  # steps of history that ask

    def weights(self, histories: Histories) -> Float64:
        """(m,) weight per event."""
        weight: Float64 = compiled.asking(histories.kind, steps_back(histories), self.kinds, self._decay, _NEGLIGIBLE)
        return weight

    @cached_property
    def _decay(self) -> Float64:
        """(limit,) what a step back leaves of a weight."""
        decay: Float64 = self.recency ** np.arange(self.limit, dtype=np.float64)
        return decay


class Neighbours:
    """For each item its strongest others: a square matrix in compressed rows, best first within a row."""

    def __init__(self, indptr: Int64, item: Int32, weight: Float32) -> None:
        self.indptr, self.item, self.weight = indptr, item, weight

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @classmethod
    def strongest(cls, matrix: Sparse, k: int) -> "Neighbours":
        """The ``k`` largest positive entries of every row off the diagonal."""
        rows = np.arange(matrix.shape[0], dtype=matrix.indices.dtype)
        keep = matrix.indices != np.repeat(rows, np.diff(matrix.indptr))
        keep &= matrix.data > 0
        item, weight = matrix.indices[keep].astype(np.int32), matrix.data[keep].astype(np.float32)
        indptr = np.concatenate([[0], np.cumsum(keep)])[matrix.indptr].astype(np.int64)
        place, counts = best_of_rows(indptr, item, weight, k)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(starts, item[place], weight[place])

    def ask(self, histories: Histories, weight: Float64, n: int, *, exclude_seen: bool) -> Candidates:
        """Sum the neighbours of every history event times its ``weight`` (m,); the ``n`` best per row."""
        asking, table = Rows(histories.indptr, histories.item, weight), Rows(self.indptr, self.item, self.weight)
        return candidates(best_sums(asking, table, len(self), n, seen=histories if exclude_seen else None))

    def because(self, histories: Histories, weight: Float64, row: Int32, item: Int32) -> Int32:
        """For each (row, item) the history item that speaks most for it, -1 where none does."""
        row, item = np.asarray(row, dtype=np.int32), np.asarray(item, dtype=np.int32)
        asked = histories.indptr, histories.item, weight
        return compiled_because.speakers(*asked, row, item, self.indptr, self.item, self.weight)

    def of(self, item: int, n: int) -> tuple[Int32, Float32]:
        """The ``n`` strongest neighbours of one item and their weights."""
        start, stop = int(self.indptr[item]), int(self.indptr[item + 1])
        stop = min(stop, start + n)
        return np.asarray(self.item[start:stop]), np.asarray(self.weight[start:stop])

    def arrays(self) -> Arrays:
        return {"indptr": self.indptr, "item": self.item, "weight": self.weight}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Neighbours":
        """The inverse of :meth:`arrays`."""
        return cls(
            np.asarray(arrays["indptr"], dtype=np.int64),
            np.asarray(arrays["item"], dtype=np.int32),
            np.asarray(arrays["weight"], dtype=np.float32),
        )
