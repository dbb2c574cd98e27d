"""What a rule is. To add one: subclass in a new file of ``features/traffic/rules`` and set the class fields."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from features.traffic.config import TrafficConfig


class Reach(StrEnum):
    """What a rule looks at."""

    DAY = "day"
    """``rows`` of one day. It must not mix two values of ``seen`` (``PARTITION BY ..., seen``)."""
    SPAN = "span"
    """``commerce`` of the days around one. What it counts may only grow with more rows (a number reached, never a
    share), so that a mark, once found, stays; it is exposed on the day on which the number was reached."""


@dataclass(frozen=True)
class Query:
    """SQL that gives ``event_id VARCHAR, exposed DATE, score DOUBLE``.

    ``exposed`` is the UTC day whose events gave the event away, ``score`` 0 to 1. An event may come several times: its
    earliest day counts, and the highest score of that day. A rule of :attr:`Reach.SPAN` is also given ``$day``, the
    day whose events it is to mark.
    """

    sql: str
    values: Mapping[str, Any] = field(default_factory=dict)


class Rule(ABC):
    """One way in which traffic gives itself away. Stateless."""

    name: ClassVar[str]
    meaning: ClassVar[str]
    meaning_zh: ClassVar[str]
    reach: ClassVar[Reach] = Reach.DAY

    @abstractmethod
    def query(self, config: TrafficConfig, day: date) -> Query:
        """The marks on the events of ``day``."""


def registered() -> dict[str, Rule]:
    """Every rule whose module is loaded, by name in alphabetical order. Two of one name raise ``ValueError``."""
    found: dict[str, Rule] = {}
    for cls in Rule.__subclasses__():
        if cls.name in found:
            raise ValueError(f"two rules are called {cls.name!r}: {type(found[cls.name])} and {cls}")
        found[cls.name] = cls()
    return dict(sorted(found.items()))
