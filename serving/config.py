"""``configs/serving.yaml``: every parameter of the server, with unit and default. The file may be absent."""

from typing import Literal

from pydantic import Field

from features.contracts.config import Config
from serving.access.config import AccessConfig
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


class LogsConfig(Config):
    """What the server writes to standard error, one JSON object per line."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    """The least level that is written."""
    access: bool = False
    """One line per request: route, status, milliseconds, key id, request id. Never the id of a user."""


class TracingConfig(Config):
    """OpenTelemetry traces of requests. Without an address, here or in the environment, there are none."""

    endpoint: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    """Base address of a collector that takes OTLP over HTTP; null: ``OTEL_EXPORTER_OTLP_ENDPOINT``, where it is set."""
    sample: float = Field(default=0.01, ge=0, le=1)
    """Share of the requests that are traced, of those whose caller has not decided (``traceparent``)."""


class ServingConfig(Config):
    """All of it."""

    access: AccessConfig = AccessConfig()
    logs: LogsConfig = LogsConfig()

    engine: EngineConfig = EngineConfig()
    limits: LimitsConfig = LimitsConfig()
    marketing: MarketingConfig = MarketingConfig()
    refresh: RefreshConfig = RefreshConfig()
    store: StoreConfig = StoreConfig()
    tracing: TracingConfig = TracingConfig()
