"""The union of what several sources found for the same users, and how scores of one source are made comparable."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.interactions import Float32, Int32, Int64
from training.models import compiled
from training.models.ragged import pair_keys, row_starts, stable_order
from training.models.source import Candidates


@dataclass(frozen=True)
class Pool:
    """Distinct (row, item) pairs, sorted by row and then item, with what each of ``s`` sources says of them."""

    rows: int
    row: Int32  # (c,)
    item: Int32  # (c,)
    score: Float32  # (c, s) NaN where the source did not find the pair
    rank: Float32  # (c, s) place in the source's list of the row, 0 first; NaN likewise

    @cached_property
    def indptr(self) -> Int64:
        """(rows + 1,) where each row begins."""
        return row_starts(self.row, self.rows)

    def normalised(self) -> Float32:
        """(c, s) each source's score from 0.1 (its lowest of the row) to 1 (its highest); 0 where it is silent.

        Ranks would forget by how much the first leads the second; raw scores cannot be compared between users.
        """
        # The lowest keeps a tenth: a source that names an item says more than one that does not.
        scaled: Float32 = compiled.scaled_columns(self.indptr, np.ascontiguousarray(self.score), 0.1)
        return scaled

    def best_source(self) -> Int32:
        """(c,) the source that ranks each pair best; equal ranks: the earlier source."""
        if not len(self.row):
            return np.empty(0, dtype=np.int32)
        best: Int32 = np.nanargmin(self.rank, axis=1).astype(np.int32)
        return best

    def of_sources(self, columns: list[int]) -> "Pool":
        """What some of the sources found, as if the others had not been asked."""
        found = ~np.isnan(self.rank[:, columns]).all(axis=1)
        return Pool(
            self.rows, self.row[found], self.item[found], self.score[found][:, columns], self.rank[found][:, columns]
        )

    def only(self, keep: np.ndarray) -> "Pool":
        """The pairs under a mask or at ascending positions; row numbers stay."""
        return Pool(self.rows, self.row[keep], self.item[keep], self.score[keep], self.rank[keep])


def pool(found: Sequence[Candidates], rows: int, items: int) -> Pool:
    """Unite lists of the same ``rows`` users over a catalogue of ``items``; column ``k`` is ``found[k]``."""
    row = np.concatenate([np.empty(0, np.int32), *(each.row for each in found)])
    item = np.concatenate([np.empty(0, np.int32), *(each.item for each in found)])
    said = np.concatenate([np.empty(0, np.float32), *(each.score for each in found)])
    starts = np.cumsum([0, *(len(each.row) for each in found)], dtype=np.int64)
    keys = pair_keys(row, item, items)
    pairs, score, rank = compiled.united(keys, stable_order(keys), starts, row, said, len(found))
    return Pool(rows, (pairs // items).astype(np.int32), (pairs % items).astype(np.int32), score, rank)
