"""How much an event of each type says about taste, as one table that sources share."""

import numpy as np
from pydantic import Field

from features.contracts.config import Config
from features.contracts.events import EVENT_TYPES
from training.interactions import Float32


class KindWeights(Config):
    """Weight of one event by type, a purchase being the unit. Types that are not named weigh nothing."""

    purchase: float = Field(default=1.0, ge=0)
    cart_add: float = Field(default=0.6, ge=0)
    favorite: float = Field(default=0.5, ge=0)
    click: float = Field(default=0.3, ge=0)
    view: float = Field(default=0.3, ge=0)

    def table(self) -> Float32:
        """(types,) the weights by type code."""
        weights = self.model_dump()
        return np.array([weights.get(str(kind), 0.0) for kind in EVENT_TYPES], dtype=np.float32)
