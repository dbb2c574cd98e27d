"""Which item of a history speaks most for another one, compiled by numba."""

import numpy as np
import numpy.typing as npt

from training.interactions import Float32, Int32, Int64
from training.models.compiling import F4, F8, I4, I8, compiled

Float64 = npt.NDArray[np.float64]


@compiled((I8, I4, F8, I4, I4, I8, I4, F4))
def speakers(
    starts: Int64,
    had: Int32,
    weight: Float64,
    row: Int32,
    wanted: Int32,
    table_starts: Int64,
    table_item: Int32,
    table_weight: Float32,
) -> Int32:
    """For each (``row``, ``wanted``) the item of the row's history that says most for it, of equal ones the lowest.

    An item says the sum of its weights in the history times the weight of ``wanted`` in its row of the table, which
    names an item once; -1 where no item that asks with more than zero has it there.
    """
    speaker = np.full(len(row), -1, np.int32)
    for place in range(len(row)):
        low, high, most = starts[row[place]], starts[row[place] + 1], -np.inf
        for event in range(low, high):
            asked = had[event]
            for entry in range(table_starts[asked], table_starts[asked + 1]):
                if table_item[entry] != wanted[place]:
                    continue
                asks = 0.0
                for other in range(low, high):
                    if had[other] == asked:
                        asks += weight[other]
                says = asks * table_weight[entry]
                if asks > 0 and (says > most or (says == most and asked < speaker[place])):
                    most, speaker[place] = says, asked
                break
    return speaker
