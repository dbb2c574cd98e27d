"""What a data check is. To add one: subclass in a new file of ``features/quality/checks`` and set the class fields."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa

from features.quality.config import QualityConfig


@dataclass(frozen=True)
class Batch:
    """``n`` rows to be judged."""

    values: pa.Table  # (n,) EVENT_SCHEMA types; null where a value was absent or unreadable
    unreadable: Mapping[str, pa.BooleanArray]  # column -> (n,) a value was there but is not of the type
    now: datetime  # the moment of judging, aware
    timed: bool  # whether every event must have a time
    limits: QualityConfig

    def column(self, name: str) -> pa.Array:
        """One column as one array."""
        return self.values.column(name).combine_chunks()


@dataclass(frozen=True)
class Finding:
    """Rows that break a check, and why."""

    column: str
    bad: pa.BooleanArray  # (n,) null counts as good
    reason: str  # ``{value}`` stands for the value as it came


class Check(ABC):
    """One property that every accepted event has. Stateless."""

    name: ClassVar[str]
    meaning: ClassVar[str]
    meaning_zh: ClassVar[str]
    #: Rows, as JSON objects, that this check must reject; the conformance suite feeds them to it.
    bad_rows: ClassVar[tuple[Mapping[str, Any], ...]]

    @abstractmethod
    def find(self, batch: Batch) -> Iterator[Finding]:
        """The findings on ``batch``; none, or masks without a true value, when all rows are good."""


def registered() -> dict[str, Check]:
    """Every check whose module is loaded, by name in alphabetical order. Two of one name raise ``ValueError``."""
    found: dict[str, Check] = {}
    pending = list(Check.__subclasses__())
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if "name" in cls.__dict__:
            if cls.name in found:
                raise ValueError(f"two checks are called {cls.name!r}: {type(found[cls.name])} and {cls}")
            found[cls.name] = cls()
    return dict(sorted(found.items()))
