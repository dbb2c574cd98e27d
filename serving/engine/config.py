"""Parameters of the engine."""

from pydantic import Field

from features.contracts.config import Config
from serving.engine.guard import GuardConfig


class EngineConfig(Config):
    """How recommendations are made, over all placements."""

    default_placement: str = "home"
    """The placement of a request that names none."""
    recent_events: int = Field(default=100, ge=0, le=1000)
    """How many of a user's events since the last training are read per request."""
    stale_after_days: float = Field(default=60.0, gt=0)
    """A model whose data ends longer ago answers as of that end, and says ``stale_model`` in ``degraded``: recency
    features measured over years it has never seen would mean nothing."""
    served_days: int = Field(default=90, ge=0, le=3650)
    """How many days the lists of placements that explore stay logged with their propensities; 0: not at all."""
    reload_seconds: float = Field(default=1.0, gt=0)
    """How often a worker looks whether another model was deployed or another snapshot written."""
    deadline_ms: float = Field(default=50.0, gt=0)
    """How long an answer may take, in milliseconds; near it a simpler list is given, named in ``degraded``."""
    batch_questions: int = Field(default=16, ge=1, le=512)
    """Most questions that are answered together when several wait."""
    guard: GuardConfig = GuardConfig()
    """When a version that is tried is taken back."""
