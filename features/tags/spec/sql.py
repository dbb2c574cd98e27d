"""The one place where Ibis expressions become SQL."""

from functools import lru_cache

import ibis
import ibis.expr.operations as ops

from features.tags.spec.vocabulary import Value


def to_sql(expression: Value, dialect: str) -> str:
    """The expression in an engine's SQL; relations are called by their names."""
    return _written(expression.op(), dialect)


@lru_cache(maxsize=1024)
def _written(node: ops.Node, dialect: str) -> str:
    # Equal expressions are equal nodes: a build, its fingerprint and the next build ask for the same ones.
    return str(ibis.to_sql(node.to_expr(), dialect=dialect, pretty=False))
