"""Not five times the same kind of thing, nor all from one shop, in one list."""

import numpy as np
from pydantic import Field

from serving.rules.compiled import within_caps
from serving.rules.context import RuleContext, Text
from serving.rules.rule import RuleConfig, Select
from serving.rules.slate import Slate
from training.interactions import Int64

_Cap = int | None


class DiversityConfig(RuleConfig):
    """Parameters of :class:`Diversity`: how many items of one group the answer holds at most; null for no limit."""

    per_category: _Cap = Field(default=2, ge=1)
    per_department: _Cap = Field(default=None, ge=1)
    per_brand: _Cap = Field(default=None, ge=1)
    per_shop: _Cap = Field(default=None, ge=1)


class Diversity(Select):
    """Caps how many of the ``n`` wanted items share a category, department, brand or shop.

    Walks the list best first and takes an item while its groups have room. When that gives fewer than ``n`` items,
    the best of the others fill the places: a varied list is wanted, a short one is not. Items of an unknown group
    are never held back by it.
    """

    name = "diversity"
    Config = DiversityConfig
    reason = Text("enough of this kind in the list", "同类商品已足够")

    config: DiversityConfig

    def __init__(self, config: DiversityConfig) -> None:
        super().__init__(config)
        caps = config.per_category, config.per_department, config.per_brand, config.per_shop
        self._caps = np.array([-1 if cap is None else cap for cap in caps], dtype=np.int64)

    def choose(self, context: RuleContext, slate: Slate) -> Int64:
        facts = context.facts
        groups = facts.category, facts.department, facts.brand, facts.shop
        return within_caps(slate.item, *groups, self._caps, context.n)
