"""What the deployed models together say of users: risk, value, the next purchase, the effect of a message, the action.

The same call serves a request about one user and the snapshot of everybody, so a list says what a user's page says.
Churn is needed; without a value or an uplift model the columns that they give are unknown, and ``missing`` names them.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from serving.engine.actions import ACTIONS, WHYS, ActionsConfig, Recommended, Situation, reason_text, recommend
from training.models.churn import ChurnModel
from training.models.churn_features import purchase_history, tag_values
from training.models.churn_scores import ChurnScores
from training.models.next_purchase import HORIZON_DAYS, Curves, days_overdue
from training.models.reasons import Both
from training.models.uplift import UpliftModel
from training.models.value import ValueModel

Float64 = npt.NDArray[np.float64]

MESSAGES: Final = "messages_sent_7d"
SILENT: Final = "days_since_active"
#: Tags by which tiredness is judged; where they are not built nobody is taken to be tired.
FATIGUE_TAGS: Final = (MESSAGES, SILENT)
#: Windows of expected spend that answers and lists carry, days.
VALUE_DAYS: Final = (30, 90, 365)
#: Days at which answers show the curve of the next purchase.
CURVE_DAYS: Final = (1, 7, 14, 30, 60, 90, 180, HORIZON_DAYS)


@dataclass(frozen=True)
class Models:
    """Models that answer together."""

    churn: ChurnModel
    version: str  # of the churn model
    value: ValueModel | None = None
    uplift: UpliftModel | None = None
    versions: dict[str, str] = field(default_factory=dict)  # kind -> version

    @property
    def required_tags(self) -> tuple[str, ...]:
        """What a tag table must have."""
        others = [model.required_tags for model in (self.value, self.uplift) if model is not None]
        return tuple(dict.fromkeys(name for tags in (self.churn.required_tags, *others) for name in tags))

    @property
    def missing(self) -> tuple[str, ...]:
        """Kinds of model that are not there."""
        return tuple(kind for kind, model in (("value", self.value), ("uplift", self.uplift)) if model is None)

    @property
    def fallback(self) -> Both | None:
        """Why a simple rule stands in for a churn model; None where it does not."""
        mark = self.churn.fallback
        return None if mark is None else mark.reason

    def without_unread(self, built: frozenset[str] | set[str]) -> "Models":
        """Those models whose tags are ``built``; the churn model stays in any case."""
        value = self.value if self.value is not None and built.issuperset(self.value.required_tags) else None
        uplift = self.uplift if self.uplift is not None and built.issuperset(self.uplift.required_tags) else None
        return Models(self.churn, self.version, value, uplift, self.versions)


@dataclass(frozen=True)
class Forecast:
    """What is said of ``n`` users, in the order of the tag table. NaN: not known."""

    risk: ChurnScores
    horizon_days: float
    spend: Float64  # (n, 3) expected spend within :data:`VALUE_DAYS`, currency
    value_at_risk: Float64  # (n,) churn probability times expected spend
    curves: Curves  # of the next purchase, through the churn probability
    next_purchase: Float64  # (n,) days
    overdue: Float64  # (n,) days beyond the own rhythm, below 0 while it is not over
    effect: Float64  # (n,) change of the outcome's probability by a message
    recommended: Recommended

    def __len__(self) -> int:
        return len(self.risk)

    def action(self, row: int) -> tuple[str, str, str, str]:
        """Action, code of its reason, and the reason in English and Chinese."""
        why = WHYS[self.recommended.why[row]]
        english, chinese = reason_text(why, assumed=self.recommended.assumed)
        return ACTIONS[self.recommended.action[row]].value, why.value, english, chinese

    def next_purchase_on(self, as_of: datetime) -> list[str | None]:
        """(n,) the date (ISO 8601) of the next purchase, where one can be named."""
        return [
            None if np.isnan(days) else (as_of + timedelta(days=days)).date().isoformat()
            for days in self.next_purchase.tolist()
        ]


def forecast(models: Models, tags: pa.Table, actions: ActionsConfig, *, reasons: bool = True) -> Forecast:
    """Everything about the users of ``tags``; :class:`InputError` names a tag that is missing."""
    churn = models.churn
    risk = churn.predict(tags, reasons=reasons)
    history, bought = purchase_history(tags)
    horizon = churn.label.horizon_days
    unknown = np.full(tags.num_rows, np.nan)
    spend = np.full((tags.num_rows, len(VALUE_DAYS)), np.nan)
    curves = Curves.of_rhythm(churn.rhythm.bg_nbd, history)
    at_risk = risk.value_at_risk
    if models.value is not None:
        told = models.value.predict(tags)
        curves = told.curves
        for place, days in enumerate(VALUE_DAYS):
            if days in models.value.horizons:
                spend[:, place] = told.spend[:, models.value.horizons.index(days)]
        at_risk = risk.probability * told.spend[:, _window_for(models.value.horizons, horizon)]
    if churn.label.of_next_purchases:
        curves = curves.through(horizon, risk.probability)
    effect = models.uplift.predict(tags) if models.uplift is not None else None
    messages, silent = (tag_values(tags, (n,))[:, 0] if n in tags.column_names else unknown for n in FATIGUE_TAGS)
    situation = Situation(
        probability=risk.probability,
        value_at_risk=at_risk,
        effect=effect,
        worth=models.uplift.spend_per_outcome if models.uplift is not None else 0.0,
        messages_7d=messages,
        silent_days=silent,
    )
    return Forecast(
        risk=risk,
        horizon_days=horizon,
        spend=spend,
        value_at_risk=at_risk,
        curves=curves,
        next_purchase=np.where(bought, curves.next_purchase(), np.nan),
        overdue=np.where(bought, days_overdue(history), np.nan),
        effect=unknown if effect is None else effect,
        recommended=recommend(situation, actions),
    )


def _window_for(horizons: tuple[int, ...], days: float) -> int:
    """The window of spend for a churn horizon: the shortest that holds it, else the longest."""
    return next((place for place, window in enumerate(horizons) if window >= days), len(horizons) - 1)
