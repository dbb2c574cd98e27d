"""How fast something that is measured over and over grows, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Trend:
    """A slope by least squares, per hour, with its 95 % interval."""

    per_hour: float
    low: float
    high: float

    def grows(self, allowed: float) -> bool:
        """Whether it rises by more than ``allowed`` per hour beyond doubt."""
        return self.low > allowed


def trend(seconds: Sequence[float], values: Sequence[float]) -> Trend:
    """The slope of ``values`` over time; at least four of them.

    What a process holds now it mostly held a moment ago: values that follow each other tell less than as many that do
    not. The interval is widened by sqrt((1 + r) / (1 - r)) for the correlation r of neighbouring residuals (Wilks,
    Statistical Methods in the Atmospheric Sciences, section 5.2.4).
    """
    if len(values) < 4:
        raise ValueError(f"{len(values)} samples tell no trend; measure longer, or more often")
    hours, level = np.asarray(seconds) / 3600, np.asarray(values)
    line = stats.linregress(hours, level)
    rest = level - (line.intercept + line.slope * hours)
    spread = float(rest @ rest)
    likeness = float(rest[1:] @ rest[:-1]) / spread if spread > 1e-12 else 0.0
    likeness = min(max(likeness, 0.0), 0.99)
    wide = float(stats.t.ppf(0.975, len(level) - 2)) * float(line.stderr)
    wide *= np.sqrt((1 + likeness) / (1 - likeness))
    return Trend(float(line.slope), float(line.slope - wide), float(line.slope + wide))
