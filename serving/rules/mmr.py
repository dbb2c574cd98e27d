"""Different things in one list, weighed against how well they fit."""

import numpy as np
from pydantic import Field

from serving.rules.compiled import most_different
from serving.rules.context import RuleContext, Text
from serving.rules.rule import RuleConfig, Select
from serving.rules.slate import Slate
from training.interactions import Int64


class MmrConfig(RuleConfig):
    """Parameters of :class:`Mmr`. Two items are as similar as the sum of what they share, 1 by default at most."""

    weight: float = Field(default=0.1, ge=0, le=1)
    """What similarity counts against fit: 0 leaves the order as it is. ``benchmarks/diversity_curve.py`` measures."""
    depth: int = Field(default=50, ge=1, le=1000)
    """Places of the list that are looked at."""
    category: float = Field(default=0.4, ge=0)
    department: float = Field(default=0.2, ge=0)
    brand: float = Field(default=0.2, ge=0)
    shop: float = Field(default=0.2, ge=0)


class Mmr(Select):
    """Maximal marginal relevance: one item after the other, by ``(1 - w) worth - w (similarity to the nearest taken)``.

    Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
    summaries" (SIGIR 1998). Relevance is the worth of the item's place, see :attr:`Slate.worth`.
    """

    name = "mmr"
    Config = MmrConfig
    reason = Text("too much like the others in the list", "与列表中其他商品过于相似")

    config: MmrConfig

    def __init__(self, config: MmrConfig) -> None:
        super().__init__(config)
        self._shares = np.array([config.category, config.department, config.brand, config.shop])

    def choose(self, context: RuleContext, slate: Slate) -> Int64:
        weight, facts = self.config.weight, context.facts
        fit = (1 - weight) * slate.worth[: self.config.depth]
        groups = facts.category, facts.department, facts.brand, facts.shop
        return most_different(slate.item, *groups, self._shares, fit, weight, context.n)
