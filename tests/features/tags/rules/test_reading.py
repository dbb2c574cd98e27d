"""What a rule file gets told when it is wrong: file, line, word."""

from pathlib import Path

import pytest

from features.contracts.errors import ConfigError
from features.contracts.rule_files import using_rules
from features.tags import catalogue
from features.tags.rules import read_tags

ROOT = Path(__file__).parents[4]

HEAD = """\
rules:
  - name: trial
    title: {en: Trial, zh: 试验}
    description: {en: A trial., zh: 试验。}
"""
FLAG = HEAD + "    type: flag\n    when:\n"
WORD = HEAD + "    type: word\n    values:\n"


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_tags([path])
    return str(refused.value).replace(str(path), "r.yaml")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("order_30d: '>= 2'", "r.yaml:7: there is no tag 'order_30d'; near: orders_30d"),
        ("orders_30d: many", "r.yaml:7: orders_30d: 'many' does not fit, the tag holds numbers"),
        ("orders_30d: '=> 2'", "r.yaml:7: orders_30d: '=> 2' does not fit"),
        ("orders_30d: true", "r.yaml:7: orders_30d: true does not fit, the tag holds numbers"),
        ("orders_30d: ''", "r.yaml:7: orders_30d: '' does not fit"),
        ("orders_30d: []", "r.yaml:7: orders_30d: expected a list with at least one entry, found an empty list"),
        ("orders_30d: '>= -1'", "r.yaml:7: orders_30d: -1 is outside its valid range, ≥ 0 (orders)"),
        ("orders_30d: .nan", "r.yaml:7: orders_30d: nan is outside its valid range"),
        ("top_category_share: '> 20'", "r.yaml:7: top_category_share: 20 is outside its valid range, 0 … 1"),
        ("lifecycle_stage: silnet", "r.yaml:7: lifecycle_stage: 'silnet' is none of its words; near: silent"),
        (
            "lifecycle_stage: [lost,\n        gone]",
            "r.yaml:8: lifecycle_stage: 'gone' is none of its words; they",
        ),
        ("lifecycle_stage: '>= 2'", "r.yaml:7: lifecycle_stage: '>= 2' is none of its words"),
        ("top_brand: 12", "r.yaml:7: top_brand: '12' does not fit, the tag holds words"),
        ("high_value: yes please", "r.yaml:7: high_value: 'yes please' does not fit, the tag holds true or false"),
        ("viewed: {}", "r.yaml:7: viewed: expected keys with values, found nothing"),
        ("viewed: {catgory: x}", "r.yaml:7: viewed: unknown key 'catgory'; near: category"),
        ("viewed: {category: ''}", "r.yaml:7: category: expected a word, found ''"),
        ("viewed: {category: [a, 7]}", "r.yaml:7: category: expected a word, found '7'; put it in quotes"),
        ("viewed: {category: a, brand: b}", "r.yaml:7: viewed: give one of category, department, brand, item, not cat"),
        ("viewed: {within: 3 moons}", "r.yaml:7: within: '3 moons' is no duration; write days or weeks such as 30d"),
        ("viewed: {within: 36h}", "r.yaml:7: within: '36h' is no whole number of days"),
        ("viewed: {at_least: -1}", "r.yaml:7: at_least: expected a whole number from 0, found '-1'"),
        ("viewed: {at_least: 0}", "r.yaml:7: at_least: 0 is true of everybody"),
        ("viewed: {at_least: 3, at_most: 2}", "r.yaml:7: at_most: 2 is below at_least 3, so nobody can match"),
        ("viewed: {none: false}", "r.yaml:7: viewed: 'none' can only be true"),
        ("viewed: {none: true, at_least: 1}", "r.yaml:7: viewed: 'none' stands alone"),
        ("all: []", "r.yaml:7: all: expected a list with at least one entry"),
        ("not:", "r.yaml:7: not: expected keys with values, found nothing"),
        ("orders: 1\n      orders: 2", "r.yaml:8: the key 'orders' stands here a second time"),
    ],
)
def test_a_wrong_condition_is_named_with_its_line(tmp_path: Path, condition: str, message: str):
    assert message in refusal(tmp_path, f"{FLAG}      {condition}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.yaml:1: rule file: expected keys with values, found nothing"),
        ("rules: []", "r.yaml:1: rules: expected a list with at least one entry"),
        ("rule: x", "r.yaml:1: rule file: unknown key 'rule'; near: rules"),
        ("family: value", "r.yaml:1: rule file: needs the key 'rules'"),
        ("rules:\n- [", "r.yaml:2: not valid YAML"),
        ("rules: [&a {x: *a}]", "r.yaml:1: an alias that contains itself"),
        ("rules:\n  - nmae: x", "r.yaml:2: rule: unknown key 'nmae'; near: name"),
        ("rules:\n  - type: flag", "r.yaml:2: rule: needs the key 'name'"),
        ("rules:\n  - name: Über", "r.yaml:2: name: 'Über' must be made of a-z"),
        ("rules:\n  - name: viewed", "r.yaml:2: name: 'viewed' is a word of conditions"),
        ("rules:\n  - name: x\n    title: {en: X}", "r.yaml:3: rule 'x', title: needs the key 'zh'"),
        (HEAD + "    type: colour", "r.yaml:5: rule 'trial', type: expected word, flag, number, found 'colour'"),
        (HEAD + "    type: flag", "r.yaml:2: rule 'trial': needs 'values', each with 'value' and 'when', or 'when'"),
        (HEAD + "    type: word\n    when: {orders: 1}", "r.yaml:6: rule 'trial': 'when' stands alone in a flag"),
        (
            WORD + "      - {value: , when: {orders: 1}}",
            "r.yaml:7: rule 'trial', value: expected a word, found not",
        ),
        (
            WORD + "      - {value: no, when: {orders: 1}}",
            "r.yaml:7: rule 'trial', value: expected a word, found fal",
        ),
        (WORD + "      - {value: a}", "r.yaml:7: rule 'trial', values: needs the key 'when'"),
        (WORD + "      - {value: 2024-01-01, when: {orders: 1}}", "r.yaml:7: '2024-01-01' is neither a word nor"),
        (FLAG + "      orders: 1\n    otherwise: maybe", "r.yaml:8: rule 'trial', otherwise: expected true or false"),
        (FLAG + "      orders: 1\n    privacy: secret", "r.yaml:8: privacy: expected behaviour or demographic"),
        (FLAG + "      orders: 1\n    family: valeu", "r.yaml:8: family: there is no 'valeu'; near: value"),
        (FLAG + "      orders: 1\n    family: {name: value, zh: 价, about: X.}", "family: 'value' is there already"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, text: str, message: str):
    assert message in refusal(tmp_path, text)


def test_a_name_is_taken_once(tmp_path: Path):
    rule = FLAG + "      orders: 1\n"
    assert "r.yaml:2: name: the tag 'orders' is there already, in family" in refusal(
        tmp_path, rule.replace("trial", "orders")
    )
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    for path in (first, second):
        path.write_text(rule, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b.yaml:2: name: the rule 'trial' stands in .*a.yaml:2 already"):
        read_tags([first, second])


def test_circles_are_named(tmp_path: Path):
    rules = [
        FLAG.replace("trial", name) + f"      {other}: true\n" for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    text = rules[0] + "".join(rule.removeprefix("rules:\n") for rule in rules[1:])
    assert "r.yaml:2: rules build on each other in a circle: a -> b -> c -> a" in refusal(tmp_path, text)
    assert "circle: trial -> trial" in refusal(tmp_path, FLAG + "      trial: true\n")


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path):
    one = FLAG + "      nonsense_one: 1\n"
    told = refusal(tmp_path, one + one.removeprefix("rules:\n").replace("trial", "other").replace("_one", "_two"))
    assert [line.partition(": ")[0] for line in told.splitlines()] == ["r.yaml:7", "r.yaml:13"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "r.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"r\.yaml: cannot be read"):
        read_tags([tmp_path / "r.yaml"])


def test_the_rules_that_come_with_mallard_can_be_read():
    before = set(catalogue())
    with using_rules(ROOT / "configs" / "tags"):
        assert "expecting_parent" in set(catalogue()) - before
    assert set(catalogue()) == before
