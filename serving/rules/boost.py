"""What the mall wants shown more, or less, for a while."""

import numpy as np
from pydantic import Field

from serving.rules.aim import Aim
from serving.rules.context import RuleContext, Text
from serving.rules.rule import Rescore, RuleConfig
from serving.rules.slate import Slate
from training.models.ragged import Float64


class BoostAim(Aim):
    """What is boosted, when and how much."""

    factor: float = Field(gt=0, le=100)
    """What the item's place is worth, times this: with 2 the third place comes up to the first; below 1 it sinks."""


class BoostConfig(RuleConfig):
    """Parameters of :class:`Boost`."""

    boosts: tuple[BoostAim, ...] = ()


class Boost(Rescore):
    """Multiplies what a place is worth by the factors of the boosts that hold. It lifts what is ranked, and adds
    nothing."""

    name = "boost"
    Config = BoostConfig
    reason = Text("made room for a promotion", "为促销商品让位")

    config: BoostConfig

    def rests(self, context: RuleContext) -> bool:
        return not any(boost.holds(context.now) for boost in self.config.boosts)

    def factors(self, context: RuleContext, slate: Slate) -> Float64:
        factors = np.ones(len(slate))
        for boost in self.config.boosts:
            if boost.holds(context.now):
                factors[boost.hits(context.facts, slate)] *= boost.factor
        return factors
