"""What each rule is for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from features.contracts.errors import UnknownNameError
from serving.rules import Filters, ItemFacts, RuleContext, Slate, apply_rules, rule_class
from training.interactions import SECONDS_PER_DAY

NOW = 100 * SECONDS_PER_DAY


def facts(n: int, **given: Any) -> ItemFacts:
    unknown = np.full(n, -1, dtype=np.int32)
    defaults = {
        "category": unknown,
        "department": unknown,
        "brand": unknown,
        "price": np.full(n, np.nan, np.float32),
        "available": np.ones(n, np.bool_),
    }
    return ItemFacts(**(defaults | {name: np.array(value, defaults[name].dtype) for name, value in given.items()}))


def kept(name: str, items: Sequence[int], context: RuleContext, **parameters: Any) -> list[int]:
    cls = rule_class(name)
    slate = Slate(np.array(items, np.int32), -np.arange(len(items), dtype=np.float32))
    result: list[int] = apply_rules((cls(cls.Config(**parameters)),), context, slate).slate.item.tolist()
    return result


def test_only_available_items_stay() -> None:
    assert kept("availability", [2, 0, 1], RuleContext(facts(3, available=[True, False, True]), NOW, 5)) == [2, 0]


def test_bought_items_stay_or_go_as_the_policy_says() -> None:
    bought = {0: NOW - 2 * SECONDS_PER_DAY, 1: NOW - 8 * SECONDS_PER_DAY}
    context = RuleContext(facts(3), NOW, 5, bought=bought)
    assert kept("bought", [0, 1, 2], context, policy="include") == [0, 1, 2]
    assert kept("bought", [0, 1, 2], context, policy="exclude") == [2]
    assert kept("bought", [0, 1, 2], context, policy="repeat_after", days=7) == [1, 2]


def test_diversity_caps_categories_best_first() -> None:
    context = RuleContext(facts(6, category=[7, 7, 7, 8, 8, 9]), NOW, 4)
    assert kept("diversity", [0, 1, 2, 3, 4, 5], context, per_category=1, per_department=None) == [0, 1, 3, 5]
    assert kept("diversity", [0, 1, 2, 3, 4, 5], context, per_category=2) == [0, 1, 3, 4]


def test_diversity_would_rather_repeat_than_leave_places_empty() -> None:
    context = RuleContext(facts(4, category=[7, 7, 7, 7]), NOW, 3)
    assert kept("diversity", [3, 1, 2, 0], context, per_category=1) == [3, 1, 2]


def test_items_of_unknown_category_are_not_one_kind() -> None:
    assert kept("diversity", [0, 1, 2], RuleContext(facts(3), NOW, 3), per_category=1) == [0, 1, 2]


def test_filters_hold_back_what_is_unknown() -> None:
    known = facts(4, category=[1, 2, 1, -1], brand=[5, 5, 6, 5], price=[3, 9, 4, np.nan])
    for filters, wanted in [
        (Filters(), [0, 1, 2, 3]),
        (Filters(categories=frozenset({1})), [0, 2]),
        (Filters(brands=frozenset({5})), [0, 1, 3]),
        (Filters(price_min=3.5), [1, 2]),
        (Filters(price_max=4, categories=frozenset({1}), brands=frozenset({5})), [0]),
    ]:
        assert kept("filters", [0, 1, 2, 3], RuleContext(known, NOW, 5, filters=filters)) == wanted


def test_excluded_items_go_and_the_length_is_kept() -> None:
    context = RuleContext(facts(4), NOW, 2, excluded=frozenset({3}))
    assert kept("exclusions", [3, 2, 1, 0], context) == [2, 1, 0]
    assert kept("at_most", [3, 2, 1, 0], context) == [3, 2]


def test_an_unknown_rule_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no rule 'magic'.*availability"):
        rule_class("magic")
