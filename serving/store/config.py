"""``store`` in ``configs/serving.yaml``: how much the online store takes in."""

from pydantic import Field

from features.contracts.config import Config


class StoreConfig(Config):
    """Bounds of what waits and of what is kept."""

    queued_events: int = Field(default=2_000_000, ge=1)
    """Events that wait for the lake; from there on more are refused (429) until some have moved."""
    waiting_batches: int = Field(default=24, ge=1)
    """Batches of events that one worker holds while they are written; more are refused (429)."""
    max_bytes: int | None = Field(default=None, ge=1_000_000)
    """Largest size of the embedded store's file; from there on events are refused (507), reads go on.
    null: as large as the disk."""
