"""Only what can be bought is shown."""

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Filter, RuleConfig
from serving.rules.slate import Slate
from training.interactions import Bool


class AvailabilityConfig(RuleConfig):
    """Nothing to set."""


class Availability(Filter):
    """Takes out items that are not on sale, and items whose tracked stock is empty."""

    name = "availability"
    Config = AvailabilityConfig
    reason = Text("not on sale or out of stock", "已下架或缺货")

    config: AvailabilityConfig

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        available: Bool = context.facts.available[slate.item]
        return available
