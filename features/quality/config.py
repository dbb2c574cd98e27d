"""The limits of data quality (``configs/quality.yaml``)."""

from datetime import date

from pydantic import Field

from features.contracts.config import Config


class QualityConfig(Config):
    """What a row may be like and how many may be wrong."""

    error_limit: float = Field(default=0.005, ge=0, le=1)
    """Largest share of quarantined rows that a run may have, 0 to 1."""
    earliest: date = date(1990, 1, 1)
    """Events before this day (UTC) are impossible."""
    future_days: float = Field(default=1.0, ge=0)
    """Days after now up to which an event's time is believed (clocks differ)."""
    max_id_bytes: int = Field(default=128, ge=1)
    """Longest id or word, in bytes of UTF-8."""
    max_properties_bytes: int = Field(default=16_384, ge=2)
    """Longest ``properties``, in bytes of UTF-8."""
