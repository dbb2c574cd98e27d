"""Rules become tags: hidden ones that count events, and one derived tag for each rule."""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Final

import ibis

from features.tags.rules.behaviour import KIND, base_of, counted, holds, name_of, told
from features.tags.rules.located import near
from features.tags.rules.place import RULES
from features.tags.rules.reading import collect
from features.tags.rules.rule import All, Behaviour, Condition, Not, Rule, Threshold
from features.tags.rules.thresholds import test_of
from features.tags.spec.registry import python_tags
from features.tags.spec.tag import Tag
from features.tags.spec.vocabulary import ANY, Choices, Dtype, Kind, Nulls, Privacy, Range, Value, absent
from features.tags.spec.windows import ALL_TIME

_NO_BRANCH: Final = "no condition of the rule holds"

#: Values of tags by name.
_Values = Mapping[str, Value]
_Holds = Callable[[_Values], Value]


def tags_of(rules: Sequence[Rule]) -> tuple[Tag, ...]:
    """The tags of these rules over each other and over the tags that are declared in Python.

    :class:`~features.contracts.errors.ConfigError` tells, with file and line, names that are taken or unknown, tests
    that do not fit, and circles.
    """
    declared = python_tags()
    _check_names(rules, declared)
    named = {rule.name: rule for rule in rules}
    kinds = {name: tag.kind for name, tag in declared.items()} | {name: kind_of(rule) for name, rule in named.items()}
    expressions = collect(lambda rule: _expression(rule, kinds), rules)
    order = _in_order(named)
    privacy = {name: tag.privacy for name, tag in declared.items()}
    for rule in order:
        read = {rule.privacy, *(privacy[threshold.tag] for threshold in rule.thresholds)}
        privacy[rule.name] = Privacy.DEMOGRAPHIC if Privacy.DEMOGRAPHIC in read else Privacy.BEHAVIOUR
    clauses = {name_of(clause): clause for rule in rules for clause in rule.behaviours}
    steps = [_step(name, clause) for name, clause in clauses.items()]
    return (
        *steps,
        *(
            _tag(rule, kinds[rule.name], privacy[rule.name], made)
            for rule, made in zip(rules, expressions, strict=True)
        ),
    )


def kind_of(rule: Rule) -> Kind:
    """Type, unit, meaning of null and valid values of a rule."""
    if rule.otherwise is None:
        nulls = absent(_NO_BRANCH)
    else:
        word = str(rule.otherwise).lower() if isinstance(rule.otherwise, bool) else rule.otherwise
        nulls = Nulls(False if rule.otherwise is False else None, f"never: {word} where {_NO_BRANCH}")
    numbers = [value for value in rule.values if not isinstance(value, str | bool)]
    valid: Range | Choices = Range(min(numbers), max(numbers)) if numbers else ANY
    if rule.dtype is Dtype.WORD:
        valid = Choices(tuple(str(value) for value in rule.values))
    return Kind(rule.dtype, rule.unit, nulls, valid)


def _step(name: str, clause: Behaviour) -> Tag:
    return Tag(
        name=name,
        dimension=RULES.whole,
        kind=KIND,
        window=clause.window,
        privacy=Privacy.BEHAVIOUR,
        title=name,
        title_zh=name,
        description=told(clause),
        base=base_of(clause),
        inputs=(),
        of_population=False,
        expression=counted(clause),
        hidden=True,
    )


def _tag(rule: Rule, kind: Kind, privacy: Privacy, expression: Callable[..., Value]) -> Tag:
    return Tag(
        name=rule.name,
        dimension=rule.dimension,
        kind=kind,
        window=ALL_TIME,
        privacy=privacy,
        title=rule.title,
        title_zh=rule.title_zh,
        description=rule.description,
        base=None,
        inputs=_inputs(rule),
        of_population=False,
        expression=expression,
        description_zh=rule.description_zh,
    )


def _inputs(rule: Rule) -> tuple[str, ...]:
    names = [threshold.tag for threshold in rule.thresholds] + [name_of(clause) for clause in rule.behaviours]
    return tuple(dict.fromkeys(names))


def _expression(rule: Rule, kinds: Mapping[str, Kind]) -> Callable[..., Value]:
    """What the derived tag computes from the values of its inputs, in their order."""
    branches = [(_holds(branch.when, kinds), branch.value) for branch in rule.branches]
    inputs = _inputs(rule)
    dtype = "boolean" if rule.dtype is Dtype.FLAG else rule.dtype.value
    last = ibis.null(dtype) if rule.otherwise is None else ibis.literal(rule.otherwise, dtype)

    def expression(*values: Value) -> Value:
        given = dict(zip(inputs, values, strict=True))
        return ibis.cases(*((when(given), ibis.literal(value, dtype)) for when, value in branches), else_=last)

    return expression


def _holds(condition: Condition, kinds: Mapping[str, Kind]) -> _Holds:
    """The condition over values of tags; true or false, never null."""
    if isinstance(condition, Threshold):
        name, at = condition.tag, condition.test
        if name not in kinds:
            raise at.error(f"there is no tag '{name}'{near(name, kinds) or '; mallard tags list shows them all'}")
        test = test_of(at, name, kinds[name])
        return lambda values: test(values[name])
    if isinstance(condition, Behaviour):
        clause = condition
        return lambda values: holds(clause, values[name_of(clause)])
    if isinstance(condition, Not):
        inner = _holds(condition.part, kinds)
        return lambda values: ~inner(values)
    parts = [_holds(part, kinds) for part in condition.parts]
    join = operator.and_ if isinstance(condition, All) else operator.or_
    return lambda values: reduce(join, (part(values) for part in parts))


def _check_names(rules: Sequence[Rule], declared: Mapping[str, Tag]) -> None:
    """No rule has the name of another rule or of a tag."""
    first: dict[str, Rule] = {}

    def check(rule: Rule) -> None:
        if rule.name in declared:
            taken = declared[rule.name]
            raise rule.at.error(f"name: the tag '{rule.name}' is there already, in family {taken.family.name}")
        if rule.name in first:
            other = first[rule.name].at
            raise rule.at.error(f"name: the rule '{rule.name}' stands in {other.file}:{other.line} already")
        first[rule.name] = rule

    collect(check, rules)


def _in_order(named: Mapping[str, Rule]) -> list[Rule]:
    """The rules, those that others build on first. A circle raises :class:`ConfigError` naming its members."""
    done: dict[str, Rule] = {}

    def visit(rule: Rule, path: tuple[str, ...]) -> None:
        if rule.name in path:
            circle = " -> ".join((*path[path.index(rule.name) :], rule.name))
            raise rule.at.error(f"rules build on each other in a circle: {circle}")
        for threshold in rule.thresholds:
            if threshold.tag in named and threshold.tag not in done:
                visit(named[threshold.tag], (*path, rule.name))
        done[rule.name] = rule

    for rule in named.values():
        if rule.name not in done:
            visit(rule, ())
    return list(done.values())
