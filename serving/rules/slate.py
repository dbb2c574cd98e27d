"""The list that rules work on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from serving.rules.compiled import in_front
from training.interactions import Bool, Float32, Int32
from training.models.ragged import Float64


@dataclass(frozen=True)
class Slate:
    """Distinct items of one answer, best first."""

    item: Int32  # (k,) internal item index
    score: Float32  # (k,) the model's, NaN where it has none
    propensity: Float32  # (k,) probability with which the item stands at its place
    fixed: Bool  # (k,) its place was set by hand and is not to be drawn

    @classmethod
    def of(cls, item: Int32, score: Float32) -> Self:
        """Ranked items, before any rule."""
        return cls(item, score, np.ones(len(item), dtype=np.float32), np.zeros(len(item), dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.item)

    @property
    def worth(self) -> Float64:
        """(k,) what a place is worth: the discount of DCG.

        Rules weigh with it instead of the score: it means the same under every model.
        """
        return _worth(len(self))

    def at(self, places: Sequence[int] | np.ndarray | slice) -> Self:
        """The items at ``places``, in that order."""
        taken = places if isinstance(places, slice) else np.asarray(places, dtype=np.int64)
        return type(self)(self.item[taken], self.score[taken], self.propensity[taken], self.fixed[taken])

    def first(self, places: Sequence[int] | np.ndarray) -> Self:
        """All items, those at ``places`` (distinct ones) in front."""
        front = np.asarray(places, dtype=np.int64)
        if front.tolist() == list(range(len(front))):
            return self
        return self.at(in_front(front, len(self)))

    def extended(self, item: Iterable[int]) -> Self:
        """With further items at the end, without score; those that stand in it already stay where they are."""
        present = set(self.item.tolist())
        new = np.array([i for i in dict.fromkeys(item) if i not in present], dtype=np.int32)
        tail = type(self).of(new, np.full(len(new), np.nan, dtype=np.float32))
        return type(self)(
            np.concatenate([self.item, tail.item]),
            np.concatenate([self.score, tail.score]),
            np.concatenate([self.propensity, tail.propensity]),
            np.concatenate([self.fixed, tail.fixed]),
        )


@lru_cache(maxsize=2048)
def _worth(length: int) -> Float64:
    value: Float64 = 1.0 / np.log2(np.arange(length) + 2.0)
    value.flags.writeable = False
    return value
