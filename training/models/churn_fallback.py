"""What a churn model is when the rules of least data refuse a real one: one simple rule, and why it serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from training.models.churn_features import NO_PURCHASE, SINCE_PURCHASE
from training.models.reasons import Both


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
    reason: Both  # what was missing for a real model, in numbers

    def document(self) -> dict[str, Any]:
        """For the bundle."""
        return {"rule": str(self.rule), "reason": self.reason._asdict()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`document`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what is none."""
        return cls(Rule(document["rule"]), kept_reason(document["reason"]))


def kept_reason(kept: str | Mapping[str, str]) -> Both:
    """A reason as a bundle or a snapshot keeps it; those of before kept the English words alone.

    Raises ``KeyError`` for a language that is missing, ``TypeError`` for what is no reason.
    """
    if isinstance(kept, str):
        return Both(kept, f"数据不足，无法训练流失模型（{kept}）")
    return Both(kept["en"], kept["zh"])
