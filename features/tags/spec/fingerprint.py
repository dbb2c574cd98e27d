"""A hash over declarations: it changes when a model's tags would mean something else."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from features.tags.spec.bases import FOLDED
from features.tags.spec.plan import Plan, plan
from features.tags.spec.registry import catalogue, closure
from features.tags.spec.rows import event_rows
from features.tags.spec.sql import to_sql
from features.tags.spec.tag import Tag

_DIALECT: Final = "duckdb"


def spec_hash(names: Iterable[str] | None = None) -> str:
    """Sixteen hex digits over the declarations of these tags (all by default) and of everything they build on.

    Compiled expressions are part of it, and how events fold to partial tables, so that a change of meaning under an
    unchanged name is seen. The order of ``names`` does not matter; titles and descriptions do not count.
    """
    known = list(catalogue())
    tags = closure(known if names is None else sorted(names, key=known.index))
    parts = [*map(_declaration, tags), *_queries(plan(tags))]
    parts.extend(to_sql(base.fold(event_rows()), _DIALECT) for base in FOLDED)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _queries(planned: Plan) -> Iterator[str]:
    for step in planned.steps:
        yield to_sql(step.expression, _DIALECT)
    yield to_sql(planned.table, _DIALECT)
    if planned.comparison is not None:
        yield from _queries(planned.comparison.inputs)
        yield to_sql(planned.comparison.table, _DIALECT)


def _declaration(tag: Tag) -> str:
    kind = tag.kind
    parts = (tag.name, kind.dtype, kind.unit, str(tag.window), repr(kind.nulls.fill), str(kind.valid), *tag.inputs)
    return "|".join(parts)
