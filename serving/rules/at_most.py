"""The length of the answer."""

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Rule, RuleConfig, Stage
from serving.rules.slate import Slate


class AtMostConfig(RuleConfig):
    """Nothing to set: the length comes with the request."""


class AtMost(Rule):
    """Keeps the first ``n``. Plans of the mall put the comfortable number at five per placement."""

    name = "at_most"
    stage = Stage.CUT
    Config = AtMostConfig
    reason = Text("below the requested number of items", "超出请求数量")

    config: AtMostConfig

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        return slate if len(slate) <= context.n else slate.at(slice(context.n))
