"""The same kind of thing day after day wears off."""

import numpy as np
from pydantic import Field

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Rescore, RuleConfig, member_of
from serving.rules.slate import Slate
from training.models.ragged import Float64


class FatigueConfig(RuleConfig):
    """Parameters of :class:`Fatigue`."""

    days: int = Field(default=3, ge=2, le=7)
    """On this day running (UTC) a kind is damped: it was shown on each of the days before."""
    factor: float = Field(default=0.6, gt=0, le=1)
    """What the place of such an item is worth, times this. The mall measured 40 % fewer clicks on the third day."""


class Fatigue(Rescore):
    """Damps items of a category that the user was shown on the days before, as posted impressions tell."""

    name = "fatigue"
    Config = FatigueConfig
    reason = Text("shown too often on the days before", "近几日已多次展示同类商品")

    config: FatigueConfig

    def rests(self, context: RuleContext) -> bool:
        return not context.shown

    def factors(self, context: RuleContext, slate: Slate) -> Float64:
        category = context.facts.category
        tired: set[int] | None = None
        for ago in range(1, self.config.days):
            kinds = {int(category[item]) for item in context.shown.get(ago, ())} - {-1}
            tired = kinds if tired is None else tired & kinds
        return np.where(member_of(category[slate.item], tired or ()), self.config.factor, 1.0)
