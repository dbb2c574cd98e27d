"""From declarations to Ibis expressions: one grouped query per base, and one that joins them and derives the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import ibis

from features.contracts import columns as c
from features.tags.spec.base import Base
from features.tags.spec.bases import UserDays, Users
from features.tags.spec.tag import Tag
from features.tags.spec.vocabulary import Dtype, Value

_ACTIONS: Final = "_actions"
_DIGITS: Final = 6  # after the point


@dataclass(frozen=True)
class Step:
    """An expression whose rows an engine keeps under ``name`` for the steps after it."""

    name: str
    expression: Value


@dataclass(frozen=True)
class Plan:
    """The steps of a tag table, free of data and of ``as_of``, over the relations that bases name.

    ``table`` has one row per user who did something himself before ``as_of``, and one column per tag.
    """

    steps: tuple[Step, ...]
    table: Value


def plan(tags: Sequence[Tag]) -> Plan:
    """The plan of these tags; those that others build on must come first.

    All tags of one base make one grouped query.
    """
    grouped: dict[type[Base], list[Tag]] = {UserDays: []}
    for declared in tags:
        if declared.base is not None:
            grouped.setdefault(declared.base, []).append(declared)
    steps = tuple(Step(f"of_{base.__name__}", _evaluate(base, members)) for base, members in grouped.items())
    return Plan(steps, _derive(_join(steps, tags), tags))


def _evaluate(base: type[Base], tags: list[Tag]) -> Value:
    """The tags of one base, nulls where a user has no rows for them."""
    rows = base.relation(tuple(dict.fromkeys(t.window for t in tags)))
    values = {t.name: _settled(t, t.expression(base(rows, t.window)).cast(_type(t))) for t in tags}
    if issubclass(base, Users):
        return rows.select(c.USER_ID, **values)
    if base is not UserDays:
        return rows.group_by(c.USER_ID).aggregate(**values)
    # Every event leaves a row in UserDays, so this step also says who belongs to the population.
    table = rows.group_by(c.USER_ID).aggregate(**values, **{_ACTIONS: rows.actions.sum()})
    return table.filter(table[_ACTIONS] > 0).drop(_ACTIONS)


def _join(steps: Sequence[Step], tags: Sequence[Tag]) -> Value:
    first, *others = (ibis.table(step.expression.schema(), name=step.name) for step in steps)
    table = first
    for number, other in enumerate(others):
        key = f"_user_{number}"
        table = table.left_join(other.rename({key: c.USER_ID}), [(c.USER_ID, key)])
    return table.select(c.USER_ID, **{t.name: _filled(t, table[t.name]) for t in tags if t.base is not None})


def _derive(table: Value, tags: Sequence[Tag]) -> Value:
    for layer in _layers(tags):
        values = {t.name: t.expression(*(table[name] for name in t.inputs)).cast(_type(t)) for t in layer}
        table = table.mutate(**{t.name: _filled(t, values[t.name]) for t in layer})
    return table


def _layers(tags: Sequence[Tag]) -> list[list[Tag]]:
    """Derived tags in groups that need only what stands before them."""
    layers: list[list[Tag]] = []
    depth: dict[str, int] = {}
    for declared in tags:
        level = 0 if declared.base else 1 + max((depth[name] for name in declared.inputs), default=0)
        depth[declared.name] = level
        if level > len(layers):
            layers.append([])
        if level:
            layers[level - 1].append(declared)
    return layers


def _settled(declared: Tag, value: Value) -> Value:
    """Without the last digits of a sum of floats: they depend on the order in which threads hand over their parts."""
    return value.round(_DIGITS) if declared.dtype is Dtype.REAL else value


def _type(declared: Tag) -> str:
    return "boolean" if declared.dtype is Dtype.FLAG else declared.dtype.value


def _filled(declared: Tag, value: Value) -> Value:
    fill = declared.kind.nulls.fill
    return value if fill is None else value.fill_null(ibis.literal(fill))
