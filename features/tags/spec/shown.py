"""The base of fatigue: the category that dominated what the mall showed, day by day."""

from typing import Final

import ibis

from features.contracts import columns as c
from features.tags.spec.base import Base, within
from features.tags.spec.bases import UserShownItems
from features.tags.spec.columns import AGE, Column, Lineage
from features.tags.spec.keyed import catalogue_items
from features.tags.spec.rhythm import runs
from features.tags.spec.vocabulary import Value
from features.tags.spec.windows import ALL_TIME, Window

#: How far back it looks, in days: what was shown before tires nobody, and impressions are many.
SHOWN_DAYS: Final = 30


class ShownRuns(Base):
    """One row per run of days on which one category had the most impressions (of equals the first by name).

    A day without impressions of a known category ends a run.
    """

    table = UserShownItems.table

    age = Column("int64", "whole days from the last day of the run to the day of as_of")
    category = Column("string", "the category")
    length = Column("int64", "days of the run")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        shown = UserShownItems.relation()
        shown = shown.filter(shown[AGE] <= SHOWN_DAYS)
        items = catalogue_items(c.CATEGORY)
        shown = shown.inner_join(items, shown[c.ITEM_ID] == items.key_item)
        shown = shown.filter(shown[c.CATEGORY].notnull())
        shown = shown.group_by([c.USER_ID, AGE, c.CATEGORY]).aggregate(impressions=shown.impressions.sum())
        most = ibis.struct({"less": -shown.impressions, c.CATEGORY: shown[c.CATEGORY]}).min()
        days = shown.group_by([c.USER_ID, AGE]).aggregate(**{c.CATEGORY: most[c.CATEGORY]})
        return within(runs(days, c.USER_ID, c.CATEGORY), window)

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        return Lineage(frozenset(UserShownItems.only), frozenset({c.ITEM_ID, c.CATEGORY, c.OCCURRED_AT}))
