"""A small histogram in text."""

from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BINS: Final = 10
_WORDS: Final = 10
_WIDTH: Final = 40  # of the longest bar

_OTHERS: Final = "(others)"
_NULL: Final = "(null)"


def histogram(values: pa.ChunkedArray) -> list[tuple[str, float]]:
    """Labels and shares of all users: a bar for each word or few numbers, else ten ranges of numbers.

    The ends of the ranges are the 1 and 99 % quantiles; what lies beyond belongs to the first and the last.
    """
    users = len(values)
    present = values.drop_null()
    bars: list[tuple[str, float]] = []
    if len(present):
        few = pc.count_distinct(present).as_py() <= _BINS
        if pa.types.is_string(values.type) or pa.types.is_boolean(values.type):
            bars = _words(present)
        else:
            bars = _each(present) if few else _ranges(present)
    bars = [(label, count / users) for label, count in bars]
    return [*bars, (_NULL, values.null_count / users)] if values.null_count else bars


def bars(drawn: list[tuple[str, float]]) -> str:
    """The histogram as lines."""
    most = max((share for _, share in drawn), default=0.0) or 1.0
    width = max((len(label) for label, _ in drawn), default=0)
    return "\n".join(
        f"{label:>{width}}  {'█' * round(_WIDTH * share / most):<{_WIDTH}} {share:6.1%}" for label, share in drawn
    )


def _words(present: pa.ChunkedArray) -> list[tuple[str, float]]:
    counted = [(str(entry["values"]), entry["counts"]) for entry in present.value_counts().to_pylist()]
    counted.sort(key=lambda entry: (-entry[1], entry[0]))
    others = sum(count for _, count in counted[_WORDS:])
    return [*counted[:_WORDS], (_OTHERS, others)] if others else counted


def _each(present: pa.ChunkedArray) -> list[tuple[str, float]]:
    counted = sorted((entry["values"], entry["counts"]) for entry in present.value_counts().to_pylist())
    return [(f"{value:g}", count) for value, count in counted]


def _ranges(present: pa.ChunkedArray) -> list[tuple[str, float]]:
    numbers = np.asarray(present.cast(pa.float64()))
    low, high = np.quantile(numbers, (0.01, 0.99))
    if low == high:
        low, high = numbers.min(), numbers.max()
    counts, edges = np.histogram(numbers.clip(low, high), bins=_BINS, range=(low, high))
    labels = [f"{left:.4g} … {right:.4g}" for left, right in pairwise(edges)]
    labels[0], labels[-1] = f"≤ {edges[1]:.4g}", f"≥ {edges[-2]:.4g}"
    return list(zip(labels, counts.astype(float).tolist(), strict=True))
