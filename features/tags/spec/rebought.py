"""The base of replenishment: what the user buys again and again, and how regularly."""

from typing import ClassVar, Final

import ibis

from features.contracts import columns as c
from features.tags.spec.base import Base
from features.tags.spec.bases import UserItemDays
from features.tags.spec.columns import AGE, Column, Lineage
from features.tags.spec.keyed import catalogue_items
from features.tags.spec.vocabulary import Value
from features.tags.spec.windows import ALL_TIME, Window

#: Intervals that make a habit: three days with a purchase.
_LEAST_GAPS: Final = 2
#: After this many of his own intervals he is held to have given it up.
_GIVEN_UP: Final = 3


class _Rebought(Base):
    """One row per user and key that he bought on at least three days."""

    table = UserItemDays.table
    key: ClassVar[str]

    since = Column("int64", "whole days from the last purchase to the day of as_of")
    gaps = Column("int64", "intervals between days with a purchase")
    total = Column("int64", "days from the first purchase to the last, the sum of the intervals")
    irregularity = Column("float64", "squared coefficient of variation of the intervals: 0 when all are equal")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        days = cls._days()
        before = days[AGE].lag().over(ibis.window(group_by=[days[c.USER_ID], days[cls.key]], order_by=days[AGE].desc()))
        days = days.mutate(gap=before - days[AGE])
        keys = days.group_by([c.USER_ID, cls.key]).aggregate(
            since=days[AGE].min(),
            gaps=days.gap.count(),
            total=days.gap.sum().cast("int64"),
            squares=(days.gap * days.gap).sum().cast("int64"),
        )
        keys = keys.filter(keys.gaps >= _LEAST_GAPS)
        # Of whole numbers up to the last division: engines agree to the bit on what is most regular.
        over = (keys.gaps * keys.squares - keys.total * keys.total).cast("float64")
        return keys.mutate(irregularity=over / (keys.total * keys.total).cast("float64")).drop("squares")

    @classmethod
    def _days(cls) -> Value:
        """User, key and age of the days with a purchase, each once."""
        days = UserItemDays.relation()
        return days.filter(days.purchases > 0)

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        bought = UserItemDays.measures()["purchases"].lineage
        return bought | Lineage(columns=frozenset({c.ITEM_ID, cls.key, c.OCCURRED_AT}))

    @property
    def interval(self) -> Value:
        """Mean days from one purchase of the key to the next."""
        return self.total.cast("float64") / self.gaps.cast("float64")

    @property
    def lateness(self) -> Value:
        """Days since the last purchase over the own interval."""
        return (self.since * self.gaps).cast("float64") / self.total.cast("float64")

    @property
    def due(self) -> Value:
        """Whether the own interval is over, and not so long that he gave it up."""
        waited = self.since * self.gaps
        return (waited >= self.total) & (waited <= _GIVEN_UP * self.total)

    def most_regular(self, value: Value) -> Value:
        """``value`` of the key with the most even intervals; of equals the first in order of the key."""
        return self._first(self.irregularity, value)

    def most_overdue(self, value: Value) -> Value:
        """``value`` of the key that is due and latest by its own interval; of equals the first in order of the key."""
        return self._first(ibis.ifelse(self.due, -self.lateness, ibis.null("float64")), value)

    def _first(self, order: Value, value: Value) -> Value:
        key = self.read(self.columns()[self.key])
        row = ibis.struct({"order": order, "key": key, "value": value})
        return ibis.ifelse(order.notnull(), row, ibis.null(row.type())).min()["value"]


class ReboughtItems(_Rebought):
    """One row per user and item that he bought on at least three days."""

    key = c.ITEM_ID
    item_id = Column("string", "the item")

    @classmethod
    def _days(cls) -> Value:
        return super()._days().select(c.USER_ID, c.ITEM_ID, AGE)


class ReboughtCategories(_Rebought):
    """One row per user and category of which he bought something on at least three days."""

    key = c.CATEGORY
    category = Column("string", "category path")

    @classmethod
    def _days(cls) -> Value:
        days = super()._days()
        items = catalogue_items(c.CATEGORY)
        days = days.inner_join(items, days[c.ITEM_ID] == items.key_item)
        return days.filter(days[c.CATEGORY].notnull()).select(c.USER_ID, c.CATEGORY, AGE).distinct()
