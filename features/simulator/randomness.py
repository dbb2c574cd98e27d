"""Random numbers by purpose, so that no part of the mall depends on the order of the others."""

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_STEPS: Final = 32


class Purpose(IntEnum):
    """What a stream of random numbers is for."""

    CATALOGUE = 0
    PEOPLE = 1
    DAYS = 2
    FRAUD = 3
    BASKETS = 4


def generator(seed: int, purpose: Purpose, block: int = 0) -> np.random.Generator:
    """The stream of one purpose in one block; independent of every other (``SeedSequence`` spawn keys)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, block)))


def draw_in_rows(cumulative: Float32, rows: npt.NDArray[np.integer], at: Float32) -> Int32:
    """For each ``rows[k]`` the first column whose value in ``cumulative`` exceeds ``at[k]``, by binary search.

    ``cumulative`` is (n, c), increasing along a row and ending with 1; ``at`` lies in [0, 1).
    """
    width = cumulative.shape[1]
    flat = cumulative.ravel()
    base = rows.astype(np.int64) * width
    low = np.zeros(len(rows), np.int64)
    high = np.full(len(rows), width - 1, np.int64)
    for _ in range(min(_STEPS, (width - 1).bit_length())):
        middle = (low + high) >> 1
        above = flat[base + middle] > at
        high = np.where(above, middle, high)
        low = np.where(above, low, np.minimum(middle + 1, high))
    return low.astype(np.int32)


def choose_by_logits(random: np.random.Generator, logits: Float32) -> Int64:
    """One column per row of ``logits`` (n, c), with the probabilities of its softmax (Gumbel-max)."""
    noise = random.random(logits.shape, dtype=np.float32)
    return np.asarray(np.argmax(logits - np.log(-np.log(noise + np.float32(1e-9)) + np.float32(1e-9)), axis=1))
