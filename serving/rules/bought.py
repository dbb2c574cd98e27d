"""What a user bought: show it again, never again, or only after a while."""

from enum import StrEnum

import numpy as np
from pydantic import Field

from serving.rules.rule import Rule, RuleConfig, RuleContext, Slate, Text
from training.interactions import SECONDS_PER_DAY, Bool


class BoughtPolicy(StrEnum):
    """What happens to items the user already bought."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    REPEAT_AFTER = "repeat_after"


class BoughtConfig(RuleConfig):
    """Parameters of :class:`Bought`."""

    policy: BoughtPolicy = BoughtPolicy.REPEAT_AFTER
    """``include`` all, ``exclude`` all, or show an item again when ``days`` have passed since its last purchase."""
    days: float = Field(default=3.0, ge=0)
    """Days that must pass under ``repeat_after``."""


class Bought(Rule):
    """Keeps items from coming straight back after their purchase."""

    name = "bought"
    Config = BoughtConfig
    reason = Text("bought already", "近期已购买")

    config: BoughtConfig

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        if self.config.policy is BoughtPolicy.INCLUDE or not context.bought:
            return np.ones(len(slate), dtype=np.bool_)
        never = self.config.policy is BoughtPolicy.EXCLUDE
        since = context.as_of - int(self.config.days * SECONDS_PER_DAY)
        bought = context.bought
        allowed = [i not in bought or (not never and bought[i] <= since) for i in slate.item.tolist()]
        return np.array(allowed, dtype=np.bool_)
