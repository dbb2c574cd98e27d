"""``configs/serving.yaml``: every parameter of the server, with unit and default. The file may be absent."""

from pydantic import Field

from features.contracts.config import Config
from serving.engine.config import EngineConfig
from serving.marketing.config import MarketingConfig
from serving.refresh.config import RefreshConfig
from serving.store.config import StoreConfig


class LimitsConfig(Config):
    """What one request may ask for."""

    body_bytes: int = Field(default=1_048_576, ge=1024)
    """Longest request body."""
    events: int = Field(default=1000, ge=1)
    """Most events of one POST, and most items or users of one PUT."""
    page: int = Field(default=10_000, ge=1)
    """Longest page of a churn list as JSON; the file formats have no limit unless asked for one."""


class ServingConfig(Config):
    """All of it."""

    engine: EngineConfig = EngineConfig()
    limits: LimitsConfig = LimitsConfig()
    marketing: MarketingConfig = MarketingConfig()
    refresh: RefreshConfig = RefreshConfig()
    store: StoreConfig = StoreConfig()
