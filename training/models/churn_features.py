"""From a tag table to the columns that the churn models read. The same call serves fitting and scoring.

Beside the tags themselves the models see what BG/NBD and Pareto/NBD make of a user's purchase rhythm. It is read
from tags as well, so scoring needs nothing but a tag table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import logit

from features.contracts.errors import InputError
from training.models.bgnbd import BgNbd, PurchaseHistory
from training.models.btyd import Btyd
from training.models.pareto_nbd import ParetoNbd
from training.models.reasons import stem

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

# --- the tags that carry a meaning of their own here ------------------------------------------------
PURCHASE_DAYS: Final = "purchase_days"
SINCE_FIRST_PURCHASE: Final = "days_since_first_purchase"
SINCE_PURCHASE: Final = "days_since_purchase"
ORDER_VALUE: Final = "average_order_value"
#: Non-negative tags that the linear part reads beside the rhythm, on a logarithmic scale.
LINEAR_TAGS: Final = (ORDER_VALUE, "purchase_days_30d", "purchase_days_90d")
#: Days on which a user did anything, and days since the last of them.
ACTIVITY_TAGS: Final = ("active_days", "days_since_active")
#: Tags without which no churn model of ours can be read.
RHYTHM_TAGS: Final = (PURCHASE_DAYS, SINCE_FIRST_PURCHASE, SINCE_PURCHASE)

# --- the columns that BG/NBD and Pareto/NBD add; reasons name them like tags ----------------------------------------
NO_PURCHASE: Final = "rhythm_no_purchase"
EXPECTED: Final = "rhythm_expected_purchases"
PARETO_NO_PURCHASE: Final = "rhythm_pareto_no_purchase"
PARETO_EXPECTED: Final = "rhythm_pareto_expected_purchases"

#: More of this can only mean more (1) or less (-1) risk. Keeps trees from learning noise at thin ends.
_DIRECTIONS: Final = {
    NO_PURCHASE: 1,
    EXPECTED: -1,
    PARETO_NO_PURCHASE: 1,
    PARETO_EXPECTED: -1,
    SINCE_PURCHASE: 1,
}
#: Counts that, within a window, can only mean less risk. Over all time they grow with age and are left free.
_LESS_RISK: Final = ("active_days", "actions", "orders", "purchases", "purchase_days")


def direction(column: str) -> int:
    """The monotone constraint of a column: 1, -1 or 0."""
    name = stem(column)
    return -1 if name in _LESS_RISK and name != column else _DIRECTIONS.get(column, 0)


def tag_values(tags: pa.Table, names: Sequence[str]) -> Float64:
    """(n, f) values of numeric tags, null as NaN. :class:`InputError` names a tag that the table lacks."""
    values = np.empty((tags.num_rows, len(names)), dtype=np.float64)
    for position, name in enumerate(names):
        if name not in tags.column_names:
            raise InputError(f"the tag table has no column '{name}', which the churn model reads; build that tag too")
        values[:, position] = tags[name].cast(pa.float64()).to_numpy()
    return values


def purchase_history(tags: pa.Table) -> tuple[PurchaseHistory, Bool]:
    """Repeat-purchase summaries in days, and who has ever bought (the others get an empty history)."""
    days, first, last = tag_values(tags, RHYTHM_TAGS).T
    bought = np.isfinite(first) & np.isfinite(last) & (days > 0)
    frequency = np.where(bought, days - 1.0, 0.0)
    age = np.where(bought, np.maximum(first, 0.0), 0.0)
    recency = np.where(frequency > 0, np.clip(age - last, 0.0, age), 0.0)
    return PurchaseHistory(frequency, recency, age), bought


@dataclass(frozen=True)
class Rhythm:
    """What both models say of users over the horizon. NaN for users who never bought."""

    no_purchase: Float64  # (n,) log-odds of no purchase, BG/NBD
    expected: Float64  # (n,) purchase days, BG/NBD
    pareto_no_purchase: Float64  # (n,)
    pareto_expected: Float64  # (n,)
    age: Float64  # (n,) days since the first purchase
    silence: Float64  # (n,) days since the last purchase
    frequency: Float64  # (n,) repeat purchase days

    @classmethod
    def of(cls, tags: pa.Table, models: Btyd, horizon_days: float) -> "Rhythm":
        history, bought = purchase_history(tags)

        def told(model: BgNbd | ParetoNbd) -> tuple[Float64, Float64]:
            none = np.clip(model.no_purchase(history, horizon_days), 1e-6, 1.0 - 1e-6)
            expected = model.expected_purchases(history, horizon_days)
            return np.where(bought, logit(none), np.nan), np.where(bought, expected, np.nan)

        no_purchase, expected = told(models.bg_nbd)
        pareto_no_purchase, pareto_expected = told(models.pareto_nbd)
        silence = tag_values(tags, (SINCE_PURCHASE,))[:, 0]
        return cls(
            no_purchase=no_purchase,
            expected=expected,
            pareto_no_purchase=pareto_no_purchase,
            pareto_expected=pareto_expected,
            age=np.where(bought, history.age, np.nan),
            silence=np.where(bought, silence, np.nan),
            frequency=np.where(bought, history.frequency, np.nan),
        )

    def tree_columns(self) -> Float64:
        """(n, 4) in the order of :data:`RHYTHM_COLUMNS`."""
        return np.column_stack([self.no_purchase, self.expected, self.pareto_no_purchase, self.pareto_expected])

    def linear_columns(self) -> Float64:
        """(n, 7), finite for users who have bought."""
        logs = [np.log1p(v) for v in (self.expected, self.pareto_expected, self.silence, self.frequency, self.age)]
        return np.column_stack([self.no_purchase, self.pareto_no_purchase, *logs])


RHYTHM_COLUMNS: Final = (NO_PURCHASE, EXPECTED, PARETO_NO_PURCHASE, PARETO_EXPECTED)
#: What a reason calls each column of the linear part.
LINEAR_NAMES: Final = (
    NO_PURCHASE,
    PARETO_NO_PURCHASE,
    EXPECTED,
    PARETO_EXPECTED,
    SINCE_PURCHASE,
    PURCHASE_DAYS,
    SINCE_FIRST_PURCHASE,
    *LINEAR_TAGS,
)


@dataclass(frozen=True)
class ChurnColumns:
    """The input of the models for ``n`` users."""

    names: tuple[str, ...]  # of trees: tags, then the rhythm
    trees: Float32  # (n, len(names)), NaN where a tag is null
    linear: Float64  # (n, len(LINEAR_NAMES)); null as 0
    expected: Float64  # (n,) purchase days over the horizon; 0 for users who never bought

    @classmethod
    def of(cls, tags: pa.Table, names: Sequence[str], models: Btyd, horizon_days: float) -> "ChurnColumns":
        """Columns for ``tags``; ``names`` are the tags that the trees read."""
        rhythm = Rhythm.of(tags, models, horizon_days)
        extra = np.log1p(np.maximum(tag_values(tags, LINEAR_TAGS), 0.0))
        return cls(
            names=(*names, *RHYTHM_COLUMNS),
            trees=np.column_stack([tag_values(tags, names), rhythm.tree_columns()]).astype(np.float32),
            linear=np.nan_to_num(np.column_stack([rhythm.linear_columns(), extra])),
            expected=np.nan_to_num(rhythm.expected),
        )
