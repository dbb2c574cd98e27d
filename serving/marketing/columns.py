"""Columns of a risk snapshot, the rows that churn lists are made of."""

from typing import Final

import pyarrow as pa

from features.contracts import columns as c

PROBABILITY: Final = "probability"
LOW: Final = "low"
HIGH: Final = "high"
TIER: Final = "tier"
LIFECYCLE: Final = "segment"
EXPECTED_PURCHASES: Final = "expected_purchases"
VALUE_AT_RISK: Final = "value_at_risk"
REASONS: Final = "reasons"
HORIZONS: Final = "horizons"
VALUES: Final = {30: "expected_value_30d", 90: "expected_value_90d", 365: "expected_value_365d"}
NEXT_PURCHASE: Final = "expected_next_purchase"
OVERDUE: Final = "days_overdue"
UPLIFT: Final = "uplift"
ACTION: Final = "action"
ACTION_REASON: Final = "action_reason"
EXPECTED_PROFIT: Final = "expected_profit"
HOLDOUT: Final = "holdout"
SUPPRESSED: Final = "suppressed"
SUPPRESSION_REASON: Final = "suppression_reason"
CHANGE: Final = "change"

#: One row per scored user, most likely to leave first.
SNAPSHOT_SCHEMA: Final = pa.schema(
    [
        pa.field(c.USER_ID, pa.string(), nullable=False),
        pa.field(PROBABILITY, pa.float64(), nullable=False),  # of leaving within the horizon
        pa.field(LOW, pa.float64(), nullable=False),  # interval of the probability
        pa.field(HIGH, pa.float64(), nullable=False),
        pa.field(TIER, pa.string(), nullable=False),
        pa.field(LIFECYCLE, pa.string()),  # new, active, silent, lost; null when the tag was not built
        pa.field(EXPECTED_PURCHASES, pa.float64()),  # within the horizon
        pa.field(VALUE_AT_RISK, pa.float64()),  # probability x expected spend, in the mall's currency
        pa.field(REASONS, pa.string(), nullable=False),  # JSON list
        pa.field(c.CONSENT_MARKETING, pa.bool_()),  # null: not asked
        pa.field(HOLDOUT, pa.bool_(), nullable=False),  # belongs to the group that is never contacted, for measuring
        pa.field(SUPPRESSED, pa.bool_(), nullable=False),  # must not be contacted
        pa.field(SUPPRESSION_REASON, pa.string()),
        *(pa.field(name, pa.float64()) for name in VALUES.values()),  # null without a value model
        pa.field(NEXT_PURCHASE, pa.string()),  # ISO 8601 date; null where a year without one is likelier than not
        pa.field(OVERDUE, pa.float64()),  # days beyond the own rhythm; null before the second purchase day
        pa.field(UPLIFT, pa.float64()),  # change of a visit's probability by a message; null without an uplift model
        pa.field(ACTION, pa.string()),
        pa.field(ACTION_REASON, pa.string()),  # JSON object
        pa.field(EXPECTED_PROFIT, pa.float64()),  # of the action, in the mall's currency
        pa.field(HORIZONS, pa.string()),  # JSON list: churn over further horizons, the shortest first
    ]
)

#: Columns that hold JSON text.
JSON_COLUMNS: Final = (REASONS, ACTION_REASON, HORIZONS)

#: Columns whose change makes a user "changed" in a delta. Probabilities move a little in every run; tiers matter.
COMPARED: Final = (TIER, LIFECYCLE, ACTION, c.CONSENT_MARKETING, HOLDOUT, SUPPRESSED, SUPPRESSION_REASON)
