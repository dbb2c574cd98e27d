"""Words of rules that no item of the mall bears: a rule about them matches nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.tags.rules.rule import Rule, Where


@dataclass(frozen=True)
class Unmatched:
    """A word of one rule."""

    rule: str
    where: Where
    word: str

    def __str__(self) -> str:
        return f"no item has the {self.where} '{self.word}'"


def unmatched(rules: Iterable[Rule], items: pa.Table) -> tuple[Unmatched, ...]:
    """What the clauses of ``rules`` ask for and the item table does not have."""
    known = {
        where: {str(value) for value in items[column].unique().to_pylist() if value is not None}
        for where, column in ((Where.ITEM, c.ITEM_ID), (Where.BRAND, c.BRAND), (Where.CATEGORY, c.CATEGORY))
    }
    paths = [path.split(CATEGORY_SEPARATOR) for path in known[Where.CATEGORY]]
    known[Where.DEPARTMENT] = {path[0] for path in paths}
    known[Where.CATEGORY] = {
        CATEGORY_SEPARATOR.join(path[start:end])
        for path in paths
        for start in range(len(path))
        for end in range(start + 1, len(path) + 1)
    }
    found = (
        Unmatched(rule.name, clause.where, word)
        for rule in rules
        for clause in rule.behaviours
        if clause.where is not None
        for word in clause.words
        if word not in known[clause.where]
    )
    return tuple(dict.fromkeys(found))
