"""The inner loop of :mod:`training.models.forest`, compiled by numba."""

import numpy as np
import numpy.typing as npt
from numba import types

from training.interactions import Bool, Float32, Int32, Int64
from training.models.compiling import F4, I4, I8, array_of, compiled

#: Leaves that a tree can have: the bits of a word.
LEAVES = 32
#: Pairs that are scored at a time: their features and words stay in the fastest memory.
_PAIRS = 64
#: For a word with one bit the place of that bit, found by multiplication: Leiserson, Prokop and Randall, "Using de
#: Bruijn sequences to index a 1 in a computer word" (MIT, 1998).
_DE_BRUIJN = np.uint32(0x077CB531)
_BIT = np.zeros(LEAVES, dtype=np.int64)
_BIT[[((0x077CB531 << bit) & 0xFFFFFFFF) >> 27 for bit in range(LEAVES)]] = np.arange(LEAVES)


@compiled(
    (
        I8,
        I4,
        F4,
        array_of(types.boolean),
        array_of(types.uint32),
        array_of(types.float64, 2),
        array_of(types.float32, 2),
    )
)
def scores(
    starts: Int64,
    feature: Int32,
    threshold: Float32,
    unknown_right: Bool,
    keeps: npt.NDArray[np.uint32],
    leaf: npt.NDArray[np.float64],
    features: Float32,
) -> npt.NDArray[np.float64]:
    """(c,) sum of the leaves that each row of ``features`` (c, f) falls into; the arrays are those of ``Forest``."""
    total = np.zeros(len(features))
    table = np.empty((features.shape[1], _PAIRS), np.float32)
    left, everything = np.empty(_PAIRS, np.uint32), np.uint32(0xFFFFFFFF)
    for begin in range(0, len(features), _PAIRS):
        pairs = min(_PAIRS, len(features) - begin)
        for pair in range(pairs):
            for column in range(features.shape[1]):
                table[column, pair] = features[begin + pair, column]
        for tree in range(len(starts) - 1):
            left[:] = everything
            for split in range(starts[tree], starts[tree + 1]):
                values, bound, kept = table[feature[split]], threshold[split], keeps[split]
                # Every word of the block, filled or not: a loop of fixed length needs no remainder.
                if unknown_right[split]:
                    for pair in range(_PAIRS):
                        left[pair] &= everything if values[pair] <= bound else kept
                else:
                    for pair in range(_PAIRS):
                        left[pair] &= kept if values[pair] > bound else everything
            for pair in range(pairs):
                lowest = left[pair] & (~left[pair] + np.uint32(1))
                total[begin + pair] += leaf[tree, _BIT[np.uint32(lowest * _DE_BRUIJN) >> np.uint32(27)]]
    return total
