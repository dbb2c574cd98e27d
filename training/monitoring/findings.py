"""What watching finds: one statement with a level, in English and Chinese."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from training.monitoring.config import Bounds


class Level(IntEnum):
    """How urgent it is; the number is meant as an exit code, apart from those of errors."""

    FINE = 0
    BLUE = 10
    YELLOW = 11
    RED = 12

    @classmethod
    def of(cls, value: float, bounds: Bounds) -> "Level":
        """The level of a value; what is not a number is no alarm."""
        if value >= bounds.red:
            return cls.RED
        if value >= bounds.yellow:
            return cls.YELLOW
        return cls.BLUE if value >= bounds.blue else cls.FINE


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str  # "inputs", "scores", "calibration", "ranking", "expected", "segment", "age"
    name: str  # the tag, segment or window; "" for the whole
    level: Level
    value: float
    text: str
    text_zh: str

    def to_json(self) -> dict[str, Any]:
        """The finding for machines; the level by its name."""
        return {**vars(self), "level": self.level.name.lower()}


def worst(findings: Iterable[Finding]) -> Level:
    """The most urgent level of all; fine when there is nothing."""
    return max((finding.level for finding in findings), default=Level.FINE)
