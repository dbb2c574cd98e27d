"""What every rule must do; finds the rules itself, and asks each with parameters that have an effect."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.rules import Filters, Purchases, Rule, RuleChain, RuleContext, Slate, Stage, rules
from tests.serving.rules.malls import facts, slate

ITEMS = 20
DAY = 86_400
NOW = 10_000_000
#: Rules that do nothing unless told what to do.
TOLD: dict[str, dict[str, Any]] = {
    "block": {"blocks": [{"brands": ["b1"]}, {"items": ["i03"], "from": "1970-01-01"}]},
    "boost": {"boosts": [{"categories": ["A"], "factor": 3}, {"shops": ["s0"], "factor": 0.5}]},
    "bought": {"policy": "when_due", "categories": [{"category": "A", "policy": "exclude", "alike": True}]},
    "diversity": {"per_category": 1, "per_shop": 2},
    "explore": {"epsilon": 0.5, "pool": 5},
    "mmr": {"weight": 0.5},
    "pin": {"pins": [{"item": "i07", "place": 1}, {"item": "i08", "place": 1}, {"item": "ghost", "place": 2}]},
}

codes = hnp.arrays(np.int32, ITEMS, elements=st.integers(-1, 4))
indices = st.integers(0, ITEMS - 1)


@st.composite
def contexts(draw: st.DrawFn) -> RuleContext:
    known = facts(
        ITEMS,
        paths=("A > x", "A > y", "B > x", "B > y", "C"),
        brands=("b0", "b1", "b2", "b3", "b4"),
        shops=("s0", "s1", "s2", "s3", "s4"),
        category=draw(codes),
        department=draw(codes),
        brand=draw(codes),
        shop=draw(codes),
        price=draw(hnp.arrays(np.float32, ITEMS, elements=st.sampled_from([1.0, 5.0, np.nan]))),
        available=draw(hnp.arrays(np.bool_, ITEMS)),
    )
    purchases = draw(st.lists(st.tuples(indices, st.integers(NOW - 30 * DAY, NOW - 1)), max_size=15))
    return RuleContext(
        facts=known,
        as_of=NOW,
        now=NOW,
        n=draw(st.integers(1, 10)),
        request_id=draw(st.text(max_size=8)),
        bought=Purchases.of(
            np.array([item for item, _ in purchases], np.int32), np.array([at for _, at in purchases], np.int64)
        ),
        shown=draw(st.dictionaries(st.integers(0, 3), st.frozensets(indices, max_size=5))),
        near=draw(st.dictionaries(st.sampled_from(["similar"]), st.dictionaries(indices, indices, max_size=5))),
        excluded=draw(st.frozensets(indices)),
        filters=Filters(
            categories=draw(st.frozensets(st.integers(0, 4), max_size=2)),
            price_max=draw(st.sampled_from([None, 3.0])),
        ),
    )


slates = st.lists(indices, unique=True).map(slate)
pure = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def make(name: str) -> Rule:
    cls = rules()[name]
    return cls(cls.Config.model_validate(TOLD.get(name, {})))


@pytest.fixture(params=rules(), ids=rules())
def rule(request: pytest.FixtureRequest) -> Rule:
    return make(request.param)


def test_the_rules_are_found() -> None:
    always = {"exclusions", "filters", "at_most"}
    listed = {"availability", "bought", "block", "boost", "diversity", "explore", "fatigue", "mmr", "near", "pin"}
    assert set(rules()) == always | listed


@pytest.mark.parametrize("cls", rules().values(), ids=rules())
def test_a_rule_is_described(cls: type[Rule]) -> None:
    assert cls.__doc__
    assert cls.reason.en
    assert cls.reason.zh
    assert cls.stage in Stage


@pure
@given(context=contexts(), slate=slates)
def test_a_rule_shows_only_what_it_was_given_each_once(rule: Rule, context: RuleContext, slate: Slate) -> None:
    after = rule.apply(context, slate)
    assert len(set(after.item.tolist())) == len(after)
    assert set(after.item.tolist()) <= set(slate.item.tolist())
    scores = dict(zip(slate.item.tolist(), slate.score.tolist(), strict=True))
    assert [scores[item] for item in after.item.tolist()] == after.score.tolist()


@pure
@given(context=contexts(), slate=slates)
def test_only_filters_and_the_length_shorten_a_list(rule: Rule, context: RuleContext, slate: Slate) -> None:
    after = rule.apply(context, slate)
    if rule.stage in (Stage.FILTER, Stage.CUT):
        assert after.item.tolist() == [item for item in slate.item.tolist() if item in set(after.item.tolist())]
    else:
        assert len(after) == len(slate)


@pure
@given(context=contexts(), slate=slates)
def test_a_rule_is_deterministic_and_leaves_its_input_alone(rule: Rule, context: RuleContext, slate: Slate) -> None:
    before = tuple(part.copy() for part in (slate.item, slate.propensity, slate.fixed, context.facts.available))
    first, second = rule.apply(context, slate), rule.apply(context, slate)
    assert np.array_equal(first.item, second.item)
    assert np.array_equal(first.propensity, second.propensity)
    for part, now in zip(before, (slate.item, slate.propensity, slate.fixed, context.facts.available), strict=True):
        assert np.array_equal(part, now)


@pure
@given(context=contexts(), slate=slates)
def test_all_rules_together_keep_every_promise(context: RuleContext, slate: Slate) -> None:
    outcome = RuleChain([make(name) for name in reversed(rules())]).apply(context, slate)
    shown, facts = outcome.slate.item, context.facts
    assert len(shown) <= context.n
    assert len(set(shown.tolist())) == len(shown)
    assert facts.available[shown].all()
    assert not set(shown.tolist()) & context.excluded
    assert not (facts.brand[shown] == 1).any()
    assert ((outcome.slate.propensity > 0) & (outcome.slate.propensity <= 1)).all()
    assert set(shown.tolist()) <= set(slate.item.tolist()) | set(outcome.offered)
    gone = (set(slate.item.tolist()) | set(outcome.offered)) - set(shown.tolist())
    assert set(outcome.dropped) == gone
    assert set(outcome.dropped.values()) <= set(rules())


@pure
@given(context=contexts(), slate=slates)
def test_a_rule_that_rests_would_change_nothing(rule: Rule, context: RuleContext, slate: Slate) -> None:
    if rule.rests(context):
        after = rule.apply(context, slate)
        assert after.item.tolist() == slate.item.tolist()
        assert after.propensity.tolist() == slate.propensity.tolist()
        assert not rule.offers(context)
