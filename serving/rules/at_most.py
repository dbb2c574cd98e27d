"""The length of the answer."""

import numpy as np

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Filter, RuleConfig, Slate, Stage
from training.interactions import Bool


class AtMostConfig(RuleConfig):
    """Nothing to set: the length comes with the request."""


class AtMost(Filter):
    """Keeps the first ``n``. Plans of the mall put the comfortable number at five per placement."""

    name = "at_most"
    stage = Stage.CUT
    Config = AtMostConfig
    reason = Text("below the requested number of items", "超出请求数量")

    config: AtMostConfig

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        mask: Bool = np.arange(len(slate)) < context.n
        return mask
