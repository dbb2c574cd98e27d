"""Arithmetic on compressed rows: what all candidate sources and the ranker's features share.

Sums run in the order of the input, in double precision, and row by row. A row therefore gives the same bits alone
or among a million others.
"""

import threading
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.interactions import Bool, Histories, Int32, Int64
from training.models import compiled_best, compiled_sums
from training.models.source import Candidates

Float64 = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

_NO_ITEM, _NO_STARTS = np.empty(0, dtype=np.int32), np.zeros(1, dtype=np.int64)


class Rows(NamedTuple):
    """Compressed rows: row ``r`` holds ``starts[r] : starts[r + 1]`` of the other two."""

    starts: Int64  # (rows + 1,)
    item: Int32  # (entries,)
    weight: npt.NDArray[Any]  # (entries,)

    @property
    def row(self) -> Int32:
        """(entries,) the row of each entry."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))


_NO_ROWS = Rows(_NO_STARTS, _NO_ITEM, np.empty(0))


def spans(starts: Int64, lengths: Int64) -> Int64:
    """Positions ``starts[i] .. starts[i] + lengths[i] - 1`` for every ``i``, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    positions: Int64 = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - lengths), lengths)
    return positions


def row_starts(row: Int32 | Int64, rows: int) -> Int64:
    """(rows + 1,) where each row begins in an ascending ``row`` array."""
    return np.searchsorted(row, np.arange(rows + 1, dtype=row.dtype)).astype(np.int64)


def ends_of(counts: Int64) -> Int64:
    """(rows + 1,) where each of several rows of ``counts`` entries begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def pair_keys(row: Int32 | Int64, item: Int32, items: int) -> Int64:
    """One integer per (row, item), ordered by row and then item."""
    keys: Int64 = row.astype(np.int64) * items + item
    return keys


def stable_order(keys: Int64) -> Positions:
    """``np.argsort(keys, kind="stable")``; several times faster where key and position fit one integer of 63 bits."""
    bits = max(len(keys) - 1, 1).bit_length()
    if not len(keys) or int(keys.min()) < 0 or int(keys.max()) >> (63 - bits):
        return np.argsort(keys, kind="stable")
    packed = (keys << bits) | np.arange(len(keys), dtype=np.int64)
    packed.sort()
    order: Positions = packed & ((1 << bits) - 1)
    return order


def contains(sorted_keys: Int32 | Int64, keys: Int32 | Int64) -> Bool:
    """Whether each of ``keys`` stands in ``sorted_keys``."""
    if not len(sorted_keys):
        return np.zeros(len(keys), dtype=np.bool_)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    found: Bool = sorted_keys[place] == keys
    return found


def seen_keys(histories: Histories, items: int) -> Int64:
    """Sorted :func:`pair_keys` of everything that the rows have had."""
    return np.sort(pair_keys(histories.row, histories.item, items))


def best_of_rows(indptr: Int64, item: Int32, score: Floats, n: int) -> tuple[Positions, Int64]:
    """Positions of the ``n`` best entries of every row, best first (equal scores: lower item first), and how many each.

    Items of a row must be distinct.
    """
    counts = np.minimum(np.diff(indptr), n)
    score = score if score.flags.c_contiguous else score.copy()
    return compiled_best.best_of_rows(indptr, np.ascontiguousarray(item, np.int32), score, max(n, 1)), counts


def select(found: Rows, n: int, *, seen: Int64 | None, items: int) -> Candidates:
    """The common ending of a source: drop what was ``seen`` (sorted keys) and keep the ``n`` best of each row.

    A (row, item) pair occurs once.
    """
    if seen is not None and len(found.item):
        row = found.row
        fresh = ~contains(seen, pair_keys(row, found.item, items))
        found = Rows(row_starts(row[fresh], len(found.starts) - 1), found.item[fresh], found.weight[fresh])
    place, counts = best_of_rows(found.starts, found.item, found.weight, n)
    row = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return Candidates(row, found.item[place].astype(np.int32), found.weight[place].astype(np.float32))


def no_candidates() -> Candidates:
    """Nothing for anybody."""
    return Candidates(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))


def distinct(keys: Int64) -> Int64:
    """The different values of ``keys``, ascending. (``np.unique`` hashes integers, which is slower on large input.)"""
    ordered = np.sort(keys)
    return ordered[first_of_run(ordered)]


def first_of_run(ordered: npt.NDArray[np.generic]) -> Bool:
    """Marks the first of each run of equal values."""
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def group_sums(group: Int64 | Int32, weights: Floats | Bool, groups: int) -> Float64:
    """(groups,) sum of the weights of each group, in the order of the input."""
    return np.asarray(np.bincount(group, weights=weights, minlength=groups), dtype=np.float64)


def sum_by_key(keys: Int64, weights: Float64) -> tuple[Int64, Float64]:
    """Distinct ``keys`` ascending and the sum of ``weights`` of each."""
    sums: tuple[Int64, Float64] = compiled_sums.sums_in_order(keys, stable_order(keys), weights)
    return sums


def best_sums(
    asked: Rows, table: Rows, width: int, n: int, *, own: Rows | None = None, seen: Histories | None = None
) -> Rows:
    """The ``n`` best of ``own + sum over asked of weight * table[asked]`` for every row, best first.

    Equal sums: the lower item first. ``table`` has one row per item that may be asked for and single precision;
    ``width`` bounds its items. What is not above zero takes no part, nor does what the row has ``seen``.
    """
    return Rows(*compiled_sums.best_sums(*asked, *table, *(own or _NO_ROWS), *had_by(seen), zeros(width), n))


def best_totals(rows: Rows, width: int, n: int) -> Rows:
    """What :func:`best_sums` gives for ``own`` rows alone: entries of the same item added up."""
    nothing = Rows(np.zeros(len(rows.starts), np.int64), _NO_ITEM, np.empty(0))
    table = Rows(_NO_STARTS, _NO_ITEM, np.empty(0, np.float32))
    return best_sums(nothing, table, width, n, own=rows)


def heaviest(rows: Rows, width: int, n: int) -> Rows:
    """The ``n`` items of every row that have its heaviest entries above zero, and the weight of these."""
    return Rows(*compiled_sums.heaviest(*rows, zeros(width), n))


def had_by(seen: Histories | None) -> tuple[Int64, Int32]:
    """The rows of items that compiled loops leave out: none at all without ``seen``."""
    return (_NO_STARTS, _NO_ITEM) if seen is None else (seen.indptr, seen.item)


def candidates(found: Rows) -> Candidates:
    """Rows that are sorted as :class:`Candidates` are, as such."""
    return Candidates(found.row, found.item, found.weight.astype(np.float32))


#: By thread, type and width the working space of compiled loops, which they leave zero as they find it: clearing it
#: costs more than most answers.
_WORK = threading.local()


def zeros(width: int) -> Float64:
    """(width,) working space of the loops of :mod:`training.models.compiled_sums`."""
    return _kept(width, np.float64)


def zero_slots(width: int) -> Int32:
    """(width,) working space of the loops of :mod:`training.models.compiled_features`."""
    return _kept(width, np.int32)


def _kept(width: int, kind: type[Any]) -> npt.NDArray[Any]:
    kept: dict[tuple[type[Any], int], npt.NDArray[Any]] = _WORK.__dict__.setdefault("kept", {})
    if (kind, width) not in kept:
        kept[kind, width] = np.zeros(width, kind)
    return kept[kind, width]
