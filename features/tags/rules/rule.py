"""What a rule file says, before anything is looked up: rules, their values and the conditions of these."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from features.tags.rules.located import Located
from features.tags.spec.vocabulary import Dimension, Dtype, Privacy
from features.tags.spec.windows import Window


class Verb(StrEnum):
    """What a user did with items."""

    VIEWED = "viewed"  # opened an item or clicked on it
    CLICKED = "clicked"
    WISHED = "wished"  # marked as favourite or put into the cart
    CARTED = "carted"
    BOUGHT = "bought"


class Where(StrEnum):
    """Which items: by one property of them."""

    CATEGORY = "category"
    DEPARTMENT = "department"
    BRAND = "brand"
    ITEM = "item"


@dataclass(frozen=True)
class Behaviour:
    """A number of events of one kind, on items of one kind, within a window."""

    verb: Verb
    where: Where | None  # None: any item
    words: tuple[str, ...]
    window: Window
    at_least: int
    at_most: int | None


@dataclass(frozen=True)
class Threshold:
    """A test on the value of a tag, whose type is not known yet."""

    tag: str
    test: Located


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Any:
    """At least one part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Behaviour | Threshold | All | Any | Not

#: Keys of a condition that are no tags.
ALL: Final = "all"
ANY: Final = "any"
NOT: Final = "not"
RESERVED: Final = (ALL, ANY, NOT, *Verb)

Constant = str | int | float | bool


@dataclass(frozen=True)
class Branch:
    """A value, and when a user has it."""

    value: Constant
    when: Condition


@dataclass(frozen=True)
class Rule:
    """One rule: the first branch whose condition holds gives the value, else ``otherwise``."""

    at: Located
    name: str
    title: str
    title_zh: str
    description: str
    description_zh: str
    dimension: Dimension
    privacy: Privacy
    dtype: Dtype
    unit: str
    branches: tuple[Branch, ...]
    otherwise: Constant | None

    @property
    def values(self) -> tuple[Constant, ...]:
        """Every value that the rule can give, once."""
        last = () if self.otherwise is None else (self.otherwise,)
        return tuple(dict.fromkeys((*(branch.value for branch in self.branches), *last)))

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Every test on a tag, wherever it stands."""
        return tuple(found for branch in self.branches for found in _thresholds(branch.when))

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """Every behaviour clause, once."""
        return tuple(dict.fromkeys(found for branch in self.branches for found in _behaviours(branch.when)))


def _parts(condition: Condition) -> tuple[Condition, ...]:
    if isinstance(condition, All | Any):
        return condition.parts
    return (condition.part,) if isinstance(condition, Not) else ()


def _thresholds(condition: Condition) -> tuple[Threshold, ...]:
    if isinstance(condition, Threshold):
        return (condition,)
    return tuple(found for part in _parts(condition) for found in _thresholds(part))


def _behaviours(condition: Condition) -> tuple[Behaviour, ...]:
    if isinstance(condition, Behaviour):
        return (condition,)
    return tuple(found for part in _parts(condition) for found in _behaviours(part))
