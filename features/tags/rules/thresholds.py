"""Tests on the value of a tag: their text, checked against what the tag holds, and their Ibis expression."""

import operator
import re
from collections.abc import Callable
from functools import reduce
from math import isfinite
from typing import Final

import ibis

from features.tags.rules.located import Located, near
from features.tags.spec.vocabulary import Choices, Dtype, Kind, Range, Value

#: From the value of a tag to true or false, never null.
Test = Callable[[Value], Value]

_COMPARISON: Final = re.compile(r"\s*(>=|<=|==|!=|=|>|<)\s*([-+]?\d+(?:\.\d+)?)\s*")
_COMPARE: Final[dict[str, Callable[[Value, float], Value]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}
_NOT_NULL: Final = "not null"
_HOW: Final = {
    Dtype.FLAG: "write true, false, null or 'not null'",
    Dtype.WORD: "write a word, a list of words, null or 'not null'",
}
_HOW_NUMBER: Final = "write '>= 2', '> 1, <= 5', a number, a list of numbers, null or 'not null'"


def test_of(at: Located, tag: str, kind: Kind) -> Test:
    """The test that ``at`` writes for ``tag``. A user without a value passes none but ``null`` (and ``not``).

    :class:`~features.contracts.errors.ConfigError` for a test that does not fit the type of the tag, a number outside
    its valid range and a word outside its closed set.
    """
    if at.value is None:
        return lambda value: value.isnull()
    if at.value == _NOT_NULL:
        return lambda value: value.notnull()
    if isinstance(at.value, tuple):
        return _any_of([_single(part, tag, kind) for part in at.sequence(tag)])
    return _single(at, tag, kind)


def _any_of(tests: list[Test]) -> Test:
    return lambda value: reduce(operator.or_, (test(value) for test in tests))


def _single(at: Located, tag: str, kind: Kind) -> Test:
    told = at.value
    if told is None:
        return lambda value: value.isnull()
    if kind.dtype is Dtype.FLAG and isinstance(told, bool):
        return _equal(told)
    if kind.dtype is Dtype.WORD and isinstance(told, str) and told.strip():
        if isinstance(kind.valid, Choices) and told not in kind.valid.words:
            words = kind.valid.words
            raise at.error(
                f"{tag}: '{told}' is none of its words{near(told, words) or '; they are ' + str(kind.valid)}"
            )
        return _equal(told)
    if kind.dtype in (Dtype.WHOLE, Dtype.REAL) and not isinstance(told, bool):
        if isinstance(told, int | float):
            return _equal(_valid(told, at, tag, kind))
        if isinstance(told, str) and told.strip():
            return _comparisons(told, at, tag, kind)
    holds = {Dtype.FLAG: "true or false", Dtype.WORD: "words"}.get(kind.dtype, "numbers")
    raise at.error(f"{tag}: {at.told} does not fit, the tag holds {holds}; {_HOW.get(kind.dtype, _HOW_NUMBER)}")


def _comparisons(text: str, at: Located, tag: str, kind: Kind) -> Test:
    tests = []
    for part in text.split(","):
        found = _COMPARISON.fullmatch(part)
        if found is None:
            raise at.error(f"{tag}: '{part.strip()}' does not fit, the tag holds numbers; {_HOW_NUMBER}")
        tests.append((_COMPARE[found[1]], _valid(float(found[2]), at, tag, kind)))
    return lambda value: reduce(operator.and_, (compare(value, number) for compare, number in tests)).fill_null(False)


def _valid(number: float, at: Located, tag: str, kind: Kind) -> float:
    valid = kind.valid if isinstance(kind.valid, Range) else Range()
    inside = (valid.low is None or number >= valid.low) and (valid.high is None or number <= valid.high)
    if not isfinite(number) or not inside:
        raise at.error(f"{tag}: {number:g} is outside its valid range, {valid} ({kind.unit})")
    return int(number) if number == int(number) else number


def _equal(constant: str | float | bool) -> Test:
    return lambda value: (value == ibis.literal(constant)).fill_null(False)
