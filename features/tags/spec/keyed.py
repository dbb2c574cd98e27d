"""Bases with one row per user and key (category, brand, channel, hour …), summed over the window of the tag."""

from collections.abc import Iterable
from typing import ClassVar

import ibis

from features.contracts import columns as c
from features.tags.spec.base import Base, Folded
from features.tags.spec.columns import AGE, DEPARTMENT, Column, Lineage
from features.tags.spec.vocabulary import Value, ratio
from features.tags.spec.windows import Window

#: The catalogue as tags see it: one row per item.
ITEMS = "items"
ITEMS_SCHEMA = {c.ITEM_ID: "string", c.CATEGORY: "string", DEPARTMENT: "string", c.BRAND: "string"}


class Sum(Column):
    """The sum of the measure of the same name of the base below, over the window."""

    def __init__(self) -> None:
        super().__init__("", "")


class Keyed(Base):
    """One row per user and :attr:`key`, from the days of :attr:`over`. Rows without a key take no part."""

    over: ClassVar[type[Folded]]
    key: ClassVar[str]
    #: The key is a column of the catalogue, reached through the item.
    from_catalogue: ClassVar[bool] = False

    def read(self, column: Column) -> Value:
        self._touched.add(column.name)
        return self._rows[self._window.of(column.name) if isinstance(column, Sum) else column.name]

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        if isinstance(column, Sum):
            return cls.over.measures()[column.name].lineage
        name = {DEPARTMENT: c.CATEGORY, "hour": c.OCCURRED_AT}.get(cls.key, cls.key)
        return Lineage(frozenset(cls.over.only), frozenset({name} | ({c.ITEM_ID} if cls.from_catalogue else set())))

    @classmethod
    def relation(cls, windows: Iterable[Window]) -> Value:
        rows = cls.over.relation(())
        if cls.from_catalogue:
            items = ibis.table(ITEMS_SCHEMA, name=ITEMS).select(key_item=c.ITEM_ID, **{cls.key: cls.key})
            rows = rows.inner_join(items, rows[c.ITEM_ID] == items.key_item)
        rows = rows.filter(rows[cls.key].notnull())
        sums = {}
        for window in windows:
            for name in (name for name, column in cls.columns().items() if isinstance(column, Sum)):
                where = None if window.days is None else rows[AGE] <= window.days
                sums[window.of(name)] = rows[name].sum(where=where)
        return rows.group_by([c.USER_ID, cls.key]).aggregate(**sums)

    def distinct(self, weight: Value) -> Value:
        """How many keys have a positive ``weight``."""
        return (weight > 0).sum()

    def top(self, weight: Value) -> Value:
        """The key with the greatest positive ``weight``; of equals the first in order of the key."""
        key = self.read(self.columns()[self.key])
        best = ibis.struct({"weight": -weight, "key": key})
        return ibis.ifelse(weight > 0, best, ibis.null(best.type())).min()["key"]

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
