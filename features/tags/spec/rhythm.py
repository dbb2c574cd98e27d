"""Bases over the order of a user's days: gaps, streaks, and the silence after his last sign of life."""

from typing import ClassVar

import ibis

from features.contracts import columns as c
from features.tags.spec.base import Base, within
from features.tags.spec.bases import UserDays
from features.tags.spec.columns import AGE, Column, Lineage
from features.tags.spec.vocabulary import Value
from features.tags.spec.windows import ALL_TIME, Window


class GapDays(Base):
    """Some of the days of :class:`UserDays`, each with the gap to the one before."""

    table = UserDays.table
    #: A day counts when this measure is above 0.
    happened: ClassVar[str]

    age = Column("int64", "whole days before the day of as_of")
    gap = Column("int64", "days since the day before of this kind; null on the first")
    spend = Column("float64", "amount of the purchases of the day")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        days = UserDays.relation()
        days = days.filter(days[cls.happened] > 0)
        before = days[AGE].lag().over(ibis.window(group_by=days[c.USER_ID], order_by=days[AGE].desc()))
        return within(days.select(c.USER_ID, AGE, gap=before - days[AGE], spend=days.spend), window)

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        happened = UserDays.measures()["spend" if column.name == "spend" else cls.happened].lineage
        return happened | Lineage(columns=frozenset({c.OCCURRED_AT}))


class ActiveDays(GapDays):
    """The days on which the user did something himself, and the gap to the one before."""

    happened = "actions"


class PurchaseDays(GapDays):
    """The days with a purchase, and the gap to the one before."""

    happened = "purchases"


class Streaks(Base):
    """One row per run of days, one after the other, on each of which the user did something himself."""

    table = UserDays.table

    age = Column("int64", "whole days from the last day of the run to the day of as_of")
    length = Column("int64", "days of the run")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        days = UserDays.relation()
        return within(runs(days.filter(days.actions > 0).select(c.USER_ID, AGE), c.USER_ID), window)

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        return UserDays.lineage_of(UserDays.since_action)


class QuietDays(Base):
    """The days of :class:`UserDays`; what the mall did is null on days before the user's last answer to it."""

    table = UserDays.table

    age = Column("int64", "whole days before the day of as_of")
    messages_sent = Column("int64", "messages sent after the last day on which he did something himself")
    impressions = Column("int64", "impressions after the last day on which he did something himself")
    messages_unopened = Column("int64", "messages sent after the last day on which he opened one")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        days = UserDays.relation()
        user = ibis.window(group_by=days[c.USER_ID])
        days = days.mutate(
            acted=ibis.ifelse(days.actions > 0, days[AGE], ibis.null("int64")).min().over(user),
            opened=ibis.ifelse(days.messages_opened > 0, days[AGE], ibis.null("int64")).min().over(user),
        )
        quiet = days[AGE] < days.acted
        unopened = days.opened.isnull() | (days[AGE] < days.opened)
        days = days.select(
            c.USER_ID,
            AGE,
            messages_sent=ibis.ifelse(quiet, days.messages_sent, 0),
            impressions=ibis.ifelse(quiet, days.impressions, 0),
            messages_unopened=ibis.ifelse(unopened, days.messages_sent, 0),
        )
        return within(days, window)

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        if column.name == "messages_unopened":
            return UserDays.measures()["messages_sent"].lineage | UserDays.lineage_of(UserDays.since_message_opened)
        return UserDays.lineage_of(UserDays.columns()[column.name]) | UserDays.lineage_of(UserDays.since_action)


def runs(days: Value, *keys: str) -> Value:
    """Runs of days, one after the other, of each group of ``keys``: their ``length``, and the age of the last day.

    ``days`` has one row per ``keys`` and age. In a run the age grows by one with the row number, so that their
    difference stands still.
    """
    order = ibis.window(group_by=[days[key] for key in keys], order_by=days[AGE])
    days = days.mutate(run=days[AGE] - ibis.row_number().over(order))
    found = days.group_by([*keys, "run"]).aggregate(**{AGE: days[AGE].min(), "length": days.count()})
    return found.drop("run")
