"""The check of a built table against the ranges its tags declare."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.tags.spec.tag import Tag
from features.tags.spec.vocabulary import Choices, Dtype, Range


def check_ranges(table: pa.Table, tags: Iterable[Tag]) -> None:
    """Raise :class:`InputError` naming every tag with values outside its range, how many users and one of them."""
    problems = [problem for tag in tags if (problem := _problem(table, tag))]
    if problems:
        raise InputError("tags outside their valid range, nothing is written:\n" + "\n".join(problems))


def _problem(table: pa.Table, tag: Tag) -> str | None:
    values = table[tag.name]
    valid = tag.kind.valid
    wrong = _wrong(values, valid, real=tag.dtype is Dtype.REAL)
    count = 0 if wrong is None else pc.sum(wrong).as_py() or 0
    if not count:
        return None
    position = pc.index(wrong, value=True).as_py()
    return (
        f"  {tag.name}: valid is {valid}, {count} users are outside, "
        f"for instance user {table[c.USER_ID][position].as_py()} with {values[position].as_py()}"
    )


def _wrong(values: pa.ChunkedArray, valid: Range | Choices, *, real: bool) -> pa.ChunkedArray | None:
    """True where a value is outside; null where there is none."""
    if isinstance(valid, Choices):
        known = pc.is_in(values, value_set=pa.array(valid.words, pa.string()))
        return pc.and_(pc.is_valid(values), pc.invert(known))
    wrong = pc.invert(pc.is_finite(values)) if real else None
    for bound, outside in ((valid.low, pc.less), (valid.high, pc.greater)):
        if bound is not None:
            beyond = outside(values, bound)
            wrong = beyond if wrong is None else pc.or_(wrong, beyond)
    return wrong
