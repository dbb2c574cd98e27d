"""What a re-rank rule is. To add one: subclass in a new file of this folder, set ``name`` and its ``Config``."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from features.contracts.config import Config
from training.interactions import Bool, Float32, Int32


@dataclass(frozen=True)
class Text:
    """Words for a person, in both languages of the mall."""

    en: str
    zh: str


@dataclass(frozen=True)
class ItemFacts:
    """What rules may know of the ``m`` items of the live bundle, by internal item index."""

    category: Int32  # (m,) code of the whole category path, -1 unknown
    department: Int32  # (m,) code of its top level, -1 unknown
    brand: Int32  # (m,) code, -1 unknown
    price: Float32  # (m,) list price, NaN unknown
    available: Bool  # (m,) on sale and, where stock is tracked, in stock


@dataclass(frozen=True)
class Filters:
    """What the caller restricts a list to. Empty means no restriction; codes are those of :class:`ItemFacts`."""

    categories: frozenset[int] = frozenset()
    brands: frozenset[int] = frozenset()
    price_min: float | None = None
    price_max: float | None = None


@dataclass(frozen=True)
class RuleContext:
    """All that a rule may depend on besides the slate."""

    facts: ItemFacts
    as_of: int  # seconds since 1970: the moment of the question
    n: int  # how many items the caller wants
    bought: Mapping[int, int] = field(default_factory=dict)  # item index -> seconds since 1970 of the last purchase
    excluded: frozenset[int] = frozenset()  # item indices the caller does not want
    filters: Filters = Filters()


@dataclass(frozen=True)
class Slate:
    """Distinct items of one answer, best first."""

    item: Int32  # (k,) internal item index
    score: Float32  # (k,) descending

    def __len__(self) -> int:
        return len(self.item)

    def where(self, mask: Bool) -> Self:
        """The items under ``mask``, in the same order."""
        return type(self)(self.item[mask], self.score[mask])


class RuleConfig(Config):
    """Base of the parameters of a rule."""


class Rule(ABC):
    """Decides which items of a ranked list stay.

    A rule answers with a mask, so that whatever it does, the result is part of what it was given, in the same order
    and without duplicates. It is a pure function of its two arguments and its parameters.
    """

    name: ClassVar[str]
    Config: ClassVar[type[RuleConfig]]
    reason: ClassVar[Text]  # why an item that the rule took out is not shown

    config: RuleConfig

    def __init__(self, config: RuleConfig) -> None:
        self.config = config

    @abstractmethod
    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        """(k,) True for every item of ``slate`` that stays."""


@dataclass(frozen=True)
class Outcome:
    """What is left of a slate, and which rule took out what."""

    slate: Slate
    dropped: Mapping[int, str]  # item index -> name of the rule


def apply_rules(rules: tuple[Rule, ...], context: RuleContext, slate: Slate) -> Outcome:
    """Run ``rules`` one after the other over ``slate``."""
    dropped: dict[int, str] = {}
    for rule in rules:
        mask = rule.keep(context, slate)
        for item in slate.item[~mask].tolist():
            dropped[item] = rule.name
        slate = slate.where(mask)
    return Outcome(slate, dropped)


def member_of(values: Int32, wanted: frozenset[int]) -> Bool:
    """(k,) True where a value is one of ``wanted``."""
    return np.isin(values, np.fromiter(wanted, dtype=np.int64, count=len(wanted)))
