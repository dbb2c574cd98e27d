"""SQL of one build, which is the same for all its slices."""

from collections.abc import Callable, Hashable
from datetime import datetime

from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value


class Texts:
    """Expressions written as SQL once per build: they mention ``as_of``, and writing them takes a while."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._as_of: datetime | None = None
        self._written: dict[Hashable, str] = {}

    def begin(self, as_of: datetime) -> None:
        """Forget what was written for another moment."""
        if as_of != self._as_of:
            self._written.clear()
            self._as_of = as_of

    def of(self, key: Hashable, make: Callable[[], Value]) -> str:
        """The SQL of what ``make`` gives, known by ``key``."""
        if key not in self._written:
            self._written[key] = to_sql(make(), self._dialect)
        return self._written[key]
