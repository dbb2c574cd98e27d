"""What each tag means, as a hash: two builds are compared by it, tag by tag."""

import hashlib
from collections.abc import Iterable
from typing import Final

import ibis
import ibis.expr.operations as ops

from features.contracts import columns as c
from features.tags.spec.base import Base
from features.tags.spec.bases import FOLDED, Users
from features.tags.spec.registry import catalogue, closure
from features.tags.spec.rows import event_rows
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Dtype, Value
from features.tags.spec.windows import Window

_DIALECT: Final = "duckdb"


def meanings(names: Iterable[str] | None = None) -> dict[str, str]:
    """Eight hex digits for each of these tags (all by default) that change when the tag would mean something else.

    What a tag builds on counts, down to the rows of its base and how events fold to days; its neighbours, titles and
    descriptions do not.
    """
    wanted = list(catalogue() if names is None else names)
    rows_of: dict[tuple[type[Base], Window], tuple[str, ibis.Schema]] = {}
    hashed: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for declared in closure(wanted):
        kind = declared.kind
        parts = [kind.dtype.value, kind.unit, repr(kind.nulls.fill), str(kind.valid)]
        parts += [f"{name}={hashed[name]}" for name in declared.inputs]
        if declared.base is None:
            table = ibis.table({name: kinds[name] for name in declared.inputs}, name="tags")
            value = table.select(value=declared.expression(*(table[name] for name in declared.inputs)))
        else:
            source = declared.base, declared.window
            if source not in rows_of:
                rows_of[source] = _rows(*source)
            about, schema = rows_of[source]
            parts.append(about)
            table = ibis.table(schema, name="rows")
            value = declared.expression(declared.base(table))
            flat = issubclass(declared.base, Users)
            value = table.select(value=value) if flat else table.group_by(c.USER_ID).aggregate(value=value)
        parts.append(_sql(value))
        hashed[declared.name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
        kinds[declared.name] = "boolean" if declared.dtype is Dtype.FLAG else declared.dtype.value
    return {name: hashed[name] for name in wanted}


def _rows(base: type[Base], window: Window) -> tuple[str, ibis.Schema]:
    """The rows of a base in words, with the folds that they come from, and their columns."""
    rows = base.relation(window)
    read = {table.name for table in rows.op().find(ops.UnboundTable)}
    folds = [_sql(folded.fold(event_rows())) for folded in FOLDED if folded.table in read]
    return "\n".join([*folds, _sql(rows)]), rows.schema()


def _sql(expression: Value) -> str:
    return to_sql(expression, _DIALECT)
