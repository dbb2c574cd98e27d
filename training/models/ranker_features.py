"""The features of the ranker: one function for training and for serving.

Everything comes from the history that is handed in, the pool of candidates and :class:`ItemStatistics`; nothing is
looked up by user. Times are relative to ``as_of`` (see :mod:`training.models.recency` for what "age" means without
a clock). NaN means unknown and LightGBM treats it as such.
"""

from collections.abc import Callable, Sequence

import numpy as np

from training.interactions import Clock, Float32, Histories
from training.models.compiled_features import PAIR_NAMES
from training.models.item_statistics import FACTS, UNTIMED_FACTS, ItemStatistics
from training.models.pool import Pool
from training.models.ranker_kin import of_kin
from training.models.ranker_question import Columns, Question
from training.models.ranker_rhythm import of_rhythm

_USER_NAMES = ("user_events", "user_items", "user_repeat_ratio")
_TIMED_USER_NAMES = ("user_age", "user_since", "user_moments", "user_basket", "user_gap", "user_recent")


def of_user_and_item(q: Question) -> Columns:
    """What the user did with this very item."""
    told = len(PAIR_NAMES) if q.timed else 3
    return Columns(PAIR_NAMES[:told], q.pairs.values[:, :told])


def of_user(q: Question) -> Columns:
    """Who asks: activity, habit of repeating, baskets, usual price."""
    h, rows = q.histories, len(q.histories)
    count = np.diff(h.indptr).astype(np.float64)
    different = q.pairs.different.astype(np.float64)
    names = (*_USER_NAMES, *(_TIMED_USER_NAMES if q.timed else ()))
    per_row = np.empty((rows, len(names) + 1))
    per_row[:, 0], per_row[:, 1] = np.log1p(count), np.log1p(different)
    per_row[:, 2] = 1 - different / np.maximum(count, 1)
    if q.timed:
        filled = count > 0
        newest, oldest, steps = np.full((3, rows), np.nan)
        newest[filled] = q.age[h.indptr[1:][filled] - 1]
        first = h.indptr[:-1][filled]
        oldest[filled], steps[filled] = q.age[first], q.step[first] + 1
        per_row[:, 3], per_row[:, 4], per_row[:, 5] = newest, oldest, steps
        per_row[:, 6] = count / steps
        per_row[:, 7] = (oldest - newest) / np.maximum(steps - 1, 1)
        per_row[:, 8] = q.by_row(q.decay[1])
    price = q.statistics.price[h.item].astype(np.float64)
    known = np.isfinite(price)
    priced = q.by_row(known)
    total = q.by_row(np.where(known, price, 0.0))
    per_row[:, -1] = np.divide(total, priced, out=np.full(rows, np.nan), where=priced > 0)
    of_pair = per_row[q.pool.row]
    of_pair[:, -1] = q.statistics.price[q.pool.item] - of_pair[:, -1]
    return Columns((*names, "price_difference"), of_pair.astype(np.float32))


def of_item(q: Question) -> Columns:
    """What the log says of the item."""
    names = tuple(FACTS if q.histories.clock is Clock.TIMED else UNTIMED_FACTS)
    return Columns(names, q.statistics.facts[q.pool.item, : len(names)])


def of_sources(q: Question, names: Sequence[str]) -> Columns:
    """What each source says of the pair."""
    pool = q.pool
    values = np.empty((len(pool.row), 1 + 3 * len(names)), dtype=np.float32)
    values[:, 0] = (~np.isnan(pool.rank)).sum(axis=1)
    values[:, 1::3], values[:, 2::3], values[:, 3::3] = pool.score, pool.rank, pool.normalised()
    return Columns(("sources", *(column for name in names for column in columns_of_source(name))), values)


def columns_of_source(name: str) -> tuple[str, str, str]:
    """The features that say what one source thinks: its score, its rank, and its score between those of the list."""
    return f"{name}_score", f"{name}_rank", f"{name}_scaled"


#: Blocks of features; a new one is a function added here.
BLOCKS: tuple[Callable[[Question], Columns], ...] = (of_user_and_item, of_rhythm, of_user, of_item, of_kin)


def featurise(
    histories: Histories, candidates: Pool, statistics: ItemStatistics, sources: Sequence[str]
) -> tuple[tuple[str, ...], Float32]:
    """Names (f,) and values (c, f) of the features of every candidate pair."""
    question = Question(histories, candidates, statistics)
    columns = Columns.joined([*(block(question) for block in BLOCKS), of_sources(question, sources)])
    return columns.names, columns.values
