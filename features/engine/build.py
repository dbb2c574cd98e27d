"""The build: declared tags, evaluated on event tables at one moment."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.contracts.progress import step
from features.engine.ranges import check_ranges
from features.engine.tables import EventTables
from features.engine.who import EVERYONE, Who
from features.tags.spec.base import POPULATION
from features.tags.spec.plan import COMPARED, JOINED, Plan, plan
from features.tags.spec.registry import catalogue, closure, find
from features.tags.spec.sql import to_sql
from features.tags.spec.tag import Tag


def build_tags(
    tables: EventTables,
    as_of: datetime,
    tags: Iterable[str] | None = None,
    users: Collection[str] | None = None,
    *,
    others: pa.Table | None = None,
) -> pa.Table:
    """The tag table at ``as_of``: ``user_id`` and one column per tag, sorted by ``user_id``.

    Its rows are the users who did something themselves before ``as_of``; with ``users`` those of them. A user has the
    same values in both. Events count when they occurred before ``as_of`` and were known by then. ``tags`` of ``None``
    means all, in catalogue order. ``others``, a tag table, spares the work of comparing ``users`` with everybody as of
    now: they are compared with these rows of the others. An unknown tag raises :class:`UnknownNameError`; an ``as_of``
    without time zone, or before anybody did anything, and a value outside its tag's valid range raise
    :class:`InputError`.
    """
    return pa.concat_tables(build_slices(tables, as_of, tags, users, others=others))


def build_slices(
    tables: EventTables,
    as_of: datetime,
    tags: Iterable[str] | None = None,
    users: Collection[str] | None = None,
    *,
    others: pa.Table | None = None,
    slice_users: int | None = None,
) -> Iterator[pa.Table]:
    """The same table in slices of ``slice_users`` (what suits the engine by default), users in ascending order."""
    if as_of.tzinfo is None:
        raise InputError(f"as_of {as_of} has no time zone; say which moment is meant, for instance {as_of}+00:00")
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    names = tuple(catalogue()) if tags is None else tuple(dict.fromkeys(tags))
    recipe = _recipe(closure(names), tables.dialect)
    schema = tag_schema(names)
    slices = tables.slices(slice_users or tables.users_at_once, moment.date()) if users is None else [Who.named(users)]
    with step(f"building {len(names)} tags", total=len(slices), unit="slices") as task:
        _compare(tables, moment, recipe, slices[0] if users is not None else EVERYONE, others)
        found = 0
        for who in slices:
            table = recipe.make(tables, moment, who).select(schema.names).cast(schema)
            check_ranges(table, [find(name) for name in names])
            found += table.num_rows
            task.advance()
            yield table
    if not found and users is None:
        raise InputError(_nobody(tables, as_of))


def tag_schema(names: Iterable[str]) -> pa.Schema:
    """The columns of a table of these tags."""
    columns = [pa.field(name, pa.type_for_alias(find(name).dtype.value)) for name in names]
    return pa.schema([pa.field(c.USER_ID, pa.string(), nullable=False), *columns])


@dataclass(frozen=True)
class _Recipe:
    """A plan in an engine's SQL, and the relations that it reads."""

    relations: frozenset[str]
    steps: tuple[tuple[str, str], ...]
    joined: tuple[str, ...]
    table: str
    #: The recipe of what is compared, and the comparison.
    comparison: "tuple[_Recipe, str] | None"

    def make(self, tables: EventTables, moment: datetime, who: Who, *, read_once: bool = False) -> pa.Table:
        """The rows of ``who``."""
        tables.prepare(moment, self.relations, who, read_once=read_once)
        for name, sql in self.steps:
            tables.keep(name, sql)
        tables.beside(JOINED, self.joined)
        return tables.query(self.table)


@lru_cache(maxsize=64)
def _recipe(tags: tuple[Tag, ...], dialect: str) -> _Recipe:
    """Compiled once per set of tags: expressions do not mention ``as_of``."""
    return _compiled(plan(tags), dialect)


def _compiled(planned: Plan, dialect: str) -> _Recipe:
    comparison = None
    if (compared := planned.comparison) is not None:
        comparison = _compiled(compared.inputs, dialect), to_sql(compared.table, dialect)
    return _Recipe(
        relations=frozenset(r.name for s in planned.steps for r in s.expression.op().find(ops.UnboundTable)),
        steps=tuple((s.name, to_sql(s.expression, dialect)) for s in planned.steps),
        joined=planned.joined,
        table=to_sql(planned.table, dialect),
        comparison=comparison,
    )


def _compare(tables: EventTables, moment: datetime, recipe: _Recipe, who: Who, others: pa.Table | None) -> None:
    """Let :data:`COMPARED` stand for the values of tags that compare users with each other."""
    if recipe.comparison is None:
        return
    inputs, comparison = recipe.comparison
    if others is None:
        population = inputs.make(tables, moment, EVERYONE, read_once=True)
    else:
        own = inputs.make(tables, moment, who)
        rest = others.filter(pc.invert(pc.is_in(others[c.USER_ID], value_set=pa.array(who.names, pa.string()))))
        population = pa.concat_tables([rest.select(own.column_names).cast(own.schema), own])
    tables.add(POPULATION, population)
    tables.keep(COMPARED, comparison)


def _nobody(tables: EventTables, as_of: datetime) -> str:
    first = tables.first_event_at()
    if first is None or first >= as_of.astimezone(UTC).replace(tzinfo=None):
        return f"no tags at {as_of.isoformat()}: the first event of a user is at {first}"
    return f"no tags at {as_of.isoformat()}: nobody did anything before it, or the events arrived (received_at) later"
