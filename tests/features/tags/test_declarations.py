"""What holds for every declared tag, and how declarations go wrong."""

import pytest

from features.contracts.errors import ConfigError, UnknownNameError
from features.tags import catalogue, spec_hash, tag
from features.tags.spec import Choices, Dtype, Family, Range, Tag, Value, counts, flag, real, share, word
from features.tags.spec.bases import UserDays, UserOrders
from features.tags.spec.registry import closure, find, registered

FAMILY = Family("trial", "试验", "Tags of a test.")
TITLE = ("Trial", "试验")


@pytest.mark.parametrize("declared", catalogue().values(), ids=lambda declared: declared.name)
def test_every_tag_is_declared_in_full(declared: Tag):
    kind = declared.kind
    assert declared.name.isidentifier()
    assert declared.title
    assert any("一" <= sign <= "鿿" for sign in declared.title_zh)
    assert declared.description.endswith((".", ")"))
    assert kind.unit
    assert kind.nulls.meaning
    assert isinstance(kind.valid, Choices) <= (declared.dtype is Dtype.WORD)
    if isinstance(kind.valid, Range) and kind.nulls.fill is not None and declared.numeric:
        assert (kind.valid.low or 0) <= kind.nulls.fill
    lineages = [needed.lineage() for needed in closure([declared.name])]
    assert any(lineage.events or lineage.columns for lineage in lineages)


def test_catalogue_is_wide_and_cannot_be_changed():
    tags = catalogue()
    assert len(tags) >= 450
    assert len({declared.family.name for declared in tags.values()}) >= 12
    assert len({declared.dimension for declared in tags.values()}) >= 30
    with pytest.raises(TypeError):
        tags["x"] = next(iter(tags.values()))


def test_dimensions_are_told_apart_by_name_and_named_in_chinese():
    dimensions = {declared.dimension for declared in catalogue().values()}
    assert len({dimension.name for dimension in dimensions}) == len(dimensions)
    assert all(dimension.name.isidentifier() and dimension.title and dimension.title_zh for dimension in dimensions)


def test_a_family_can_be_its_own_dimension():
    with registered():
        tag("lone", FAMILY, flag(), title=TITLE, description="Lone.")(lambda reactivated: reactivated)
        dimension = find("lone").dimension
    assert (dimension.name, dimension.title, dimension.title_zh) == ("trial", "Trial", "试验")
    assert dimension.family == FAMILY


def test_windows_make_tags_of_one_declaration():
    with registered():

        @tag("things", FAMILY, counts("things"), title=TITLE, over=(7, None))
        def things(days: UserDays) -> Value:
            """Things."""
            return days.views.sum()

        @tag("thing_share", FAMILY, share("none"), title=TITLE, over=(7, None))
        def thing_share(things: Value, actions: Value) -> Value:
            """Share."""
            return things / actions

        assert find("things_7d").title == "Trial, last 7 days"
        assert find("things_7d").title_zh == "近7天试验"
        assert find("thing_share_7d").inputs == ("things_7d", "actions_7d")
        assert find("thing_share").inputs == ("things", "actions")
        assert {kind.value for kind in find("things").lineage().events} == {"view"}
    assert "things" not in catalogue()


def test_a_name_can_be_taken_only_once():
    with registered(), pytest.raises(ConfigError, match=r"'orders' is declared twice.*consumption.*trial"):
        tag("orders", FAMILY, counts("orders"), title=TITLE, description="Again.")(lambda days: days)


def test_a_tag_needs_a_description():
    with pytest.raises(ConfigError, match=r"'silent'.*docstring"):
        tag("silent", FAMILY, counts("x"), title=TITLE)(lambda days: days)


def test_a_function_takes_one_base_or_tags():
    def both(days: UserDays, orders: UserOrders) -> Value:
        """Two bases."""
        return days.views.sum() + orders.lines.sum()

    with pytest.raises(ConfigError, match=r"'both'.*one base"):
        tag("both", FAMILY, counts("x"), title=TITLE)(both)


def test_circles_are_named():
    with registered():
        tag("hen", FAMILY, flag(), title=TITLE, description="Hen.")(lambda egg: egg)
        tag("egg", FAMILY, flag(), title=TITLE, description="Egg.")(lambda hen: hen)
        with pytest.raises(ConfigError, match="hen -> egg -> hen"):
            closure(["hen"])


def test_unknown_inputs_are_named():
    with registered():
        tag("lost", FAMILY, flag(), title=TITLE, description="Lost.")(lambda nowhere: nowhere)
        with pytest.raises(UnknownNameError, match="tag 'lost' builds on 'nowhere'"):
            closure(["lost"])


def test_inputs_come_before_what_builds_on_them():
    order = [declared.name for declared in closure(["rfm_tier"])]
    assert order.index("spend_365d") < order.index("money_score") < order.index("rfm_tier")


def test_the_hash_knows_meaning_not_wording():
    def declare(expression: object, description: str = "One.", low: float = 0) -> str:
        with registered():
            kind = real("x", "never", Range(low, None))
            tag("one", FAMILY, kind, title=TITLE, description=description)(expression)
            return spec_hash(["one"])

    def first(days: UserDays) -> Value:
        return days.views.sum()

    def second(days: UserDays) -> Value:
        return days.views.max()

    assert declare(first) == declare(first)
    assert declare(first) == declare(first, "Other words.")
    assert declare(first) != declare(second)
    assert declare(first) != declare(first, low=-1)
    assert spec_hash(["orders", "spend"]) == spec_hash(["spend", "orders"])
    assert spec_hash(["orders"]) != spec_hash(["orders_7d"])


def test_words_of_a_closed_set_are_told():
    assert str(word("never", ("a", "b")).valid) == "a | b"
    assert [str(Range(*ends)) for ends in ((0, 1), (0, None), (None, 5), (None, None))] == [
        "0 … 1",
        "≥ 0",
        "≤ 5",
        "any number",
    ]
