"""Re-rank rules: what of a ranked list is shown, and where. One rule per file."""

from serving.rules.context import Filters, ItemFacts, Names, Purchases, RuleContext, Text
from serving.rules.registry import rule_class, rules
from serving.rules.rule import Offer, Outcome, Rule, RuleConfig, Slate, Stage, apply_rules, in_order

__all__ = [
    "Filters",
    "ItemFacts",
    "Names",
    "Offer",
    "Outcome",
    "Purchases",
    "Rule",
    "RuleConfig",
    "RuleContext",
    "Slate",
    "Stage",
    "Text",
    "apply_rules",
    "in_order",
    "rule_class",
    "rules",
]
