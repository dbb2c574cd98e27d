"""From declarations to Ibis expressions: one grouped query per base and window, and one that derives the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import ibis

from features.contracts import columns as c
from features.tags.spec.base import POPULATION, Base
from features.tags.spec.bases import UserDays, Users
from features.tags.spec.registry import closure
from features.tags.spec.tag import Tag
from features.tags.spec.vocabulary import Dtype, Value
from features.tags.spec.windows import ALL_TIME, Window

_ACTIONS: Final = "_actions"
_STEPS: Final = 1e6  # of real values: six digits after the point

#: Relations that an engine provides between the stages of a plan, besides :data:`POPULATION`.
COMPARED: Final = "compared"
JOINED: Final = "joined"


@dataclass(frozen=True)
class Step:
    """An expression whose rows an engine keeps under ``name`` for the steps after it."""

    name: str
    expression: Value


@dataclass(frozen=True)
class Plan:
    """The steps of a tag table, free of data and of ``as_of``, over the relations that bases name.

    ``table`` has one row per user who did something himself before ``as_of``, and one column per tag. It reads
    :data:`JOINED`: the users of the first step, with the columns of all that is ``joined``. Users may be taken in
    slices, except for tags that compare them: their values stand in the relation :data:`COMPARED`, made by
    ``comparison`` first.
    """

    steps: tuple[Step, ...]
    table: Value
    joined: tuple[str, ...]
    comparison: "Comparison | None" = None


@dataclass(frozen=True)
class Comparison:
    """How tags that compare a user with all others are made.

    ``inputs`` gives what is compared, which an engine provides of everybody as relation :data:`POPULATION`; ``table``
    is what :data:`COMPARED` stands for.
    """

    inputs: Plan
    table: Value


@lru_cache(maxsize=64)
def plan(tags: tuple[Tag, ...]) -> Plan:
    """The plan of these tags; those that others build on must come first.

    All tags of one base make one grouped query.
    """
    comparing = [declared for declared in tags if declared.of_population]
    if not comparing:
        return _plan(tags)
    return replace(_plan(tags), comparison=_comparison(comparing))


def _plan(tags: Sequence[Tag]) -> Plan:
    grouped: dict[tuple[type[Base], Window], list[Tag]] = {(UserDays, ALL_TIME): []}
    for declared in tags:
        if declared.base is not None:
            grouped.setdefault((declared.base, declared.window), []).append(declared)
    steps = tuple(
        Step(window.of(f"of_{base.__name__}"), _evaluate(base, window, members))
        for (base, window), members in grouped.items()
    )
    joined = {step.name: step.expression.schema() for step in steps}
    if compared := {t.name: _type(t) for t in tags if t.of_population and t.base is None}:
        joined[COMPARED] = ibis.schema({c.USER_ID: "string"} | compared)
    return Plan(steps, _derive(_given(joined.values(), tags), tags), tuple(joined))


def _comparison(comparing: Sequence[Tag]) -> Comparison:
    needed = closure([declared.name for declared in comparing])
    relative: set[str] = set()
    for declared in needed:
        if declared.of_population or relative.intersection(declared.inputs):
            relative.add(declared.name)
    own = [declared for declared in needed if declared.name not in relative]
    inputs = _plan(own)
    named = [name for declared in needed if declared.name in relative for name in declared.inputs]
    read = [c.USER_ID, *dict.fromkeys(name for name in named if name not in relative)]
    inputs = replace(inputs, table=inputs.table.select(read))
    population = ibis.table(inputs.table.schema(), name=POPULATION)
    relatives = [declared for declared in needed if declared.name in relative]
    table = _derive(population, relatives, compare=True)
    return Comparison(inputs, table.select(c.USER_ID, *(t.name for t in comparing if t.base is None)))


def _evaluate(base: type[Base], window: Window, tags: list[Tag]) -> Value:
    """The tags of one base over one window; users without rows in it are left out."""
    rows = base.relation(window)
    values = {t.name: _settled(t, t.expression(base(rows)).cast(_type(t))) for t in tags}
    if issubclass(base, Users):
        return rows.select(c.USER_ID, **values)
    if base is not UserDays or window != ALL_TIME:
        return rows.group_by(c.USER_ID).aggregate(**values)
    # Every event leaves a row in UserDays, so this step also says who belongs to the population.
    table = rows.group_by(c.USER_ID).aggregate(**values, **{_ACTIONS: rows.actions.sum()})
    return table.filter(table[_ACTIONS] > 0).drop(_ACTIONS)


def _given(schemas: Iterable[ibis.Schema], tags: Sequence[Tag]) -> Value:
    """The tags that are not derived from others, as :data:`JOINED` has them."""
    columns = {name: kind for schema in schemas for name, kind in schema.items()}
    rows = ibis.table(columns, name=JOINED)
    given = [declared for declared in tags if declared.base is not None or declared.of_population]
    return rows.select(c.USER_ID, **{t.name: _filled(t, rows[t.name]) for t in given})


def _derive(table: Value, tags: Sequence[Tag], *, compare: bool = False) -> Value:
    """``table`` with the tags that follow from its columns; those that compare users only where all users are."""
    for layer in _layers([declared for declared in tags if compare or not declared.of_population]):
        values = {t.name: t.expression(*(table[name] for name in t.inputs)).cast(_type(t)) for t in layer}
        table = table.mutate(**{t.name: _filled(t, values[t.name]) for t in layer})
    return table


def _layers(tags: Sequence[Tag]) -> list[list[Tag]]:
    """Derived tags in groups that need only what stands before them."""
    layers: list[list[Tag]] = []
    depth: dict[str, int] = {}
    for declared in tags:
        level = 0 if declared.base else 1 + max((depth.get(name, 0) for name in declared.inputs), default=0)
        depth[declared.name] = level
        if level > len(layers):
            layers.append([])
        if level:
            layers[level - 1].append(declared)
    return layers


def _settled(declared: Tag, value: Value) -> Value:
    """Without the last digits of a sum of floats: they depend on the order in which threads hand over their parts."""
    # To a whole number: on halves of digits engines differ, DuckDB rounds the binary value and Spark the decimal one.
    return _nearest(value * _STEPS, 0) / _STEPS if declared.dtype is Dtype.REAL else value


# Ibis' decorator has no types, and reads of the function its name and signature alone.
@ibis.udf.scalar.builtin(name="round")  # type: ignore[untyped-decorator]
def _nearest(value: float, digits: int) -> float:  # type: ignore[empty-body]
    """SQL's ``round``. That of Ibis makes 64-bit integers of whole numbers, which infinity is none of."""


def _type(declared: Tag) -> str:
    return "boolean" if declared.dtype is Dtype.FLAG else declared.dtype.value


def _filled(declared: Tag, value: Value) -> Value:
    fill = declared.kind.nulls.fill
    return value if fill is None else value.fill_null(ibis.literal(fill))
