"""The one place where Ibis expressions become SQL."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import ibis
import ibis.expr.operations as ops

from features.tags.spec.vocabulary import Value


def to_sql(expression: Value, dialect: str) -> str:
    """The expression in an engine's SQL; relations are called by their names."""
    return _written(expression.op(), dialect)


@lru_cache(maxsize=1024)
def _written(node: ops.Node, dialect: str) -> str:
    # Equal expressions are equal nodes: a build, its fingerprint and the next build ask for the same ones.
    return str(ibis.to_sql(_with_narrow_sums(node).to_expr(), dialect=dialect, pretty=False))


def _with_narrow_sums(node: ops.Node) -> ops.Node:
    """Sums of whole numbers as the 64 bits that Ibis takes them for.

    DuckDB adds them up in 128, and whatever is made of such a sum is several times as slow, down to the Arrow table.
    """
    in_windows = {window.func for window in node.find(ops.WindowFunction)}

    def narrow(found: ops.Node, parts: Mapping[str, Any] | None) -> ops.Node:
        made = found if parts is None else found.__recreate__(parts)
        over = found.func if isinstance(found, ops.WindowFunction) else found
        is_sum = isinstance(over, ops.Sum) and over.dtype.is_integer() and found not in in_windows
        return ops.Cast(made, over.dtype) if is_sum else made

    return node.replace(narrow)
