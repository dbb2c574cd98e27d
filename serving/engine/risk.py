"""The risk engine of one worker: forecasts from the latest tags by the live models."""

import math
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.engine.store import TagBuild, TagStore
from serving.engine.actions import ActionsConfig
from serving.engine.forecast import CURVE_DAYS, FATIGUE_TAGS, Forecast, Models, forecast
from serving.engine.live_models import LiveModels
from serving.engine.watching import Watched
from serving.rules import Text
from training.deployment import pointer


@dataclass(frozen=True)
class RiskReason:
    """One reason of one user."""

    code: str
    value: float | None
    raises: bool
    text: Text


@dataclass(frozen=True)
class CurvePoint:
    """One point of a user's curve of the next purchase."""

    day: int
    no_purchase: float  # probability of no purchase until then


@dataclass(frozen=True)
class RiskAction:
    """What to do with a user."""

    name: str
    code: str  # of the reason
    text: Text
    expected_profit: float  # currency


@dataclass(frozen=True)
class HorizonRisk:
    """Churn over one horizon."""

    days: float
    probability: float
    low: float  # 90 % interval
    high: float


@dataclass(frozen=True)
class UserRisk:
    """The risk of one user; amounts in the mall's currency. None: not known."""

    user_id: str
    eligible: bool  # belongs to the population that the model was fitted for
    probability: float
    low: float
    high: float
    tier: str
    expected_purchases: float  # within the horizon
    value_at_risk: float
    reasons: tuple[RiskReason, ...]
    expected_value_30d: float | None
    expected_value_90d: float | None
    expected_value_365d: float | None
    expected_next_purchase: str | None  # ISO 8601 date
    days_overdue: float | None
    survival: tuple[CurvePoint, ...]
    horizons: tuple[HorizonRisk, ...]  # the shortest first, the model's own among them
    uplift: float | None
    action: RiskAction


@dataclass(frozen=True)
class Risks:
    """An answer about a batch of users."""

    request_id: str
    model_version: str
    as_of: datetime
    horizon_days: int
    users: tuple[UserRisk, ...]
    unknown_users: tuple[str, ...]
    missing_models: tuple[str, ...]  # kinds whose columns are therefore not known
    fallback: Text | None  # why a simple rule answers in place of a model; None: a model does


class RiskEngine:
    """Answers questions for churn risk. Safe to share between threads."""

    def __init__(self, home: Home, actions: ActionsConfig | None = None) -> None:
        self._home = home
        self._tags = TagStore(home)
        self._actions = actions or ActionsConfig()
        self._pointer = Watched(pointer(home))
        self._live = LiveModels(home)
        # LightGBM's contributions keep buffers inside the model; two threads must not share them.
        self._lock = threading.Lock()

    @property
    def model_version(self) -> str | None:
        """The version that answers carry; None when nothing is loaded."""
        return self.versions.get("churn")

    @property
    def versions(self) -> dict[str, str]:
        """Kind of model -> version that is loaded."""
        return self._live.versions

    def refresh(self) -> None:
        """Load what was deployed since the last look. A bundle that is refused is logged and the old one stays."""
        if self._pointer.changed():
            self._live.refresh()

    def score(self, user_ids: Sequence[str]) -> Risks:
        """Score users from their latest tags, in the order given.

        Users without tags are listed as unknown. Raises :class:`MissingStateError` when no churn model is deployed
        or no tags were built.
        """
        models = self._live.models()
        if models is None:
            raise MissingStateError("no churn model is deployed, so no risk can be given; run 'mallard deploy churn'")
        build = self._tags.latest()
        models = models.without_unread(set(build.tags))
        table = _tags_of(build, user_ids, models)
        users: dict[str, UserRisk] = {}
        if table.num_rows:
            with self._lock:
                told = forecast(models, table, self._actions)
            users = {user.user_id: user for user in _risks(told, build.as_of)}
        return Risks(
            request_id=uuid.uuid4().hex,
            model_version=models.version,
            as_of=build.as_of,
            horizon_days=round(models.churn.label.horizon_days),
            users=tuple(users[user] for user in user_ids if user in users),
            unknown_users=tuple(user for user in user_ids if user not in users),
            missing_models=models.missing,
            fallback=None if models.fallback is None else Text(*models.fallback),
        )


def _tags_of(build: TagBuild, user_ids: Sequence[str], models: Models) -> pa.Table:
    missing = [name for name in models.churn.required_tags if name not in build.tags]
    if missing:
        raise MissingStateError(
            f"the tags of {build.as_of.isoformat()} lack {', '.join(missing)}, which the churn model reads; "
            "build all tags: 'mallard tags build'"
        )
    read = dict.fromkeys((*models.required_tags, *(name for name in FATIGUE_TAGS if name in build.tags)))
    wanted = pc.field(c.USER_ID).isin(pa.array(user_ids, pa.string()))
    return pq.read_table(build.path, columns=[c.USER_ID, *read], filters=wanted)


def _risks(told: Forecast, as_of: datetime) -> Iterator[UserRisk]:
    scores = told.risk
    curve = told.curves.no_purchase(CURVE_DAYS)
    dates = told.next_purchase_on(as_of)
    for row in range(len(told)):
        name, code, english, chinese = told.action(row)
        month, quarter, year = (_known(value) for value in told.spend[row])
        yield UserRisk(
            user_id=scores.user_id[row],
            eligible=bool(scores.asked[row]),
            probability=float(scores.probability[row]),
            low=float(scores.low[row]),
            high=float(scores.high[row]),
            tier=str(scores.tier[row]),
            expected_purchases=float(scores.expected_purchases[row]),
            value_at_risk=float(told.value_at_risk[row]),
            reasons=tuple(RiskReason(r.code, r.value, r.raises, Text(r.text, r.text_zh)) for r in scores.reasons(row)),
            expected_value_30d=month,
            expected_value_90d=quarter,
            expected_value_365d=year,
            expected_next_purchase=dates[row],
            days_overdue=_known(told.overdue[row]),
            survival=tuple(CurvePoint(day, float(p)) for day, p in zip(CURVE_DAYS, curve[row], strict=True)),
            horizons=tuple(
                HorizonRisk(each.days, float(each.probability[row]), float(each.low[row]), float(each.high[row]))
                for each in scores.horizons
            ),
            uplift=_known(told.effect[row]),
            action=RiskAction(name, code, Text(english, chinese), float(told.recommended.profit[row])),
        )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
