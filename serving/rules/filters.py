"""The caller's restrictions: categories, brands, a price range."""

import numpy as np

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Filter, RuleConfig, member_of
from serving.rules.slate import Slate
from training.interactions import Bool


class FiltersConfig(RuleConfig):
    """Nothing to set."""


class RequestFilters(Filter):
    """Keeps what the request's filters allow. An item whose fact is unknown does not pass a filter on it."""

    name = "filters"
    Config = FiltersConfig
    reason = Text("outside the requested filters", "不符合筛选条件")

    config: FiltersConfig

    def rests(self, context: RuleContext) -> bool:
        return not context.filters

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        filters, facts = context.filters, context.facts
        mask = np.ones(len(slate), dtype=np.bool_)
        if filters.categories:
            mask &= member_of(facts.category[slate.item], filters.categories)
        if filters.brands:
            mask &= member_of(facts.brand[slate.item], filters.brands)
        price = facts.price[slate.item]
        if filters.price_min is not None:
            mask &= price >= filters.price_min
        if filters.price_max is not None:
            mask &= price <= filters.price_max
        return mask
