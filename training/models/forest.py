"""The trees of a LightGBM booster, laid out for scoring many pairs at once.

QuickScorer: every leaf of a tree is a bit, every split that sends a pair to the right clears the bits of the leaves to
its left, and the lowest bit that is left is the pair's leaf. Nothing branches, so the compiler tests one split on many
pairs in one instruction. Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of
regression trees" (SIGIR 2015) and "Exploiting CPU SIMD extensions to speed-up document scoring with tree ensembles"
(SIGIR 2016). Scores are those of LightGBM to the bit: the same comparisons, the same sums in the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.interactions import Bool, Float32, Int32, Int64
from training.models import compiled_forest
from training.models.compiled_forest import LEAVES
from training.models.ragged import Float64

_ALL = (1 << LEAVES) - 1


@dataclass(frozen=True)
class Forest:
    """Trees of at most :data:`LEAVES` leaves over numerical features."""

    starts: Int64  # (trees + 1,) where the splits of each tree begin
    feature: Int32  # (splits,)
    threshold: Float32  # (splits,) what is above goes right
    unknown_right: Bool  # (splits,) whether NaN goes right
    keeps: npt.NDArray[np.uint32]  # (splits,) the leaves that are left when a pair goes right
    leaf: Float64  # (trees, LEAVES) value of each leaf, from left to right

    @classmethod
    def of(cls, booster: lgb.Booster) -> Self | None:
        """The booster's trees; None where they cannot be laid out like this, and the booster has to score itself."""
        trees = [_Tree() for _ in range(booster.num_trees())]
        try:
            for tree, plain in zip(trees, booster.dump_model()["tree_info"], strict=True):
                tree.add(plain["tree_structure"])
        except _UnlikeOthersError:
            return None
        splits = [split for tree in trees for split in tree.splits]
        leaf = np.zeros((len(trees), LEAVES))
        for place, tree in enumerate(trees):
            leaf[place, : len(tree.values)] = tree.values
        feature, threshold, unknown_right, keeps = zip(*splits, strict=True) if splits else ((), (), (), ())
        return cls(
            np.cumsum([0, *(len(tree.splits) for tree in trees)], dtype=np.int64),
            np.array(feature, dtype=np.int32),
            _down_to_single(np.array(threshold, dtype=np.float64)),
            np.array(unknown_right, dtype=np.bool_),
            np.array(keeps, dtype=np.uint32),
            leaf,
        )

    def scores(self, features: Float32) -> Float64:
        """(c,) sum of the trees for the (c, f) features of each pair."""
        found: Float64 = compiled_forest.scores(
            self.starts, self.feature, self.threshold, self.unknown_right, self.keeps, self.leaf, features
        )
        return found


class _UnlikeOthersError(Exception):
    """A tree with too many leaves, or a split that is no comparison with a number."""


class _Tree:
    """Splits and leaves of one tree, collected from left to right."""

    def __init__(self) -> None:
        self.splits: list[tuple[int, float, bool, int]] = []
        self.values: list[float] = []

    def add(self, node: Mapping[str, Any]) -> None:
        """Everything below ``node``."""
        if "leaf_value" in node:
            if len(self.values) == LEAVES:
                raise _UnlikeOthersError
            self.values.append(node["leaf_value"])
            return
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise _UnlikeOthersError
        first = len(self.values)
        self.add(node["left_child"])
        to_the_left = (1 << len(self.values)) - (1 << first)
        # A split that met no unknown values in the fit takes one for zero.
        left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        self.splits.append((node["split_feature"], node["threshold"], not left, _ALL & ~to_the_left))
        self.add(node["right_child"])


def _down_to_single(threshold: Float64) -> Float32:
    """The largest number of single precision that is not above: a feature of single precision exceeds both or none."""
    with np.errstate(over="ignore"):  # what is beyond single precision becomes its largest number
        single = threshold.astype(np.float32)
    above = single.astype(np.float64) > threshold
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return single
