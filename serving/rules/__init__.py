"""Re-rank rules: what of a ranked list is shown, and where. One rule per file."""

from serving.rules.chain import Outcome, RuleChain
from serving.rules.context import NO_FILTERS, NOTHING_BOUGHT, Filters, ItemFacts, Names, Purchases, RuleContext, Text
from serving.rules.registry import rule_class, rules
from serving.rules.rule import Offer, Rule, RuleConfig, Stage
from serving.rules.slate import Slate

__all__ = [
    "NOTHING_BOUGHT",
    "NO_FILTERS",
    "Filters",
    "ItemFacts",
    "Names",
    "Offer",
    "Outcome",
    "Purchases",
    "Rule",
    "RuleChain",
    "RuleConfig",
    "RuleContext",
    "Slate",
    "Stage",
    "Text",
    "rule_class",
    "rules",
]
