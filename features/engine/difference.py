"""What became of tags from one build to another: which ones, what they mean, and how their values moved."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.progress import step
from features.engine.store import TagBuild
from features.engine.summary import column

_BINS: Final = 10
_WORDS: Final = 20
_THREADS: Final = 2

Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Movement:
    """How the values of one tag moved."""

    tag: str
    psi: float
    """Population stability index over all users of either build; above 0.1 worth a look, above 0.25 another world."""
    changed: float | None
    """Share of the users of both builds whose value is another, null counting as a value; null without such users."""
    mean_change: float | None
    """Numbers and flags: mean of after less before over users with a value in both."""
    coverage: tuple[float, float]
    """Share of users with a value, before and after."""
    redefined: bool
    """The declaration, or something it builds on, is another."""


@dataclass(frozen=True)
class Difference:
    """The difference between two builds."""

    before: TagBuild
    after: TagBuild
    common_users: int
    gone_users: int
    new_users: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    redefined: tuple[str, ...] | None
    """Tags of both builds that mean something else now; null when a build does not say what its tags mean."""
    movements: tuple[Movement, ...]
    """Of the tags of both builds, the greatest effect first."""


def difference(before: TagBuild, after: TagBuild) -> Difference:
    """Compare two builds, one tag after the other."""
    users = column(before.path, c.USER_ID)
    # Of every user of ``before`` the row in ``after``, null where he is in it no more.
    places = pc.index_in(users, value_set=column(after.path, c.USER_ID).combine_chunks()).combine_chunks()
    stayed = np.asarray(places.is_valid())
    rows = _Rows(np.flatnonzero(stayed), np.asarray(places.drop_null()).astype(np.int64))
    both = [name for name in before.tags if name in after.tags]
    redefined = None
    if before.meanings and after.meanings:
        redefined = tuple(name for name in both if before.meanings.get(name) != after.meanings.get(name))

    def move(name: str) -> Movement:
        return _movement(name, column(before.path, name), column(after.path, name), rows, name in (redefined or ()))

    movements = []
    with ThreadPoolExecutor(_THREADS) as pool, step("comparing tags", len(both), "tags") as task:
        for movement in pool.map(move, both):
            movements.append(movement)
            task.advance()
    movements.sort(key=lambda m: (-m.psi, -(m.changed or 0.0), m.tag))
    common = len(rows.before)
    return Difference(
        before=before,
        after=after,
        common_users=common,
        gone_users=before.users - common,
        new_users=after.users - common,
        added=tuple(name for name in after.tags if name not in before.tags),
        removed=tuple(name for name in before.tags if name not in after.tags),
        redefined=redefined,
        movements=tuple(movements),
    )


@dataclass(frozen=True)
class _Rows:
    """Where the users of both builds stand in each."""

    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]


def _movement(name: str, before: pa.ChunkedArray, after: pa.ChunkedArray, rows: _Rows, redefined: bool) -> Movement:
    words = pa.types.is_string(before.type) or pa.types.is_string(after.type)
    held = pa.string() if words else pa.float64()
    first, second = before.cast(held).combine_chunks(), after.cast(held).combine_chunks()
    own, then = first.take(pa.array(rows.before)), second.take(pa.array(rows.after))
    same = pc.or_(pc.fill_null(pc.equal(own, then), False), pc.and_(pc.is_null(own), pc.is_null(then)))
    mean: Any = None if words else pc.mean(pc.subtract(then, own)).as_py()
    count = _word_counts if words else _number_counts
    return Movement(
        tag=name,
        psi=stability_index(*count(first, second)),
        changed=1.0 - pc.mean(same.cast(pa.float64())).as_py() if len(own) else None,
        mean_change=mean,
        coverage=(_coverage(first), _coverage(second)),
        redefined=redefined,
    )


def stability_index(before: Counts, after: Counts) -> float:
    """Population stability index of counts in bins: the sum of ``(q - p) ln(q / p)`` over the shares ``p`` and ``q``.

    Half a user is added to every bin, so that empty ones stay finite. See N. Siddiqi, Credit Risk Scorecards (2006).
    """
    p = (before + 0.5) / (before + 0.5).sum()
    q = (after + 0.5) / (after + 0.5).sum()
    return float(((q - p) * np.log(q / p)).sum())


def _number_counts(before: pa.Array, after: pa.Array) -> tuple[Counts, Counts]:
    """Counts in tenths of the values before, and of nulls."""
    known = np.asarray(before.drop_null())
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.zeros(0)

    def count(values: pa.Array) -> Counts:
        binned = np.searchsorted(edges, np.asarray(values.drop_null()), side="left")
        return np.append(np.bincount(binned, minlength=len(edges) + 1), values.null_count).astype(np.float64)

    return count(before), count(after)


def _word_counts(before: pa.Array, after: pa.Array) -> tuple[Counts, Counts]:
    """Counts of the most frequent words before, of all others, and of nulls."""
    counted = pa.table(dict(zip(("word", "count"), before.drop_null().value_counts().flatten(), strict=True)))
    order = [("count", "descending"), ("word", "ascending")]
    words = counted.sort_by(order)["word"].slice(0, _WORDS).combine_chunks()

    def count(values: pa.Array) -> Counts:
        places = np.asarray(pc.index_in(values.drop_null(), value_set=words).fill_null(len(words)))
        return np.append(np.bincount(places, minlength=len(words) + 1), values.null_count).astype(np.float64)

    return count(before), count(after)


def _coverage(values: pa.Array) -> float:
    return 1.0 - values.null_count / len(values) if len(values) else 0.0
