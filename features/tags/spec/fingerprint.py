"""A hash over declarations: it changes when a model's tags would mean something else."""

import hashlib
from collections.abc import Iterable
from typing import Final

import ibis

from features.tags.spec.bases import FOLDED
from features.tags.spec.plan import plan
from features.tags.spec.registry import catalogue, closure
from features.tags.spec.rows import event_rows
from features.tags.spec.tag import Tag
from features.tags.spec.vocabulary import Value

_DIALECT: Final = "duckdb"


def spec_hash(names: Iterable[str] | None = None) -> str:
    """Sixteen hex digits over the declarations of these tags (all by default) and of everything they build on.

    Compiled expressions are part of it, and how events fold to partial tables, so that a change of meaning under an
    unchanged name is seen. The order of ``names`` does not matter; titles and descriptions do not count.
    """
    tags = closure(sorted(catalogue() if names is None else names))
    parts = [_declaration(tag) for tag in tags]
    planned = plan(tags)
    parts.extend(_sql(step.expression) for step in planned.steps)
    parts.append(_sql(planned.table))
    parts.extend(_sql(base.fold(event_rows())) for base in FOLDED)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _declaration(tag: Tag) -> str:
    kind = tag.kind
    parts = (tag.name, kind.dtype, kind.unit, str(tag.window), repr(kind.nulls.fill), str(kind.valid), *tag.inputs)
    return "|".join(parts)


def _sql(expression: Value) -> str:
    return str(ibis.to_sql(expression, dialect=_DIALECT))
