"""What the mall does not want shown for a while: a recall, a brand in dispute."""

import numpy as np

from serving.rules.aim import Aim
from serving.rules.context import RuleContext, Text
from serving.rules.rule import Filter, RuleConfig
from serving.rules.slate import Slate
from training.interactions import Bool


class BlockConfig(RuleConfig):
    """Parameters of :class:`Block`."""

    blocks: tuple[Aim, ...] = ()
    """What is not shown, and when."""


class Block(Filter):
    """Takes out what is blocked at the moment of the question."""

    name = "block"
    Config = BlockConfig
    reason = Text("blocked by the mall", "已被商城屏蔽")

    config: BlockConfig

    def rests(self, context: RuleContext) -> bool:
        return not any(block.holds(context.now) for block in self.config.blocks)

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        mask = np.ones(len(slate), dtype=np.bool_)
        for block in self.config.blocks:
            if block.holds(context.now):
                mask &= ~block.hits(context.facts, slate)
        return mask
