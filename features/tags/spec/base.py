"""The tables that tags are computed from, seen through one tag's window.

A tag's function takes a view of one base: rows of the window, so a plain ``days.orders.sum()`` is the sum over the
window and nothing else. Every moment is seen as days before ``as_of``: expressions never mention ``as_of``, which makes
them the same for every build.
"""

from typing import Any, ClassVar, Final

import ibis

from features.contracts import columns as c
from features.contracts.events import EVENT_TYPES, EventType
from features.tags.spec.columns import AGE, DAY, MOMENT, WEEKDAY, Column, Lineage, Measure
from features.tags.spec.vocabulary import Value
from features.tags.spec.windows import ALL_TIME, Window

#: The relation in which an engine provides tags of everybody, where a plan says so.
POPULATION: Final = "population"


class Base:
    """Rows of users inside a window. ``table`` names the relation that an engine provides."""

    table: ClassVar[str]
    #: Tags of other users that the rows depend on; they are in :data:`POPULATION`.
    of_others: ClassVar[tuple[str, ...]] = ()

    def __init__(self, rows: Value) -> None:
        self._rows = rows
        self._touched: set[str] = set()

    def read(self, column: Column) -> Value:
        """The column, for the lineage as well."""
        self._touched.add(column.name)
        return self._rows[column.name]

    @property
    def lineage(self) -> Lineage:
        """What the columns read so far stand on."""
        known = self.columns()
        lineage = Lineage()
        for name in self._touched:
            lineage = lineage | self.lineage_of(known[name])
        return lineage

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """Every declared column by name, inherited ones first."""
        found: dict[str, Column] = {}
        for owner in reversed(cls.__mro__):
            found |= {name: value for name, value in vars(owner).items() if isinstance(value, Column)}
        return found

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        return column.lineage if isinstance(column, Measure) else Lineage(columns=frozenset({column.name}))

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        """The rows inside ``window``, as an Ibis expression over the engine's relations."""
        return ibis.table(cls.schema(), name=cls.table)

    @classmethod
    def schema(cls) -> dict[str, str]:
        """Names and Ibis types of the engine's relation."""
        return {c.USER_ID: "string"} | {name: _seen(column) for name, column in cls.columns().items()}


class Folded(Base):
    """Days folded from events. The engine keeps these tables and folds only what is new."""

    #: What makes a row, after the user and the day.
    keys: ClassVar[tuple[str, ...]] = ()
    #: Event columns without which a row takes no part.
    required: ClassVar[tuple[str, ...]] = (c.USER_ID,)
    #: Only these events take part.
    only: ClassVar[tuple[EventType, ...]] = EVENT_TYPES

    age = Column("int64", "whole days before the day of as_of; 0 is the running day")
    weekday = Column("int64", "0 is Monday")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        return within(super().relation(window), window)

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        if isinstance(column, Measure):
            return column.lineage
        name = c.OCCURRED_AT if column.name in {AGE, WEEKDAY} else column.name
        return Lineage(frozenset(cls.only), frozenset({name}))

    @classmethod
    def measures(cls) -> dict[str, Measure]:
        return {name: column for name, column in cls.columns().items() if isinstance(column, Measure)}

    @classmethod
    def fold(cls, events: Value) -> Value:
        """Fold event rows (columns of the contract plus the ones of :mod:`.columns`) to this table."""
        rows = events
        if cls.only != EVENT_TYPES:
            rows = rows.filter(rows[c.EVENT_TYPE].isin([kind.value for kind in cls.only]))
        rows = rows.filter([rows[column].notnull() for column in cls.required])
        return rows.group_by([c.USER_ID, DAY, *cls.keys]).aggregate(
            **{name: measure.fold(rows) for name, measure in cls.measures().items()}
        )

    @classmethod
    def seen(cls, kept: Value, today: Value, moment: Value) -> Value:
        """Kept rows as tags see them from ``moment`` (a timestamp) on ``today`` (its date)."""
        columns: dict[str, Any] = {
            c.USER_ID: kept[c.USER_ID],
            AGE: today.delta(kept[DAY], unit="day").cast("int64"),
            WEEKDAY: kept[DAY].day_of_week.index().cast("int64"),
        }
        columns |= {key: kept[key] for key in cls.keys}
        for name, measure in cls.measures().items():
            columns[name] = days_before(moment, kept[name]) if measure.dtype == MOMENT else kept[name]
        order = cls.schema()
        return kept.select(**{name: columns[name] for name in order})


def within(rows: Value, window: Window) -> Value:
    """The rows whose :data:`AGE` is inside the window."""
    return rows if window.days is None else rows.filter(rows[AGE] <= window.days)


def days_before(moment: Value, then: Value) -> Value:
    """Days from ``then`` to ``moment``, with fractions."""
    return moment.delta(then, unit="microsecond").cast("float64") / 86_400e6


def _seen(column: Column) -> str:
    return "float64" if column.dtype == MOMENT else column.dtype
