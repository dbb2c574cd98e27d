"""The build: declared tags, evaluated on event tables at one moment."""

from collections.abc import Collection, Iterable
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
from features.engine.relations import to_sql
from features.engine.tables import EventTables
from features.tags.spec.plan import plan
from features.tags.spec.registry import catalogue, closure, find
from features.tags.spec.tag import Tag


def build_tags(
    tables: EventTables,
    as_of: datetime,
    tags: Iterable[str] | None = None,
    users: Collection[str] | None = None,
) -> pa.Table:
    """The tag table at ``as_of``: ``user_id`` and one column per tag, sorted by ``user_id``.

    Its rows are the users who did something themselves before ``as_of``; with ``users`` those of them. A user has the
    same values in both. Rows count when they occurred before ``as_of`` and had arrived by then. ``tags`` of ``None``
    means all, in catalogue order. An unknown tag raises :class:`UnknownNameError`; an ``as_of`` without time zone, or
    before anybody did anything, and a value outside its tag's valid range raise :class:`InputError`.
    """
    if as_of.tzinfo is None:
        raise InputError(f"as_of {as_of} has no time zone; say which moment is meant, for instance {as_of}+00:00")
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    names = tuple(catalogue()) if tags is None else tuple(dict.fromkeys(tags))
    needed = closure(names)
    recipe = _recipe(needed, tables.dialect)
    # A rank among users needs all of them, also when few are asked for.
    everyone = users is None or any(tag.of_population for tag in needed)
    with step(f"building {len(names)} tags"):
        tables.prepare(moment, recipe.relations, None if everyone else users)
        for name, sql in recipe.steps:
            tables.keep(name, sql)
        table = tables.query(recipe.table)
    if not table.num_rows and users is None:
        raise InputError(_nobody(tables, as_of))
    if everyone and users is not None:
        table = table.filter(pc.is_in(table[c.USER_ID], pa.array(list(users), pa.string())))
    table = table.select([c.USER_ID, *names]).cast(_schema(names))
    check_ranges(table, [find(name) for name in names])
    return table


@dataclass(frozen=True)
class _Recipe:
    """A plan in SQL, and the relations that it reads."""

    relations: frozenset[str]
    steps: tuple[tuple[str, str], ...]
    table: str


@lru_cache(maxsize=64)
def _recipe(tags: tuple[Tag, ...], dialect: str) -> _Recipe:
    """Compiled once per set of tags: expressions do not mention ``as_of``."""
    planned = plan(tags)
    read = {r.name for s in planned.steps for r in s.expression.op().find(ops.UnboundTable)}
    steps = tuple((s.name, to_sql(s.expression, dialect)) for s in planned.steps)
    return _Recipe(frozenset(read), steps, to_sql(planned.table.order_by(c.USER_ID), dialect))


def _schema(names: Iterable[str]) -> pa.Schema:
    columns = [pa.field(name, pa.type_for_alias(find(name).dtype.value)) for name in names]
    return pa.schema([pa.field(c.USER_ID, pa.string(), nullable=False), *columns])


def _nobody(tables: EventTables, as_of: datetime) -> str:
    first = tables.first_event_at()
    if first is None or first >= as_of.astimezone(UTC).replace(tzinfo=None):
        return f"no tags at {as_of.isoformat()}: the first event of a user is at {first}"
    return f"no tags at {as_of.isoformat()}: nobody did anything before it, or the events arrived (received_at) later"
