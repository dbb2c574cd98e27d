"""What every rule must do; finds the rules itself."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.rules import Filters, ItemFacts, Rule, RuleContext, Slate, apply_rules, rules

ITEMS = 20

codes = hnp.arrays(np.int32, ITEMS, elements=st.integers(-1, 4))


@st.composite
def contexts(draw: st.DrawFn) -> RuleContext:
    prices = draw(hnp.arrays(np.float32, ITEMS, elements=st.sampled_from([1.0, 5.0, np.nan])))
    facts = ItemFacts(
        category=draw(codes),
        department=draw(codes),
        brand=draw(codes),
        price=prices,
        available=draw(hnp.arrays(np.bool_, ITEMS)),
    )
    indices = st.integers(0, ITEMS - 1)
    return RuleContext(
        facts=facts,
        as_of=10_000_000,
        n=draw(st.integers(1, 10)),
        bought=draw(st.dictionaries(indices, st.integers(9_000_000, 9_999_999))),
        excluded=frozenset(draw(st.sets(indices))),
        filters=Filters(
            categories=frozenset(draw(st.sets(st.integers(0, 4), max_size=2))),
            price_max=draw(st.sampled_from([None, 3.0])),
        ),
    )


@st.composite
def slates(draw: st.DrawFn) -> Slate:
    items = draw(st.lists(st.integers(0, ITEMS - 1), unique=True))
    return Slate(np.array(items, dtype=np.int32), -np.arange(len(items), dtype=np.float32))


@pytest.fixture(params=rules().values(), ids=rules())
def rule(request: pytest.FixtureRequest) -> Rule:
    cls: Any = request.param
    return cls(cls.Config())


def test_there_are_rules() -> None:
    assert {"availability", "bought", "diversity", "exclusions", "filters", "at_most"} <= set(rules())


@pytest.mark.parametrize("cls", rules().values(), ids=rules())
def test_a_rule_is_described(cls: type[Rule]) -> None:
    assert cls.__doc__
    assert cls.reason.en
    assert cls.reason.zh


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(context=contexts(), slate=slates())
def test_a_rule_only_takes_out(rule: Rule, context: RuleContext, slate: Slate) -> None:
    kept = apply_rules((rule,), context, slate).slate
    before = slate.item.tolist()
    assert kept.item.tolist() == [item for item in before if item in set(kept.item.tolist())]
    assert len(set(kept.item.tolist())) == len(kept)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(context=contexts(), slate=slates())
def test_a_rule_is_deterministic_and_leaves_its_input_alone(rule: Rule, context: RuleContext, slate: Slate) -> None:
    before = (slate.item.copy(), context.facts.available.copy())
    first, second = rule.keep(context, slate), rule.keep(context, slate)
    assert first.dtype == np.bool_
    assert first.shape == slate.item.shape
    assert np.array_equal(first, second)
    assert np.array_equal(before[0], slate.item)
    assert np.array_equal(before[1], context.facts.available)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(context=contexts(), slate=slates())
def test_what_a_rule_took_out_is_told(rule: Rule, context: RuleContext, slate: Slate) -> None:
    outcome = apply_rules((rule,), context, slate)
    assert set(outcome.dropped) == set(slate.item.tolist()) - set(outcome.slate.item.tolist())
    assert set(outcome.dropped.values()) <= {rule.name}
