"""Behaviour clauses: a hidden tag counts the events of a clause, as any tag would."""

import hashlib
import operator
from collections.abc import Callable
from functools import reduce
from typing import Final

from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.tags.rules.rule import Behaviour, Verb, Where
from features.tags.spec.base import Base
from features.tags.spec.bases import UserBrands, UserCategories, UserDepartments, UserItems
from features.tags.spec.keyed import Keyed
from features.tags.spec.vocabulary import Kind, Value, counts, part

_MEASURES: Final = {
    Verb.VIEWED: "views",
    Verb.CLICKED: "clicks",
    Verb.WISHED: "wishes",
    Verb.CARTED: "cart_adds",
    Verb.BOUGHT: "purchases",
}
_BASES: Final[dict[Where | None, type[Keyed]]] = {
    None: UserItems,
    Where.ITEM: UserItems,
    Where.CATEGORY: UserCategories,
    Where.DEPARTMENT: UserDepartments,
    Where.BRAND: UserBrands,
}

KIND: Final[Kind] = counts("events")


def base_of(clause: Behaviour) -> type[Base]:
    """The base whose rows the clause counts."""
    return _BASES[clause.where]


def counted(clause: Behaviour) -> Callable[[Value], Value]:
    """The expression over a view of :func:`base_of`: how many events of the clause the user has."""

    def expression(view: Value) -> Value:
        measure = view.read(view.columns()[_MEASURES[clause.verb]])
        if clause.where is None:
            return measure.sum()
        return part(measure, _among(view.read(view.columns()[view.key]), clause))

    return expression


def name_of(clause: Behaviour) -> str:
    """A name that says what is counted; equal counts have equal names, whichever rule asks."""
    words = hashlib.sha256("\n".join(clause.words).encode()).hexdigest()[:10]
    where = "" if clause.where is None else f"_{clause.where}_{words}"
    return clause.window.of(f"_{clause.verb}{where}")


def told(clause: Behaviour) -> str:
    """The count in words."""
    where = f" in {clause.where} {', '.join(clause.words)}" if clause.where else ""
    return f"Events of '{clause.verb}'{where}."


def holds(clause: Behaviour, count: Value) -> Value:
    """Whether the count is within the bounds of the clause."""
    most = clause.at_most
    return (count >= clause.at_least) if most is None else (count >= clause.at_least) & (count <= most)


def _among(key: Value, clause: Behaviour) -> Value:
    if clause.where is not Where.CATEGORY:
        return key.isin(clause.words)
    # A word may be the whole path, any level of it, or levels that follow each other.
    padded = CATEGORY_SEPARATOR + key + CATEGORY_SEPARATOR
    found = [padded.contains(f"{CATEGORY_SEPARATOR}{word}{CATEGORY_SEPARATOR}") for word in clause.words]
    return reduce(operator.or_, found)
