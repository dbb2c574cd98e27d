"""Different things in one list, weighed against how well they fit."""

import numpy as np
from pydantic import Field

from serving.rules.context import RuleContext, Text
from serving.rules.rule import RuleConfig, Select, Slate
from training.interactions import Int32


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

    def choose(self, context: RuleContext, slate: Slate) -> list[int]:
        weight, facts, head = self.config.weight, context.facts, slate.item[: self.config.depth]
        codes: Int32 = np.stack([facts.category[head], facts.department[head], facts.brand[head], facts.shop[head]])
        shares = np.array([self.config.category, self.config.department, self.config.brand, self.config.shop])
        fit = (1 - weight) * slate.worth[: len(head)]
        nearest = np.zeros(len(head))
        chosen: list[int] = []
        for _ in range(min(context.n, len(head))):
            best = int(np.argmax(fit - weight * nearest))
            chosen.append(best)
            fit[best] = -np.inf
            same = (codes == codes[:, [best]]) & (codes >= 0)
            nearest = np.maximum(nearest, shares @ same)
        return chosen
