"""What each rule is for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from features.contracts.errors import UnknownNameError
from serving.rules import Filters, Offer, Purchases, Rule, RuleChain, RuleContext, Slate, Stage, rule_class
from serving.rules.rule import Filter
from tests.serving.rules.malls import facts, slate
from training.interactions import SECONDS_PER_DAY, Bool

NOW = 100 * SECONDS_PER_DAY


def rule(name: str, **parameters: Any) -> Rule:
    cls = rule_class(name)
    return cls(cls.Config.model_validate(parameters))


def kept(name: str, items: Sequence[int], context: RuleContext, **parameters: Any) -> list[int]:
    """The first ``n`` that the rule leaves."""
    result: list[int] = RuleChain((rule(name, **parameters),)).apply(context, slate(items)).slate.item.tolist()
    return result[: context.n]


def purchases(*days_ago: tuple[int, float]) -> Purchases:
    return Purchases.of(
        np.array([item for item, _ in days_ago], np.int32),
        np.array([NOW - int(days * SECONDS_PER_DAY) for _, days in days_ago], np.int64),
    )


def test_only_available_items_stay() -> None:
    assert kept("availability", [2, 0, 1], RuleContext(facts(3, available=[True, False, True]), NOW, 5)) == [2, 0]


# --- bought -----------------------------------------------------------------------------------------------
def test_bought_items_stay_or_go_as_the_policy_says() -> None:
    context = RuleContext(facts(3), NOW, 5, bought=purchases((0, 2), (1, 8)))
    assert kept("bought", [0, 1, 2], context, policy="include") == [0, 1, 2]
    assert kept("bought", [0, 1, 2], context, policy="exclude") == [2]
    assert kept("bought", [0, 1, 2], context, policy="repeat_after", days=7) == [1, 2]


def test_an_item_comes_back_when_it_is_due() -> None:
    # Every 10 days: bought 5 and 8 days ago for the last time; item 2 only once.
    context = RuleContext(facts(3), NOW, 5, bought=purchases((0, 25), (0, 15), (0, 5), (1, 18), (1, 8), (2, 4)))
    assert context.bought.every.tolist()[:2] == [10.0, 10.0]
    assert context.bought.times.tolist() == [3, 2, 1]
    assert kept("bought", [0, 1, 2], context, policy="when_due", due=0.7, days=3) == [1, 2]
    assert kept("bought", [0, 1, 2], context, policy="when_due", due=0.7, days=5) == [1]


def test_categories_have_policies_of_their_own() -> None:
    known = facts(6, paths=("Home > Beds", "Home > Light", "Fresh"), category=[0, 0, 1, 1, 2, 2])
    context = RuleContext(known, NOW, 6, bought=purchases((0, 400), (2, 400), (4, 1)))
    categories = [
        {"category": "Home", "policy": "exclude"},
        {"category": "Home > Beds", "policy": "exclude", "alike": True},
    ]
    # Never a second bed, never the same lamp, and fruit again after three days.
    assert kept("bought", range(6), context, categories=categories) == [3, 5]
    assert kept("bought", range(6), context, categories=[{"category": "Hom", "policy": "exclude"}]) == [0, 1, 2, 3, 5]


# --- varied lists -----------------------------------------------------------------------------------------
def test_diversity_caps_categories_best_first() -> None:
    context = RuleContext(facts(6, category=[7, 7, 7, 8, 8, 9]), NOW, 4)
    assert kept("diversity", [0, 1, 2, 3, 4, 5], context, per_category=1, per_department=None) == [0, 1, 3, 5]
    assert kept("diversity", [0, 1, 2, 3, 4, 5], context, per_category=2) == [0, 1, 3, 4]


def test_caps_of_shops_and_categories_hold_together() -> None:
    context = RuleContext(facts(6, category=[1, 1, 2, 3, 4, 5], shop=[0, 1, 0, 0, 1, 2]), NOW, 4)
    assert kept("diversity", range(6), context, per_category=1, per_shop=2) == [0, 2, 4, 5]
    assert kept("diversity", range(6), context, per_category=None, per_shop=1) == [0, 1, 2, 5]


def test_diversity_would_rather_repeat_than_leave_places_empty() -> None:
    context = RuleContext(facts(4, category=[7, 7, 7, 7]), NOW, 3)
    assert kept("diversity", [3, 1, 2, 0], context, per_category=1) == [3, 1, 2]


def test_items_of_unknown_category_are_not_one_kind() -> None:
    assert kept("diversity", [0, 1, 2], RuleContext(facts(3), NOW, 3), per_category=1) == [0, 1, 2]


def test_mmr_trades_fit_for_difference() -> None:
    context = RuleContext(facts(5, category=[1, 1, 1, 2, 3], department=[1, 1, 1, 1, 2]), NOW, 3)
    assert kept("mmr", range(5), context, weight=0) == [0, 1, 2]
    assert kept("mmr", range(5), context, weight=1, depth=5) == [0, 4, 3]
    assert kept("mmr", range(5), context, weight=1, depth=3) == [0, 1, 2]


# --- weights ----------------------------------------------------------------------------------------------
def test_the_third_day_of_a_kind_is_damped() -> None:
    known = facts(4, category=[1, 2, 1, 3])
    twice = RuleContext(known, NOW, 4, shown={1: frozenset({2}), 2: frozenset({0, 3})})
    assert kept("fatigue", [0, 1, 2, 3], twice, factor=0.5) == [1, 0, 3, 2]
    for shown in ({1: frozenset({0})}, {2: frozenset({0})}, {0: frozenset({0}), 1: frozenset({0})}, {}):
        assert kept("fatigue", [0, 1, 2, 3], RuleContext(known, NOW, 4, shown=shown), factor=0.5) == [0, 1, 2, 3]
    once = RuleContext(known, NOW, 4, shown={1: frozenset({0})})
    assert kept("fatigue", [0, 1, 2, 3], once, days=2, factor=0.5) == [1, 0, 3, 2]


def test_what_is_near_the_items_in_view_is_brought_in_and_lifted() -> None:
    context = RuleContext(facts(5), NOW, 5, near={"similar": {4: 0, 1: 0}})
    outcome = RuleChain((rule("near", factor=3),)).apply(context, slate([0, 1, 2, 3]))
    assert outcome.slate.item.tolist() == [1, 4, 0, 2, 3]
    assert outcome.offered == {4: Offer("similar", because=0)}
    assert kept("near", [0, 1, 2], context, intent="complementary") == [0, 1, 2]


# --- campaigns --------------------------------------------------------------------------------------------
SHOPFUL = facts(
    5, paths=("A > x", "A > y"), brands=("b",), shops=("s",), category=[0, 1, -1, -1, -1], brand=[-1, -1, 0, -1, -1],
    shop=[-1, -1, -1, 0, -1],
)  # fmt: skip


@pytest.mark.parametrize(
    ("aim", "left"),
    [
        ({"categories": ["A"]}, [2, 3, 4]),
        ({"categories": ["A > y"]}, [0, 2, 3, 4]),
        ({"brands": ["b"], "items": ["i04", "ghost"]}, [0, 1, 3]),
        ({"shops": ["s", "nobody's"]}, [0, 1, 2, 4]),
    ],
)
def test_blocks_name_what_they_mean(aim: dict[str, Any], left: list[int]) -> None:
    assert kept("block", range(5), RuleContext(SHOPFUL, NOW, 5), blocks=[aim]) == left


@pytest.mark.parametrize(
    ("dates", "holds"),
    [
        ({}, True),
        ({"from": "1970-04-11"}, True),  # NOW is the midnight with which this day begins
        ({"from": "1970-04-12"}, False),
        ({"until": "1970-04-11"}, True),
        ({"until": "1970-04-10"}, False),
        ({"from": "1970-04-11T08:00:01+08:00"}, False),
        ({"from": "1970-04-11T08:00:00+08:00", "until": "1970-04-11T08:00:01+08:00"}, True),
        ({"until": "1970-04-11T00:00:00Z"}, False),
    ],
)
def test_dates_decide_whether_a_campaign_holds(dates: dict[str, str], holds: bool) -> None:
    context = RuleContext(SHOPFUL, 5, 5, now=NOW)
    assert (kept("block", [0, 4], context, blocks=[{"items": ["i04"], **dates}]) == [0]) is holds
    assert (kept("pin", [0, 1], context, pins=[{"item": "i04", "place": 1, **dates}]) == [4, 0, 1]) is holds
    assert (kept("boost", [0, 4], context, boosts=[{"items": ["i04"], "factor": 2, **dates}]) == [4, 0]) is holds


@pytest.mark.parametrize(
    "wrong", [{}, {"items": ["a"], "from": "2026-02-02", "until": "2026-02-01"}, {"items": ["a"], "form": "2026-02-02"}]
)
def test_a_campaign_without_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule("block", blocks=[wrong])


def test_pins_stand_where_they_are_set_and_obey_the_filters() -> None:
    known = facts(6, available=[True] * 4 + [False, True])
    context = RuleContext(known, NOW, 4, now=NOW, excluded=frozenset({3}))
    pins = [{"item": f"i0{k}", "place": place} for k, place in [(5, 2), (2, 2), (4, 1), (3, 1)]]
    outcome = RuleChain((rule("pin", pins=pins), rule("exclusions"), rule("availability"))).apply(
        context, slate([0, 1, 2])
    )
    assert outcome.slate.item.tolist() == [0, 5, 2, 1]
    assert outcome.slate.fixed.tolist() == [False, True, True, False]
    assert outcome.offered == {5: Offer("campaign"), 3: Offer("campaign")}


# --- exploration ------------------------------------------------------------------------------------------
def test_exploration_draws_as_often_as_it_says() -> None:
    draw = rule("explore", epsilon=0.4, pool=3)
    counts: Counter[int] = Counter()
    said: dict[int, float] = {}
    for k in range(6000):
        context = RuleContext(facts(8), NOW, 2, request_id=f"request-{k}")
        drawn = RuleChain((draw, rule("at_most"))).apply(context, slate(range(8))).slate
        assert drawn.item[0] == 0
        assert drawn.propensity[0] == 1
        counts[int(drawn.item[1])] += 1
        said[int(drawn.item[1])] = float(drawn.propensity[1])
    assert set(counts) == {1, 2, 3, 4}
    assert said == pytest.approx({1: 0.6, 2: 0.4 / 3, 3: 0.4 / 3, 4: 0.4 / 3})
    for item, propensity in said.items():
        assert counts[item] / 6000 == pytest.approx(propensity, abs=0.03)


def test_exploration_leaves_pins_and_short_lists_alone() -> None:
    always = rule("explore", epsilon=1, pool=1)
    context = RuleContext(facts(4), NOW, 2, now=NOW)
    pinned = RuleChain((always, rule("pin", pins=[{"item": "i03", "place": 2}]))).apply(context, slate([0, 1, 2]))
    assert pinned.slate.item.tolist()[:2] == [1, 3]
    assert pinned.slate.propensity.tolist()[:2] == [1, 1]
    short = RuleChain((always,)).apply(context, slate([0, 1])).slate
    assert (short.item.tolist(), short.propensity.tolist()) == ([0, 1], [1, 1])


# --- the request's own ------------------------------------------------------------------------------------
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
    assert kept("exclusions", [3, 2, 1, 0], context) == [2, 1]
    assert kept("at_most", [3, 2, 1, 0], context) == [3, 2]


# --- all together -----------------------------------------------------------------------------------------
def test_the_rule_that_pushed_an_item_out_is_named() -> None:
    context = RuleContext(facts(4, category=[1, 1, 2, 3]), NOW, 2)
    outcome = RuleChain((rule("at_most"), rule("diversity", per_category=1))).apply(context, slate(range(4)))
    assert outcome.slate.item.tolist() == [0, 2]
    assert outcome.dropped == {1: "diversity", 3: "at_most"}


def test_a_rule_that_makes_items_up_is_caught() -> None:
    class Doubling(Filter):
        name = "doubling"
        stage = Stage.FILTER

        def keep(self, context: RuleContext, slate: Slate) -> Bool:
            return np.ones(len(slate), dtype=np.bool_)

        def apply(self, context: RuleContext, slate: Slate) -> Slate:
            return slate.at([0, 0])

    cls = rule_class("at_most")
    with pytest.raises(ValueError, match="'doubling' shows items twice"):
        RuleChain((Doubling(cls.Config()),)).apply(RuleContext(facts(2), NOW, 2), slate([0, 1]))


def test_an_unknown_rule_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no rule 'magic'.*availability"):
        rule_class("magic")
