"""The words of a tag declaration: type, null policy, valid range, privacy class, family."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import ibis

#: An Ibis expression. Ibis builds its classes at run time, so no checker can say more about it.
Value = Any


class Dtype(StrEnum):
    """What a tag holds. The value is the name of the type in Ibis and in Arrow."""

    WHOLE = "int64"
    REAL = "float64"
    WORD = "string"
    FLAG = "bool"


class Privacy(StrEnum):
    """How carefully a tag must be handled when it leaves the tag table."""

    BEHAVIOUR = "behaviour"  # follows from what the user did in the mall
    DEMOGRAPHIC = "demographic"  # a statement about the person: only for consumers that need it


@dataclass(frozen=True)
class Nulls:
    """What stands where nothing happened. ``fill`` of ``None`` leaves a null, and ``meaning`` says what it tells."""

    fill: int | str | bool | None
    meaning: str


#: Counts and sums: nothing happened means 0.
ZERO: Final = Nulls(0, "0 when nothing happened")


def absent(meaning: str) -> Nulls:
    """Leave a null, whose ``meaning`` is e.g. "never bought"."""
    return Nulls(None, meaning)


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; ``None`` is open."""

    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "any number"
        if self.high is None:
            return f"≥ {self.low:g}"
        return f"≤ {self.high:g}" if self.low is None else f"{self.low:g} … {self.high:g}"


@dataclass(frozen=True)
class Choices:
    """A closed set of words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return " | ".join(self.words)


#: Any number (NaN and infinity are refused all the same), or any word.
ANY: Final = Range()
NOT_NEGATIVE: Final = Range(0, None)
SHARE: Final = Range(0, 1)


@dataclass(frozen=True)
class Kind:
    """What the values of a tag are: type, unit, null policy and valid range."""

    dtype: Dtype
    unit: str
    nulls: Nulls
    valid: Range | Choices


def counts(unit: str) -> Kind:
    """Whole numbers from 0; 0 where nothing happened."""
    return Kind(Dtype.WHOLE, unit, ZERO, NOT_NEGATIVE)


def sums(unit: str) -> Kind:
    """Real numbers from 0; 0 where nothing happened."""
    return Kind(Dtype.REAL, unit, ZERO, NOT_NEGATIVE)


def whole(unit: str, null: str, valid: Range = NOT_NEGATIVE) -> Kind:
    """Whole numbers; ``null`` says what a missing one means."""
    return Kind(Dtype.WHOLE, unit, absent(null), valid)


def real(unit: str, null: str, valid: Range = NOT_NEGATIVE) -> Kind:
    """Real numbers; ``null`` says what a missing one means."""
    return Kind(Dtype.REAL, unit, absent(null), valid)


def share(null: str) -> Kind:
    """Part of a whole, 0 to 1; ``null`` says what a missing one means."""
    return real("share", null, SHARE)


def word(null: str, choices: tuple[str, ...] | None = None) -> Kind:
    """A word, of a closed set when ``choices`` are given; ``null`` says what a missing one means."""
    return Kind(Dtype.WORD, "word", absent(null), ANY if choices is None else Choices(choices))


def flag(null: str | None = None) -> Kind:
    """True or false; ``null`` says what a missing one means, without it a missing one is false."""
    nulls = Nulls(False, "false when nothing happened") if null is None else absent(null)
    return Kind(Dtype.FLAG, "yes or no", nulls, ANY)


@dataclass(frozen=True)
class Family:
    """A group of tags, one file each."""

    name: str
    title_zh: str
    about: str

    def dimension(self, name: str, title: str, title_zh: str) -> "Dimension":
        """A dimension (维度) of this family; its title in English and in Chinese."""
        return Dimension(self, name, title, title_zh)

    @property
    def whole(self) -> "Dimension":
        """The dimension of tags that name none of their own: all that the family is about."""
        return Dimension(self, self.name, self.name.replace("_", " ").capitalize(), self.title_zh)


@dataclass(frozen=True)
class Dimension:
    """One side of a user (维度), finer than a family. Every tag belongs to exactly one."""

    family: Family
    name: str
    title: str
    title_zh: str


def ratio(part: Value, whole: Value) -> Value:
    """``part / whole`` as a real number; null where ``whole`` is 0 or null."""
    return part.cast("float64") / whole.cast("float64").nullif(ibis.literal(0.0))


def part(measure: Value, where: Value) -> Value:
    """The sum of ``measure`` over the rows where ``where`` holds; 0, not null, when it holds for none."""
    return ibis.ifelse(where, measure, 0).sum()
