"""How long ago: the age of events whatever the clock can tell.

=============== =========================== ==============================
clock           age of an event             steps back
=============== =========================== ==============================
``TIMED``       days before ``as_of``       later moments of the same user
``ORDERED``     events after it             events after it
``NONE``        0                           0
=============== =========================== ==============================
"""

from collections.abc import Callable
from functools import wraps

import numpy as np

from training.interactions import SECONDS_PER_DAY, Clock, Float32, Histories, Int8, Int32, Int64, Interactions
from training.models import compiled
from training.models.ragged import Float64


def _once(compute: Callable[[Histories], Float64]) -> Callable[[Histories], Float64]:
    """Compute for each batch of histories once, whoever asks; what comes back is read-only."""

    @wraps(compute)
    def kept(histories: Histories) -> Float64:
        name = compute.__name__
        if name not in histories.derived:
            made = compute(histories)
            made.setflags(write=False)
            histories.derived[name] = made
        return histories.derived[name]

    return kept


@_once
def ages(histories: Histories) -> Float64:
    """(m,) age of each event, at least 0 (an event dated after ``as_of`` counts as new)."""
    if histories.clock is Clock.TIMED:
        seconds = histories.as_of[histories.row] - histories.time
        days: Float64 = np.maximum(seconds, 0) / SECONDS_PER_DAY
        return days
    if histories.clock is Clock.ORDERED:
        ends = np.repeat(histories.indptr[1:], np.diff(histories.indptr))
        return (ends - 1 - np.arange(len(histories.item))).astype(np.float64)
    return np.zeros(len(histories.item))


@_once
def steps_back(histories: Histories) -> Float64:
    """(m,) number of later moments in the same row; what happened at one moment (a basket) is one step."""
    if histories.clock is Clock.NONE or not len(histories.item):
        return np.zeros(len(histories.item))
    steps: Float64 = compiled.steps_back(histories.indptr, histories.time)
    return steps


def moments(data: Interactions) -> Int64:
    """(m,) number of the (user, moment) group of each event of a log: 0 .. groups - 1, ascending.

    Without a clock everything of a user is one group.
    """
    time = np.zeros_like(data.time) if data.clock is Clock.NONE else data.time
    return _running_step(data.user, time)


def log_end(data: Interactions) -> int:
    """The moment just after the last event of a log; 0 where there is no common clock."""
    return int(data.time.max()) + 1 if data.clock is Clock.TIMED and len(data) else 0


def log_ages(data: Interactions, end: int) -> Float64:
    """(m,) age in days of each event of a log at ``end``; 0 where users have no common clock."""
    if data.clock is not Clock.TIMED:
        return np.zeros(len(data))
    days: Float64 = np.maximum(end - data.time, 0) / SECONDS_PER_DAY
    return days


def weights_of(kind: Int8, table: Float32) -> Float64:
    """(m,) weight of each event by its type; ``table`` has one entry per type code."""
    weights: Float64 = table[kind].astype(np.float64)
    return weights


def _running_step(owner: Int32, time: Int64) -> Int64:
    if not len(owner):
        return np.empty(0, dtype=np.int64)
    new = np.empty(len(owner), dtype=np.bool_)
    new[0] = False
    np.not_equal(owner[1:], owner[:-1], out=new[1:])
    new[1:] |= time[1:] != time[:-1]
    return np.cumsum(new, dtype=np.int64)
