"""Bases with one row per user and key (category, brand, channel, hour …), summed over the window of the tag."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import ibis

from features.contracts import columns as c
from features.tags.spec.base import Base, Folded
from features.tags.spec.columns import DEPARTMENT, HOUR, WEEKDAY, Column, Lineage
from features.tags.spec.vocabulary import Value, ratio
from features.tags.spec.windows import ALL_TIME, Window

#: The catalogue as tags see it: one row per item.
ITEMS = "items"
ITEMS_SCHEMA = {c.ITEM_ID: "string", c.CATEGORY: "string", DEPARTMENT: "string", c.BRAND: "string", c.PRICE: "float64"}


def catalogue_items(column: str) -> Value:
    """One column of the catalogue, by ``key_item``: the item under a name that leaves the other side's alone."""
    return ibis.table(ITEMS_SCHEMA, name=ITEMS).select(key_item=c.ITEM_ID, **{column: column})


class Aggregate(Column, ABC):
    """A column made of the rows of one user and key."""

    def __init__(self) -> None:
        super().__init__("", "")

    @abstractmethod
    def fold(self, rows: Value) -> Value:
        """The value of a group of rows."""


class Sum(Aggregate):
    """The sum of the measure of the same name of the base below."""

    def fold(self, rows: Value) -> Value:
        return rows[self.name].sum()


class Least(Aggregate):
    """The least value of the column ``of`` of the rows below."""

    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of

    def fold(self, rows: Value) -> Value:
        return rows[self.of].min()


class Most(Least):
    """The greatest value of the column ``of`` of the rows below."""

    def fold(self, rows: Value) -> Value:
        return rows[self.of].max()


class Place(Column):
    """The place of the key among the user's keys by the weight ``by`` (a property of the base).

    0 is the first; of equals the first in order of the key. One sort for all tags over a window.
    """

    def __init__(self, by: str) -> None:
        super().__init__("int64", f"place by {by}, 0 is the first")
        self.by = by


class Keyed(Base):
    """One row per user and :attr:`key`, from the days of :attr:`over`. Rows without a key take no part."""

    over: ClassVar[type[Folded]]
    key: ClassVar[str]
    #: The key is a column of the catalogue, reached through the item.
    from_catalogue: ClassVar[bool] = False

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        if isinstance(column, Sum):
            return cls.over.measures()[column.name].lineage
        name = {DEPARTMENT: c.CATEGORY, HOUR: c.OCCURRED_AT, WEEKDAY: c.OCCURRED_AT}.get(cls.key, cls.key)
        if isinstance(column, Least):
            name = c.OCCURRED_AT
        return Lineage(frozenset(cls.over.only), frozenset({name} | ({c.ITEM_ID} if cls.from_catalogue else set())))

    @classmethod
    def rows(cls, window: Window) -> Value:
        """The rows of :attr:`over` inside the window, with the key."""
        rows = cls.over.relation(window)
        if cls.from_catalogue:
            items = catalogue_items(cls.key)
            rows = rows.inner_join(items, rows[c.ITEM_ID] == items.key_item)
        return rows

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        rows = cls.rows(window)
        rows = rows.filter(rows[cls.key].notnull())
        columns = {name: column for name, column in cls.columns().items() if isinstance(column, Aggregate)}
        folded = rows.group_by([c.USER_ID, cls.key]).aggregate(
            **{n: column.fold(rows) for n, column in columns.items()}
        )
        return cls._placed(folded)

    @classmethod
    def _placed(cls, keys: Value) -> Value:
        places = {}
        for name, column in cls.columns().items():
            if isinstance(column, Place):
                weight: Any = getattr(cls(keys), column.by)
                order = ibis.window(group_by=keys[c.USER_ID], order_by=[weight.desc(), keys[cls.key]])
                places[name] = ibis.row_number().over(order)
        return keys.mutate(**places) if places else keys

    def distinct(self, weight: Value) -> Value:
        """How many keys have a positive ``weight``."""
        return (weight > 0).sum()

    def first(self, order: Value) -> Value:
        """The key with the least ``order``; of equals the first in order of the key."""
        key = self.read(self.columns()[self.key])
        row = ibis.struct({"order": order, "key": key})
        return ibis.ifelse(order.notnull(), row, ibis.null(row.type())).min()["key"]

    def top(self, weight: Value) -> Value:
        """The key with the greatest positive ``weight``; of equals the first in order of the key."""
        return self.first(ibis.ifelse(weight > 0, -weight, ibis.null(weight.type())))

    def at(self, place: Value, number: int, weight: Value) -> Value:
        """The key at place ``number`` (1 is the first) if its ``weight``, by which places go, is positive."""
        key = self.read(self.columns()[self.key])
        return key.max(where=(place == number - 1) & (weight > 0))

    def share_at(self, place: Value, number: int, weight: Value) -> Value:
        """The share of the key at place ``number`` in the sum of ``weight``; null where no key is there."""
        return ratio(weight.sum(where=(place == number - 1) & (weight > 0)), weight.sum())

    def top_share(self, weight: Value) -> Value:
        """The share of the greatest ``weight`` in the sum."""
        return ratio(weight.max(), weight.sum())

    def entropy(self, weight: Value) -> Value:
        """Shannon entropy of the weights in nats: 0 for one key, ``ln(n)`` for ``n`` equal ones."""
        positive = ibis.ifelse(weight > 0, weight.cast("float64"), ibis.null("float64"))
        whole = positive.sum()
        # H = ln W - sum(w ln w) / W needs one pass; rounding can leave it a hair below 0.
        entropy = whole.ln() - ratio((positive * positive.ln()).sum(), whole)
        return ibis.ifelse(entropy < 0, 0.0, entropy)
