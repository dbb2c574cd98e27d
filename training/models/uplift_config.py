"""How the effect of a message is learnt: the blocks of ``configs/uplift.yaml``."""

from datetime import timedelta

from pydantic import Field, field_validator

from features.contracts.config import Config
from features.contracts.durations import Duration
from features.contracts.events import MALL_INITIATED, EventType
from training.models.churn_config import BoostingConfig

#: A visit, whatever of it a log records.
VISIT = (
    EventType.SESSION_START,
    EventType.VIEW,
    EventType.CLICK,
    EventType.SEARCH,
    EventType.CART_ADD,
    EventType.ORDER,
    EventType.PURCHASE,
)


class OutcomeConfig(Config):
    """What a message is meant to bring about."""

    events: tuple[EventType, ...] = VISIT
    """Any one of them counts; by default a visit."""
    window: Duration = timedelta(days=2)
    """Within this time after the message, or after the others of the campaign got theirs."""

    @field_validator("events")
    @classmethod
    def _done_by_the_user(cls, value: tuple[EventType, ...]) -> tuple[EventType, ...]:
        if not value or any(event in (*MALL_INITIATED, EventType.MESSAGE_OPEN) for event in value):
            raise ValueError("an effect needs at least one event that a user does, and only such as need no message")
        return value


class UpliftConfig(Config):
    """The whole of ``configs/uplift.yaml``."""

    outcome: OutcomeConfig = OutcomeConfig()
    campaigns: int = Field(default=6, ge=1, le=100)
    """Newest campaigns whose window has closed, to learn from (count)."""
    rows: int = Field(default=90_000, ge=1_000)
    """Rows at most, all campaigns together; users are thinned evenly above it (count)."""
    least_of_arm: int = Field(default=500, ge=10)
    """Users who were contacted, and users who were not, that there must be (count)."""
    least_outcomes: int = Field(default=50, ge=1)
    """Outcomes in each arm that there must be (count)."""
    imbalance_p: float = Field(default=0.001, gt=0, lt=1)
    """Below this p-value the arms are held not to be random (probability)."""
    folds: int = Field(default=4, ge=2, le=20)
    """Held-out folds that the learner is chosen on (count)."""
    boosting: BoostingConfig = BoostingConfig(leaves=(3,), rounds=(60,), members=1)
    tags: tuple[str, ...] | None = None
    """Tags that may be read; ``null``: every numeric tag of behaviour that is no rank among users."""
    seed: int = Field(default=20170101, ge=0)
    """Start of every random number; equal inputs and seed give equal models."""
