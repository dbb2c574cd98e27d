"""What a user bought: show it again, never again, after a while, or when it is due."""

from enum import StrEnum

import numpy as np
from pydantic import Field

from features.contracts.catalogue import CATEGORY_SEPARATOR
from serving.rules.context import Purchases, RuleContext, Text
from serving.rules.rule import Filter, RuleConfig
from serving.rules.slate import Slate
from training.interactions import SECONDS_PER_DAY, Bool, Int64
from training.models.ragged import contains


class BoughtPolicy(StrEnum):
    """What happens to items the user already bought."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    REPEAT_AFTER = "repeat_after"
    WHEN_DUE = "when_due"


class Policy(RuleConfig):
    """What happens to one kind of item after its purchase."""

    policy: BoughtPolicy = BoughtPolicy.REPEAT_AFTER
    """``include`` all, ``exclude`` all, show an item again when ``days`` have passed since its last purchase, or
    ``when_due``: when the part ``due`` of the user's own interval for it has passed (``days`` after a single one)."""
    days: float = Field(default=3.0, ge=0)
    """Days that must pass under ``repeat_after``."""
    due: float = Field(default=0.7, ge=0, le=1)
    """Part of the mean interval between the days of purchase that must pass under ``when_due``."""
    alike: bool = False
    """Whether what holds back an item holds back every item of its category with it: never a second wardrobe."""


class CategoryPolicy(Policy):
    """Another policy for one category."""

    category: str = Field(min_length=1)
    """A category path; it stands for itself and everything below it. The longest one that fits an item counts."""


class BoughtConfig(Policy):
    """Parameters of :class:`Bought`: the policy of everything, and of categories that differ."""

    categories: tuple[CategoryPolicy, ...] = ()


class Bought(Filter):
    """Keeps items from coming back before they are wanted again."""

    name = "bought"
    Config = BoughtConfig
    reason = Text("bought already", "近期已购买")

    config: BoughtConfig

    def rests(self, context: RuleContext) -> bool:
        return not len(context.bought.item)

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        bought, category = context.bought, context.facts.category
        chosen = self._policies(context)
        kept = np.ones(len(slate), dtype=np.bool_)
        for number, policy in enumerate((self.config, *self.config.categories)):
            held = (chosen == number) & _held(policy, bought, context.as_of)
            if not held.any():
                continue
            kept &= ~contains(bought.item[held], slate.item)
            if policy.alike:
                kind = category[bought.item[held]]
                kept &= ~contains(np.sort(kind[kind >= 0]), category[slate.item])
        return kept

    def _policies(self, context: RuleContext) -> Int64:
        """(b,) which policy counts for each item that was bought."""
        bought = context.bought.item
        if not self.config.categories:
            return np.zeros(len(bought), dtype=np.int64)
        kinds, place = np.unique(context.facts.category[bought], return_inverse=True)
        return np.array([self._policy(context, int(code)) for code in kinds], dtype=np.int64)[place]

    def _policy(self, context: RuleContext, kind: int) -> int:
        """Which policy counts for a category code: 0 that of everything, else the place in ``categories`` from 1."""
        own, paths = self.config.categories, context.facts.names.paths
        path = _below(paths[kind]) if own and 0 <= kind < len(paths) else ""
        fitting = [n for n, policy in enumerate(own, 1) if path.startswith(_below(policy.category))]
        return max(fitting, key=lambda n: len(own[n - 1].category), default=0)


def _below(path: str) -> str:
    return f"{path}{CATEGORY_SEPARATOR}"


def _held(policy: Policy, bought: Purchases, as_of: int) -> Bool:
    """(b,) True for what must not be shown again yet."""
    last, every = bought.last, bought.every
    if policy.policy is BoughtPolicy.INCLUDE:
        return np.zeros(len(last), dtype=np.bool_)
    if policy.policy is BoughtPolicy.EXCLUDE:
        return np.ones(len(last), dtype=np.bool_)
    days = np.full(len(last), policy.days)
    if policy.policy is BoughtPolicy.WHEN_DUE:
        own = np.isfinite(every)
        days[own] = policy.due * every[own]
    held: Bool = last > as_of - (days * SECONDS_PER_DAY).astype(np.int64)
    return held
