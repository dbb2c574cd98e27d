"""Rules from YAML files: their shape. What they refer to is looked up when they are compiled."""

from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Final, TypeVar

from features.contracts.errors import ConfigError
from features.tags.rules.conditions import condition_of
from features.tags.rules.located import Located, only, read_located
from features.tags.rules.place import PLACE, RULES, needed, place_of
from features.tags.rules.rule import RESERVED, Branch, Constant, Rule
from features.tags.spec.vocabulary import Dimension, Dtype, Privacy

_TYPES: Final = ("word", "flag", "number")
_REQUIRED: Final = ("name", "title", "description", "type")
_KEYS: Final = (*_REQUIRED, *PLACE, "privacy", "unit", "values", "when", "otherwise")
_LANGUAGES: Final = ("en", "zh")

Source = TypeVar("Source")
Made = TypeVar("Made")


def read_rules(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """The rules of these files, in order. :class:`ConfigError` tells every rule that is wrong: file, line, word."""
    return tuple(rule for rules in collect(_file, paths) for rule in rules)


def collect(make: Callable[[Source], Made], each: Iterable[Source]) -> list[Made]:
    """``make`` of each; all that goes wrong is told in one :class:`ConfigError`, a line for each."""
    made, wrong = [], []
    for one in each:
        try:
            made.append(make(one))
        except ConfigError as error:
            wrong.append(str(error))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return made


def _file(path: Path) -> list[Rule]:
    root = read_located(path)
    entries = root.mapping("rule file")
    only(entries, (*PLACE, "rules"), "rule file")
    if "rules" not in entries:
        raise root.error("rule file: needs the key 'rules' with a list of rules")
    place = place_of(entries, RULES.whole)
    return collect(lambda rule: _rule(rule, place), entries["rules"].sequence("rules"))


def _rule(at: Located, place: Dimension) -> Rule:
    entries = at.mapping("rule")
    only(entries, _KEYS, "rule")
    name = _name(needed(at, "name", "rule"))
    what = f"rule '{name}'"
    title, title_zh = _both(needed(at, "title", what), f"{what}, title")
    description, description_zh = _both(needed(at, "description", what), f"{what}, description")
    kind = needed(at, "type", what)
    if kind.value not in _TYPES:
        raise kind.error(f"{what}, type: expected {', '.join(_TYPES)}, found {kind.told}")
    branches = _branches(at, entries, str(kind.value), what)
    otherwise: Constant | None = False if kind.value == "flag" else None
    if "otherwise" in entries:
        told = entries["otherwise"]
        otherwise = None if told.value is None else _constant(told, str(kind.value), f"{what}, otherwise")
    return Rule(
        at=at,
        name=name,
        title=title,
        title_zh=title_zh,
        description=description,
        description_zh=description_zh,
        dimension=place_of(entries, place),
        privacy=_privacy(entries["privacy"]) if "privacy" in entries else Privacy.BEHAVIOUR,
        dtype=_dtype(str(kind.value), (*(branch.value for branch in branches), otherwise)),
        unit=entries["unit"].text("unit") if "unit" in entries else _unit(str(kind.value)),
        branches=branches,
        otherwise=otherwise,
    )


def _branches(at: Located, entries: dict[str, Located], kind: str, what: str) -> tuple[Branch, ...]:
    if "when" in entries:
        if kind != "flag" or "values" in entries:
            raise entries["when"].error(f"{what}: 'when' stands alone in a flag; other rules have it inside 'values'")
        return (Branch(True, condition_of(entries["when"], f"{what}, when")),)
    if "values" not in entries:
        raise at.error(f"{what}: needs 'values', each with 'value' and 'when'" + (", or 'when'" * (kind == "flag")))
    branches = []
    for part in entries["values"].sequence(f"{what}, values"):
        only(part.mapping(f"{what}, values"), ("value", "when"), f"{what}, values")
        value = _constant(needed(part, "value", f"{what}, values"), kind, f"{what}, value")
        branches.append(Branch(value, condition_of(needed(part, "when", f"{what}, values"), f"{what}, when")))
    return tuple(branches)


def _constant(at: Located, kind: str, what: str) -> Constant:
    value = at.value
    if kind == "word":
        return at.text(what)
    if kind == "flag" and isinstance(value, bool):
        return value
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return value
    raise at.error(f"{what}: expected {'true or false' if kind == 'flag' else 'a number'}, found {at.told}")


def _dtype(kind: str, values: tuple[Constant | None, ...]) -> Dtype:
    if kind == "number":
        return Dtype.REAL if any(isinstance(value, float) for value in values) else Dtype.WHOLE
    return Dtype.WORD if kind == "word" else Dtype.FLAG


def _unit(kind: str) -> str:
    return {"flag": "yes or no"}.get(kind, kind)


def _name(at: Located) -> str:
    name = at.text("name")
    if not (name.isascii() and name.isidentifier() and name == name.lower() and not name.startswith("_")):
        raise at.error(f"name: '{name}' must be made of a-z, 0-9 and _, and begin with a letter")
    if name in RESERVED:
        raise at.error(f"name: '{name}' is a word of conditions ({', '.join(RESERVED)})")
    return name


def _both(at: Located, what: str) -> tuple[str, str]:
    """English and Chinese."""
    only(at.mapping(what), _LANGUAGES, what)
    english, chinese = (needed(at, language, what).text(f"{what} {language}") for language in _LANGUAGES)
    return english, chinese


def _privacy(at: Located) -> Privacy:
    if at.value not in set(Privacy):
        raise at.error(f"privacy: expected {' or '.join(Privacy)}, found {at.told}")
    return Privacy(str(at.value))
