"""On the page of an item: what is like it. Beside the cart: what goes with what is in it."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Offer, Rescore, RuleConfig, member_of
from serving.rules.slate import Slate
from training.models.ragged import Float64
from training.models.recommender import Intent


class NearConfig(RuleConfig):
    """Parameters of :class:`Near`."""

    intent: Intent = "similar"
    """``similar``: liked by the same people; ``complementary``: bought with it."""
    factor: float = Field(default=2.0, ge=1)
    """What the place of such an item is worth, times this."""


class Near(Rescore):
    """Brings in the neighbours of the items in view and lifts them. Without an item in view it does nothing."""

    name = "near"
    Config = NearConfig
    reason = Text("made room for what is near the items in view", "为相关商品让位")

    config: NearConfig

    def rests(self, context: RuleContext) -> bool:
        return not context.near.get(self.config.intent)

    def offers(self, context: RuleContext) -> Mapping[int, Offer]:
        return {
            item: Offer(self.config.intent, because)
            for item, because in context.near.get(self.config.intent, {}).items()
        }

    def factors(self, context: RuleContext, slate: Slate) -> Float64:
        near = member_of(slate.item, context.near.get(self.config.intent, {}))
        return np.where(near, self.config.factor, 1.0)
