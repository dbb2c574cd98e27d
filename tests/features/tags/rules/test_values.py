"""What rules say of users, on a mall of a few events."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA
from features.contracts.events import EventType
from features.contracts.rule_files import using_rules
from features.engine import EventTables, build_tags
from features.tags import catalogue, spec_hash
from features.tags.spec import Privacy
from features.tags.spec.meaning import meanings
from features.tags.spec.registry import find
from tests.features import mall

AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
ITEMS = {
    "bottle": ("Baby > Feeding > Bottles", "Nuk"),
    "nappy": ("Baby > Nappies", "Soft"),
    "babysitter": ("Services > Baby sitting", None),
    "tv": ("Electronics > TV", "Nuk"),
    "mystery": (None, None),
}

Says = Callable[..., dict[str, Any]]


def happened(user: str, kind: EventType, item: str | None, days_ago: float) -> dict[str, Any]:
    when = AS_OF - timedelta(days=days_ago)
    more = {c.EVENT_ID: f"{user}-{kind}-{item}-{days_ago}", c.ITEM_ID: item}
    return mall.event(kind, user, when, **more)


EVENTS = [
    *(happened("parent", EventType.VIEW, item, days) for item, days in (("bottle", 3), ("nappy", 5), ("bottle", 29.5))),
    happened("parent", EventType.PURCHASE, "tv", 2),
    *(happened("buyer", EventType.VIEW, "bottle", days) for days in (1, 2, 3)),
    happened("buyer", EventType.PURCHASE, "nappy", 100),
    *(happened("sitter", EventType.VIEW, "babysitter", days) for days in (1, 2, 3)),
    *(happened("long_ago", EventType.CLICK, "nappy", days) for days in (40, 41, 42)),
    happened("clicker", EventType.CLICK, "tv", 1),
    happened("clicker", EventType.CART_ADD, "tv", 1),
    happened("wisher", EventType.FAVORITE, "mystery", 1),
]


@pytest.fixture(scope="module")
def tables() -> EventTables:
    rows = [
        dict.fromkeys(ITEM_SCHEMA.names) | {c.ITEM_ID: item, c.CATEGORY: category, c.BRAND: brand}
        for item, (category, brand) in ITEMS.items()
    ]
    return EventTables.from_arrow(mall.table(EVENTS), pa.Table.from_pylist(rows, schema=ITEM_SCHEMA))


@pytest.fixture
def says(tables: EventTables, tmp_path: Path) -> Says:
    """The value of every user for the last of these rules, each a name and what comes below its description."""

    def build(*bodies: str, users: list[str] | None = None) -> dict[str, Any]:
        write(tmp_path, *bodies)
        with using_rules(tmp_path):
            name = f"rule_{len(bodies) - 1}"
            rows = build_tags(tables, AS_OF, [name], users).to_pylist()
        return {row[c.USER_ID]: row[name] for row in rows}

    return build


def write(folder: Path, *bodies: str) -> None:
    lines = ["rules:"]
    for number, body in enumerate(bodies):
        lines.append(f"  - name: rule_{number}")
        lines.append("    title: {en: Rule, zh: 规则}")
        lines.append("    description: {en: A rule., zh: 规则。}")
        lines += [f"    {line}" for line in body.splitlines()]
    (folder / "rules.yaml").write_text("\n".join(lines), encoding="utf-8")


def together(tables: EventTables, folder: Path, conditions: list[str]) -> list[set[str]]:
    """The users for whom each condition holds, all asked in one build."""
    write(folder, *(when("{" + condition + "}") for condition in conditions))
    names = [f"rule_{number}" for number in range(len(conditions))]
    with using_rules(folder):
        table = build_tags(tables, AS_OF, names)
    users = table[c.USER_ID].to_pylist()
    return [yes(dict(zip(users, table[name].to_pylist(), strict=True))) for name in names]


def yes(said: dict[str, Any]) -> set[str]:
    assert set(said.values()) <= {True, False}
    return {user for user, value in said.items() if value}


def when(condition: str) -> str:
    return f"type: flag\nwhen: {condition}"


def test_viewed_a_category_and_bought_none(says: Says):
    rule = "{viewed: {category: Baby, at_least: 3, within: 30d}, bought: {category: Baby, none: true, within: 180d}}"
    said = says(when(rule))
    assert yes(said) == {"parent"}
    assert set(said) == {"parent", "buyer", "sitter", "long_ago", "clicker", "wisher"}, "the others are told no"


CLAUSES = [
    ("viewed: {category: Baby}", {"parent", "buyer", "long_ago"}),
    ("viewed: {category: Feeding}", {"parent", "buyer"}),
    ("viewed: {category: Bottles}", {"parent", "buyer"}),
    ("viewed: {category: Feeding > Bottles}", {"parent", "buyer"}),
    ("viewed: {category: Baby > Feeding > Bottles}", {"parent", "buyer"}),
    ("viewed: {category: Baby > Bottles}", set()),
    ("viewed: {category: [TV, Baby sitting]}", {"sitter", "clicker"}),
    ("viewed: {department: Services}", {"sitter"}),
    ("viewed: {department: Feeding}", set()),
    ("viewed: {brand: Nuk}", {"parent", "buyer", "clicker"}),
    ("viewed: {item: [nappy, tv]}", {"parent", "long_ago", "clicker"}),
    ("viewed: {at_least: 3}", {"parent", "buyer", "sitter", "long_ago"}),
    ("viewed: {at_least: 3, within: 4w}", {"buyer", "sitter"}),
    ("viewed: {at_most: 1}", {"clicker", "wisher"}),
    ("viewed: {at_least: 1, at_most: 2}", {"clicker"}),
    ("viewed: none", {"wisher"}),
    ("viewed: {brand: Nuk, at_most: none}", {"sitter", "long_ago", "wisher"}),
    ("clicked: {within: 30d}", {"clicker"}),
    ("carted: {department: Electronics}", {"clicker"}),
    ("wished: {at_least: 1}", {"clicker", "wisher"}),
    ("bought: {brand: Nuk, within: 7}", {"parent"}),
]


@pytest.mark.parametrize("place", range(len(CLAUSES)), ids=[clause for clause, _ in CLAUSES])
def test_a_clause_counts_events(clauses: list[set[str]], place: int):
    assert clauses[place] == CLAUSES[place][1]


@pytest.fixture(scope="module")
def clauses(tables: EventTables, tmp_path_factory: pytest.TempPathFactory) -> list[set[str]]:
    return together(tables, tmp_path_factory.mktemp("clauses"), [clause for clause, _ in CLAUSES])


THRESHOLDS = [
    ("purchases: '>= 1'", {"parent", "buyer"}),
    ("purchases: 1", {"parent", "buyer"}),
    ("views: '> 0, < 3'", set()),
    ("views: '!= 3'", {"long_ago", "clicker", "wisher"}),
    ("views: [0, 7]", {"long_ago", "clicker", "wisher"}),
    ("days_since_purchase: '< 30'", {"parent"}),
    ("days_since_purchase: null", {"sitter", "long_ago", "clicker", "wisher"}),
    ("days_since_purchase: not null", {"parent", "buyer"}),
    ("not: {days_since_purchase: '< 30'}", {"buyer", "sitter", "long_ago", "clicker", "wisher"}),
    ("lifecycle_stage: [silent, lost]", {"long_ago"}),
    ("top_brand: Nuk", {"parent", "clicker"}),
    ("top_brand: [Soft, null]", {"buyer", "sitter", "long_ago", "wisher"}),
    ("inactive_7d: true", {"long_ago"}),
    ("any: [inactive_7d: true, carted: {at_least: 1}]", {"long_ago", "clicker"}),
    ("all: [views: 3, not: {purchases: 1}]", {"sitter"}),
]


@pytest.mark.parametrize("place", range(len(THRESHOLDS)), ids=[condition for condition, _ in THRESHOLDS])
def test_a_threshold_looks_at_a_tag(thresholds: list[set[str]], place: int):
    assert thresholds[place] == THRESHOLDS[place][1]


@pytest.fixture(scope="module")
def thresholds(tables: EventTables, tmp_path_factory: pytest.TempPathFactory) -> list[set[str]]:
    return together(tables, tmp_path_factory.mktemp("thresholds"), [condition for condition, _ in THRESHOLDS])


def test_the_first_value_whose_condition_holds_is_taken(says: Says):
    values = "values:\n  - {value: %s, when: {bought: {within: 30d}}}\n  - {value: %s, when: {bought: {at_least: 1}}}"
    said = says("type: word\n" + values % ("new", "old"))
    assert (said["parent"], said["buyer"], said["sitter"]) == ("new", "old", None)
    assert says("type: word\notherwise: never\n" + values % ("new", "old"))["sitter"] == "never"
    assert says("type: number\nunit: points\notherwise: 0\n" + values % (3, 1.5)) == {
        "buyer": 1.5, "clicker": 0.0, "long_ago": 0.0, "parent": 3.0, "sitter": 0.0, "wisher": 0.0,
    }  # fmt: skip
    assert says("type: flag\notherwise: null\n" + values % ("true", "false"))["sitter"] is None


def test_rules_build_on_rules_in_any_order(says: Says):
    size = "type: word\nvalues: [{value: big, when: {views: 3}}]\notherwise: small"
    said = says(when("{rule_1: [big, small]}"), size, when("{rule_0: true, rule_1: big}"))
    assert yes(said) == {"parent", "buyer", "sitter"}


def test_one_user_has_the_same_value_as_among_all(says: Says):
    rule = when("{viewed: {category: Baby, at_least: 3}, lifecycle_stage: not null}")
    everybody = says(rule)
    assert says(rule, users=["buyer"]) == {"buyer": everybody["buyer"]} == {"buyer": True}


def test_what_becomes_known_later_does_not_change_a_rule(tmp_path: Path):
    later = happened("sitter", EventType.PURCHASE, "nappy", -1)
    late = happened("sitter", EventType.VIEW, "nappy", 1) | {c.RECEIVED_AT: AS_OF + timedelta(hours=1)}
    write(tmp_path, when("{any: [bought: {at_least: 1}, viewed: {item: nappy}]}"))
    with using_rules(tmp_path):
        plain, more = (
            build_tags(EventTables.from_arrow(mall.table([*EVENTS, *rows])), AS_OF, ["rule_0"])
            for rows in ([], [later, late])
        )
    assert plain.equals(more)


def test_rules_are_in_the_catalogue_and_their_steps_are_not(tmp_path: Path):
    before = catalogue()
    write(tmp_path, when("{viewed: {category: Baby}, age: not null}"))
    with using_rules(tmp_path):
        tags = catalogue()
        assert set(tags) - set(before) == {"rule_0"}
        assert tags["rule_0"].privacy is Privacy.DEMOGRAPHIC, "it tells what it reads"
        (step,) = (find(name) for name in tags["rule_0"].inputs if name != "age")
        assert step.hidden
    assert set(catalogue()) == set(before)


def test_equal_clauses_are_counted_once(tmp_path: Path):
    write(
        tmp_path,
        when("{viewed: {category: [Baby, TV], at_least: 1}}"),
        when("{viewed: {category: [Baby, TV], at_least: 5}}"),
    )
    with using_rules(tmp_path):
        assert find("rule_0").inputs == find("rule_1").inputs


def test_a_rule_is_part_of_the_hash_and_of_the_meanings(tmp_path: Path):
    hashes, said = [], []
    for least in (1, 2, 2):
        write(tmp_path, when(f"{{viewed: {{at_least: {least}}}}}"), when("{rule_0: false}"))
        with using_rules(tmp_path):
            hashes.append(spec_hash(["rule_1"]))
            said.append(meanings(["rule_1", "orders"]))
    assert hashes[0] != hashes[1] == hashes[2]
    assert said[0]["rule_1"] != said[1]["rule_1"] == said[2]["rule_1"], "a rule changes with what it builds on"
    assert said[0]["orders"] == said[1]["orders"]


def test_a_rule_may_stand_in_a_dimension_of_its_own(tmp_path: Path):
    own = "family: value\ndimension: {name: mood, en: Mood, zh: 心情}\n"
    write(tmp_path, own + when("{views: 3}"), "family: {name: moods, zh: 心情, about: Moods.}\n" + when("{views: 3}"))
    with using_rules(tmp_path):
        first, second = find("rule_0"), find("rule_1")
    assert (first.family, first.dimension.name, first.dimension.title_zh) == (find("rfm_tier").family, "mood", "心情")
    assert (second.family.name, second.dimension.name) == ("moods", "moods")
