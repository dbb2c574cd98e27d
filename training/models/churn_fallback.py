"""What a churn model is when the rules of least data refuse a real one: one simple rule, and why it serves."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from training.models.churn_features import NO_PURCHASE, SINCE_PURCHASE


class Rule(StrEnum):
    """What a fallback goes by, simplest first."""

    BASE_RATE = "base_rate"  # everybody has the risk that users had on the whole
    RECENCY = "recency"  # days since the last purchase
    RHYTHM = "rhythm"  # what BG/NBD says of the chance of no purchase

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the linear part (:data:`~training.models.churn_features.LINEAR_NAMES`) that it reads."""
        return {Rule.BASE_RATE: (), Rule.RECENCY: (SINCE_PURCHASE,), Rule.RHYTHM: (NO_PURCHASE,)}[self]


@dataclass(frozen=True)
class Fallback:
    """The mark of a model that is a fallback."""

    rule: Rule
    reason: str  # what was missing for a real model, in numbers

    def document(self) -> dict[str, str]:
        """For the bundle."""
        return {name: str(value) for name, value in asdict(self).items()}
