"""Events folded to user-days, as they are known for good."""

from collections.abc import Collection
from datetime import date
from typing import Final, Protocol

from features.contracts.progress import step
from features.engine.known import settled, settling
from features.engine.relations import Relations
from features.tags.spec.base import Folded
from features.tags.spec.bases import FOLDED
from features.tags.spec.rows import event_rows
from features.tags.spec.sql import to_sql
from features.tags.spec.vocabulary import Value

#: Name of the relation with the user-days that change after their end (:func:`features.engine.known.settling`).
SETTLING: Final = "settling"


class Folds(Protocol):
    """Kept folds of one log."""

    def add_to(
        self, relations: Relations, bases: Collection[type[Folded]], before: date, *, fold: bool = True
    ) -> frozenset[date]:
        """Let ``kept_name(base)`` stand for the fold of every base, and :data:`SETTLING` for the days that change.

        They tell all days ``before`` one. Where ``fold`` is off, as for a few users, nothing is folded for it; the days
        that the relations do not tell are returned.
        """


def kept_name(base: type[Folded]) -> str:
    """The relation of a base's kept fold."""
    return f"kept_{base.table}"


def fold_expressions(events: str) -> dict[str, Value]:
    """What is folded from the relation ``events`` of known events: by name, every base and :data:`SETTLING`."""
    rows = event_rows(events)
    return {SETTLING: settling(rows)} | {base.table: base.fold(settled(rows)) for base in FOLDED}


class MemoryFolds:
    """Folds of the relation ``events`` inside the engine, made when they are first needed."""

    def __init__(self, events: str) -> None:
        self._expressions = fold_expressions(events)
        self._made: set[str] = set()

    def add_to(
        self,
        relations: Relations,
        bases: Collection[type[Folded]],
        before: date,
        *,
        fold: bool = True,
    ) -> frozenset[date]:
        """Fold what is not folded yet, whole: it is made once for builds at any moment."""
        self._keep(relations, SETTLING, SETTLING)
        for base in bases:
            self._keep(relations, base.table, kept_name(base))
        return frozenset()

    def _keep(self, relations: Relations, fold: str, name: str) -> None:
        if name not in self._made:
            with step(f"folding events to {fold.replace('_', ' ')}"):
                relations.keep(name, to_sql(self._expressions[fold], relations.dialect))
            self._made.add(name)
