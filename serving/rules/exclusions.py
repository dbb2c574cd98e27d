"""Items the caller named as unwanted: in the cart already, just dismissed, on the same page."""

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Filter, RuleConfig, member_of
from serving.rules.slate import Slate
from training.interactions import Bool


class ExclusionsConfig(RuleConfig):
    """Nothing to set."""


class Exclusions(Filter):
    """Takes out the items that the request excludes."""

    name = "exclusions"
    Config = ExclusionsConfig
    reason = Text("excluded by the request", "请求中已排除")

    config: ExclusionsConfig

    def rests(self, context: RuleContext) -> bool:
        return not context.excluded

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        kept: Bool = ~member_of(slate.item, context.excluded)
        return kept
