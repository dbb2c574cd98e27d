"""Re-rank rules: what of a ranked list is shown. One rule per file."""

from serving.rules.registry import rule_class, rules
from serving.rules.rule import (
    Filters,
    ItemFacts,
    Outcome,
    Rule,
    RuleConfig,
    RuleContext,
    Slate,
    Text,
    apply_rules,
)

__all__ = [
    "Filters",
    "ItemFacts",
    "Outcome",
    "Rule",
    "RuleConfig",
    "RuleContext",
    "Slate",
    "Text",
    "apply_rules",
    "rule_class",
    "rules",
]
