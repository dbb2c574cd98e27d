"""What a re-rank rule is. To add one: subclass a kind of it in a new file of this folder, set ``name`` and ``Config``.

A rule maps a slate to a slate. Whatever it does, the result holds only items that it was given, each once: what a rule
wants to bring in it *offers* before the first rule runs, so that every filter has judged it. :func:`apply_rules` sees
to both. Rules run by stage, whatever their order in a placement.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

import numpy as np

from features.contracts.config import Config
from serving.rules.context import RuleContext, Text
from training.interactions import Bool, Float32, Int32
from training.models.ragged import Float64, contains


@dataclass(frozen=True)
class Slate:
    """Distinct items of one answer, best first."""

    item: Int32  # (k,) internal item index
    score: Float32  # (k,) the model's, NaN where it has none
    propensity: Float32  # (k,) probability with which the item stands at its place
    fixed: Bool  # (k,) its place was set by hand and is not to be drawn

    @classmethod
    def of(cls, item: Int32, score: Float32) -> Self:
        """Ranked items, before any rule."""
        return cls(item, score, np.ones(len(item), dtype=np.float32), np.zeros(len(item), dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.item)

    @property
    def worth(self) -> Float64:
        """(k,) what a place is worth: the discount of DCG.

        Rules weigh with it instead of the score: it means the same under every model.
        """
        value: Float64 = 1.0 / np.log2(np.arange(len(self)) + 2.0)
        return value

    def at(self, places: Sequence[int] | np.ndarray) -> Self:
        """The items at ``places``, in that order."""
        taken = np.asarray(places, dtype=np.int64)
        return type(self)(self.item[taken], self.score[taken], self.propensity[taken], self.fixed[taken])

    def first(self, places: Sequence[int]) -> Self:
        """All items, those at ``places`` in front."""
        front = np.asarray(places, dtype=np.int64)
        rest = np.ones(len(self), dtype=np.bool_)
        rest[front] = False
        return self.at(np.concatenate([front, np.flatnonzero(rest)]))

    def extended(self, item: Iterable[int]) -> Self:
        """With further items at the end, without score; those that stand in it already stay where they are."""
        present = set(self.item.tolist())
        new = np.array([i for i in dict.fromkeys(item) if i not in present], dtype=np.int32)
        tail = type(self).of(new, np.full(len(new), np.nan, dtype=np.float32))
        return type(self)(
            np.concatenate([self.item, tail.item]),
            np.concatenate([self.score, tail.score]),
            np.concatenate([self.propensity, tail.propensity]),
            np.concatenate([self.fixed, tail.fixed]),
        )


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
    def choose(self, context: RuleContext, slate: Slate) -> Sequence[int]:
        """Distinct places, at most ``n``, in the order in which their items are shown."""

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        return slate.first(self.choose(context, slate))


@dataclass(frozen=True)
class Outcome:
    """What is left of a slate, and how it came about."""

    slate: Slate
    dropped: Mapping[int, str]  # item index -> rule that took it out, or that took its place among the first ``n``
    offered: Mapping[int, Offer]  # items that rules brought in, whether or not they are shown


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """By stage; within one as given."""
    return tuple(sorted(rules, key=lambda rule: rule.stage))


def apply_rules(rules: Sequence[Rule], context: RuleContext, slate: Slate, *, trace: bool = True) -> Outcome:
    """Run ``rules`` by stage over ``slate`` and what they offer; without ``trace`` nobody asks what was dropped.

    Only items that can be bought are brought in. Raises ``ValueError`` when a rule answers with an item that it was not
    given, or with one twice.
    """
    rules = in_order(rules)
    offers = {item: offer for rule in reversed(rules) for item, offer in rule.offers(context).items()}
    present = set(slate.item.tolist())
    offered = {i: o for i, o in offers.items() if i not in present and context.facts.available[i]}
    slate = slate.extended(offered)
    dropped: dict[int, str] = {}
    for rule in rules:
        after = rule.apply(context, slate)
        if after is slate:
            continue
        left = set(after.item.tolist())
        if len(left) != len(after) or not left <= set(slate.item.tolist()):
            raise ValueError(f"the rule '{rule.name}' shows items twice, or items that it was not given")
        if not trace:
            slate = after
            continue
        shown = set(after.item[: context.n].tolist())
        pushed_out = [item for item in slate.item[: context.n].tolist() if item not in shown]
        taken_out = [item for item in slate.item.tolist() if item not in left]
        for item in (*pushed_out, *taken_out):
            # The length takes out what another rule had pushed below it: that one is the reason.
            if rule.stage is not Stage.CUT or item not in dropped:
                dropped[item] = rule.name
        slate = after
    here = set(slate.item.tolist())
    return Outcome(slate, {item: rule for item, rule in dropped.items() if item not in here}, offered)


def member_of(values: Int32, wanted: Iterable[int]) -> Bool:
    """(k,) True where a value is one of ``wanted``."""
    some = sorted(wanted)
    return contains(np.array(some, dtype=values.dtype), values) if some else np.zeros(len(values), dtype=np.bool_)
