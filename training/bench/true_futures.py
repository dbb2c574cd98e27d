"""What the simulator knows of the users of a benchmark: only a simulated mall has it."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.simulator import Truth


def true_futures(
    truth: Truth, users: Sequence[str], as_of: datetime, horizon_days: int
) -> tuple[npt.NDArray[np.bool_], pa.Table]:
    """(n,) of which users there is a truth, and the rows of ``Truth.churn`` of these, in their order.

    Fake accounts have none. Errors as of :meth:`~features.simulator.Truth.churn`.
    """
    table = truth.churn(as_of, horizon_days)
    persons = pa.array([truth.person.get(user, "") for user in users], pa.string())
    at = pc.index_in(persons, value_set=table[c.USER_ID].combine_chunks())
    return pc.is_valid(at).to_numpy(zero_copy_only=False), table.take(at.drop_null())
