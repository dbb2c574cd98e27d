"""What a campaign means, and from when until when."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import numpy as np
from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from features.contracts.config import Config
from serving.rules.context import ItemFacts
from serving.rules.rule import member_of
from serving.rules.slate import Slate
from training.interactions import Bool

# A moment that is midnight is a moment: tried first, and refused for what has no offset.
_Moment = Annotated[AwareDatetime | date, Field(union_mode="left_to_right")]


class Period(Config):
    """From when until when something holds."""

    model_config = ConfigDict(populate_by_name=True)

    from_: _Moment | None = Field(default=None, alias="from")
    """First day (UTC), or a moment with its offset; null for always."""
    until: _Moment | None = None
    """Last day (UTC), itself included, or the moment at which it ends; null for ever."""

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self._span[0] >= self._span[1]:
            raise ValueError(f"ends ({self.until}) before it begins ({self.from_})")
        return self

    def holds(self, now: int) -> bool:
        """Whether it holds at ``now``, seconds since 1970."""
        return self._span[0] <= now < self._span[1]

    @property
    def _span(self) -> tuple[float, float]:
        start = float("-inf") if self.from_ is None else _moment(self.from_, timedelta(0))
        return start, float("inf") if self.until is None else _moment(self.until, timedelta(days=1))


class Aim(Period):
    """Items, one by one or by what they are. An item is meant when any of the four names it."""

    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """Category paths; each stands for itself and everything below it."""
    brands: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> "Aim":
        if not (self.items or self.categories or self.brands or self.shops):
            raise ValueError("say what is meant: items, categories, brands or shops")
        return self

    def hits(self, facts: ItemFacts, slate: Slate) -> Bool:
        """(k,) True for the items of ``slate`` that are meant. Names that the catalogue lacks mean nothing."""
        names, item = facts.names, slate.item
        mask = member_of(item, [names.items.index(name) for name in self.items])
        mask |= member_of(facts.category[item], {c for path in self.categories for c in names.categories.get(path, ())})
        mask |= member_of(facts.brand[item], [names.brands[name] for name in self.brands if name in names.brands])
        mask |= member_of(facts.shop[item], [names.shops[name] for name in self.shops if name in names.shops])
        return np.asarray(mask)


def _moment(day: date | datetime, length: timedelta) -> float:
    if isinstance(day, datetime):
        return day.timestamp()
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) + length).timestamp()
