"""Columns of the tables that tags read, as class attributes: what they hold, and how they come from events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import ibis

from features.contracts import columns as c
from features.contracts import properties
from features.contracts.events import EventType
from features.tags.spec.vocabulary import Value

#: Columns that only the folded tables have.
DAY: Final = "day"  # UTC date of the event
AGE: Final = "age"  # whole days from DAY to the day of as_of: 0 is the running day, 1 yesterday
WEEKDAY: Final = "weekday"  # 0 is Monday
HOUR: Final = "hour"  # 0 .. 23, UTC
ORDER_KEY: Final = "order_key"  # order_id, or event_id where a purchase has none
DEPARTMENT: Final = "department"  # first level of the category path
PRICE_BAND: Final = "price_band"  # of the price of a piece

#: Columns of the event rows that come from ``properties``: key, type, and the events on which the key is read.
#: Elsewhere, and where the value is of another type, they are null.
PROPERTIES: Final[Mapping[str, tuple[str, tuple[EventType, ...]]]] = {
    properties.DWELL_SECONDS: ("float64", (EventType.DWELL,)),
    properties.RATING: ("float64", (EventType.REVIEW,)),
    properties.DISCOUNT: ("float64", (EventType.PURCHASE,)),
    properties.COUPON_ID: ("string", (EventType.PURCHASE,)),
    properties.PAYMENT: ("string", (EventType.ORDER,)),
    properties.INVITED: ("string", (EventType.INVITE,)),
}

#: Stored type of a measure that is a moment; tags see it as days before ``as_of`` (real).
MOMENT: Final = "timestamp"


class Rows(Protocol):
    """A view of rows that hands out columns."""

    def read(self, column: "Column") -> Value: ...


class Column:
    """A column of a base. On a view it reads as an Ibis column, null outside the tag's window."""

    name: str

    def __init__(self, dtype: str, about: str) -> None:
        self.dtype = dtype
        self.about = about

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, view: Rows | None, owner: type) -> Any:
        return self if view is None else view.read(self)


@dataclass(frozen=True)
class Lineage:
    """The event types and the columns of events, items or users that a value stands on."""

    events: frozenset[EventType] = frozenset()
    columns: frozenset[str] = frozenset()

    def __or__(self, other: "Lineage") -> "Lineage":
        return Lineage(self.events | other.events, self.columns | other.columns)


class Measure(Column):
    """A column folded from events: ``fold`` maps the rows of one group to one value."""

    def __init__(self, dtype: str, about: str, lineage: Lineage, fold: Callable[[Value], Value]) -> None:
        super().__init__(dtype, about)
        self.lineage = lineage
        self.fold = fold


def count(*kinds: EventType) -> Measure:
    """Events of these types."""
    lineage = Lineage(frozenset(kinds))
    return Measure("int64", _words(kinds), lineage, lambda rows: rows.count(where=_is(rows, kinds)))


def count_where(condition: Callable[[Value], Value], reads: str, *kinds: EventType) -> Measure:
    """Events of these types for which ``condition`` holds, which looks at the column ``reads`` of the event rows."""
    return Measure(
        "int64",
        _words(kinds),
        _lineage(kinds, reads),
        lambda rows: rows.count(where=_is(rows, kinds) & condition(rows[reads]).fill_null(False)),
    )


def total(column: str, *kinds: EventType, missing: float = 0.0, within: tuple[float, float] | None = None) -> Measure:
    """Sum of a number over events of these types; an event without the number counts as ``missing``.

    The sign of a number is taken off: shops log refunds either way. A number that is not ``within`` is held to be wrong
    and counts as ``missing``.
    """

    def number(rows: Value) -> Value:
        given = rows[column]
        return given.abs() if within is None else ibis.ifelse(given.between(*within), given, ibis.null("float64"))

    def fold(rows: Value) -> Value:
        return ibis.ifelse(_is(rows, kinds), number(rows).fill_null(missing), 0.0).sum()

    return Measure("float64", f"sum of {column} over {_words(kinds)}", _lineage(kinds, column), fold)


def distinct(column: str, *kinds: EventType, reads: tuple[str, ...] = ()) -> Measure:
    """Different values of ``column`` over events of these types."""
    return Measure(
        "int64",
        f"different {column} over {_words(kinds)}",
        _lineage(kinds, *(reads or (column,))),
        lambda rows: ibis.ifelse(_is(rows, kinds), rows[column], ibis.null("string")).nunique(),
    )


def first(*kinds: EventType) -> Measure:
    """When the first of these events happened; tags read it as days before ``as_of``."""
    lineage = Lineage(frozenset(kinds), frozenset({c.OCCURRED_AT}))
    return Measure(MOMENT, f"days since the first of {_words(kinds)}", lineage, lambda rows: _moment(rows, kinds).min())


def last(*kinds: EventType) -> Measure:
    """When the last of these events happened; tags read it as days before ``as_of``."""
    lineage = Lineage(frozenset(kinds), frozenset({c.OCCURRED_AT}))
    return Measure(MOMENT, f"days since the last of {_words(kinds)}", lineage, lambda rows: _moment(rows, kinds).max())


def _lineage(kinds: tuple[EventType, ...], *columns: str) -> Lineage:
    """Of columns of the event rows; those that come from ``properties`` are named by their key."""
    return Lineage(
        frozenset(kinds), frozenset(f"{c.PROPERTIES}.{name}" if name in PROPERTIES else name for name in columns)
    )


def _is(rows: Value, kinds: tuple[EventType, ...]) -> Value:
    return rows[c.EVENT_TYPE].isin([kind.value for kind in kinds])


def _moment(rows: Value, kinds: tuple[EventType, ...]) -> Value:
    return ibis.ifelse(_is(rows, kinds), rows[c.OCCURRED_AT], ibis.null("timestamp"))


def _words(kinds: tuple[EventType, ...]) -> str:
    return ", ".join(kind.value for kind in kinds) if len(kinds) < len(EventType) - 2 else "anything the user does"
