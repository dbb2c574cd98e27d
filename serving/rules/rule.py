"""What a re-rank rule is. To add one: subclass a kind of it in a new file of this folder, set ``name`` and ``Config``.

A rule maps a slate to a slate. Whatever it does, the result holds only items that it was given, each once: what a rule
wants to bring in it *offers* before the first rule runs, so that every filter has judged it. A
:class:`~serving.rules.chain.RuleChain` sees to both. Rules run by stage, whatever their order in a placement.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np

from features.contracts.config import Config
from serving.rules.context import RuleContext, Text
from serving.rules.slate import Slate
from training.interactions import Bool, Int32, Int64
from training.models.ragged import Float64, contains


class Stage(IntEnum):
    """When a rule runs."""

    FILTER = 0  # takes items out
    RESCORE = 1  # weighs them anew
    SELECT = 2  # looks at the list as a whole
    PLACE = 3  # sets single items at their place
    EXPLORE = 4  # draws by chance, last, so that the probability stays true
    CUT = 5  # the length


@dataclass(frozen=True)
class Offer:
    """Why a rule brings an item in."""

    source: str  # what the answer names as the item's source
    because: int = -1  # the item that speaks for it, -1 none


class RuleConfig(Config):
    """Base of the parameters of a rule."""


class Rule(ABC):
    """Decides what is shown of a ranked list, and where. A pure function of its arguments and its parameters."""

    name: ClassVar[str]
    stage: ClassVar[Stage]
    Config: ClassVar[type[RuleConfig]]
    reason: ClassVar[Text]  # why an item that had to make room for the rule is not shown

    config: RuleConfig

    def __init__(self, config: RuleConfig) -> None:
        self.config = config

    def rests(self, context: RuleContext) -> bool:
        """Whether the question gives the rule nothing to do: it is not asked then. Nobody has to say so; it saves time.

        The rule offers nothing then, and every slate would stay as it is.
        """
        return False

    def offers(self, context: RuleContext) -> Mapping[int, Offer]:
        """Items that join the end of the slate before the first rule runs."""
        return {}

    @abstractmethod
    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        """What becomes of ``slate``: some or all of its items, in any order."""


class Filter(Rule):
    """Takes items out and leaves the order as it is."""

    stage = Stage.FILTER

    @abstractmethod
    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        """(k,) True for every item that stays."""

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        kept = self.keep(context, slate)
        return slate if kept.all() else slate.at(np.flatnonzero(kept))


class Rescore(Rule):
    """Multiplies what the places are worth and sorts anew; equal ones keep their order."""

    stage = Stage.RESCORE

    @abstractmethod
    def factors(self, context: RuleContext, slate: Slate) -> Float64:
        """(k,) positive; 1 leaves an item as it is."""

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        factors = self.factors(context, slate)
        return slate if (factors == 1).all() else slate.at(np.argsort(-slate.worth * factors, kind="stable"))


class Select(Rule):
    """Says which items come first. The others follow in their order, in case that filters of the caller leave few."""

    stage = Stage.SELECT

    @abstractmethod
    def choose(self, context: RuleContext, slate: Slate) -> Sequence[int] | Int64:
        """Distinct places, at most ``n``, in the order in which their items are shown."""

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        return slate.first(self.choose(context, slate))


def member_of(values: Int32, wanted: Iterable[int]) -> Bool:
    """(k,) True where a value is one of ``wanted``."""
    some = sorted(wanted)
    return contains(np.array(some, dtype=values.dtype), values) if some else np.zeros(len(values), dtype=np.bool_)
