"""The section ``refresh`` of ``configs/serving.yaml``."""

from pydantic import Field

from features.contracts.config import Config
from features.contracts.events import EventType


class RefreshConfig(Config):
    """When the tags of a user are built anew while the server runs, and when events move into the lake."""

    views_above: int = Field(default=5, ge=0)
    """Item views since a user's last refresh; with one more he is due at once."""
    at_once: tuple[EventType, ...] = (EventType.ORDER, EventType.PURCHASE)
    """Types of event that make their user due at once."""
    every_seconds: float = Field(default=60.0, gt=0)
    """A user with any other new event is due when it has waited so long, in seconds."""
    poll_seconds: float = Field(default=0.5, gt=0, le=1)
    """Pause between two looks at the store, in seconds."""
    batch_users: int = Field(default=500, ge=1)
    """Most users in one build; bounds its memory."""
    drain_every_seconds: float = Field(default=600.0, gt=0)
    """How often the server moves what it has received into the lake, in seconds."""
