"""What a churn model says about users."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts import columns as c
from training.models.churn_heads import Horizon
from training.models.reasons import Reason, say

Float64 = npt.NDArray[np.float64]


class Tier(StrEnum):
    """How urgent a user is, most urgent first."""

    RED = "red"
    YELLOW = "yellow"
    BLUE = "blue"


@dataclass(frozen=True)
class ChurnScores:
    """Scores of ``n`` users, in the order of the tag table they were made from."""

    user_id: list[str]
    probability: Float64  # (n,) of no event of the label's type within the horizon
    low: Float64  # (n,) 90 % interval of the probability
    high: Float64  # (n,)
    tier: list[Tier]
    expected_purchases: Float64  # (n,) purchase days over the horizon
    expected_spend: Float64  # (n,) expected purchases times the user's average order value, in the events' currency
    asked: npt.NDArray[np.bool_]  # (n,) the user belongs to the population that the model was fitted for
    reason_columns: tuple[str, ...]
    reason_index: npt.NDArray[np.int16]  # (n, 3) into reason_columns; -1 where there is no further reason
    reason_value: Float64  # (n, 3) the user's value of that tag, NaN when null
    reason_beside: Float64  # (n, 3) the value that is told beside it, NaN when there is none
    reason_weight: Float64  # (n, 3) log-odds; above 0 raises the risk
    titles: Mapping[str, tuple[str, str]]
    horizons: tuple[Horizon, ...]  # the shortest first, the model's own among them

    def __len__(self) -> int:
        return len(self.user_id)

    @property
    def spend_if_kept(self) -> Float64:
        """(n,) what a user spends within the horizon when he stays: at the least one order of his usual size."""
        orders = np.maximum(self.expected_purchases, 1e-12)
        return self.expected_spend / orders * np.maximum(orders, 1.0)

    @property
    def value_at_risk(self) -> Float64:
        """(n,) probability times expected spend."""
        return self.probability * self.expected_spend

    def reasons(self, row: int) -> list[Reason]:
        """At most three reasons of one user, strongest first."""
        return [
            say(self.reason_columns[index], float(value), float(weight), self.titles, float(other))
            for index, value, other, weight in zip(
                self.reason_index[row],
                self.reason_value[row],
                self.reason_beside[row],
                self.reason_weight[row],
                strict=True,
            )
            if index >= 0
        ]

    def to_arrow(self) -> pa.Table:
        """One row per user; reasons as a list of structs with their words."""
        reasons = [
            [
                {"code": r.code, "value": r.value, "raises": r.raises, "text": r.text, "text_zh": r.text_zh}
                for r in self.reasons(row)
            ]
            for row in range(len(self))
        ]
        return pa.table(
            {
                c.USER_ID: pa.array(self.user_id, pa.string()),
                "probability": self.probability,
                "low": self.low,
                "high": self.high,
                "tier": pa.array([str(t) for t in self.tier], pa.string()),
                "expected_purchases": self.expected_purchases,
                "expected_spend": self.expected_spend,
                "value_at_risk": self.value_at_risk,
                "asked": self.asked,
                "reasons": pa.array(reasons, _REASONS),
            }
        )


_REASONS = pa.list_(
    pa.struct(
        [
            pa.field("code", pa.string()),
            pa.field("value", pa.float64()),
            pa.field("raises", pa.bool_()),
            pa.field("text", pa.string()),
            pa.field("text_zh", pa.string()),
        ]
    )
)
