"""Tags that are written as rules in YAML, for people who do not write Python.

A rule is compiled to the mechanism that all tags share: hidden tags on the bases of :mod:`features.tags.spec.bases`
count the events its clauses speak of, and one derived tag puts the conditions together. Builds as of any moment, of
one user, on any engine and from kept folds therefore treat it like every other tag.
"""

from collections.abc import Iterable
from pathlib import Path

from features.tags.rules.compiling import tags_of
from features.tags.rules.place import RULES
from features.tags.rules.reading import read_rules
from features.tags.rules.rule import Rule
from features.tags.rules.unmatched import Unmatched, unmatched
from features.tags.spec.tag import Tag

__all__ = ["RULES", "Rule", "Unmatched", "read_rules", "read_tags", "tags_of", "unmatched"]


def read_tags(files: Iterable[Path]) -> tuple[Tag, ...]:
    """The tags of rule files, hidden ones among them. :class:`~features.contracts.errors.ConfigError` says what is
    wrong with which line."""
    return tags_of(read_rules(files))
