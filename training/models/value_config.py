"""How expected spend is learnt: the blocks of ``configs/value.yaml``."""

from typing import Final

from pydantic import Field, field_validator

from features.contracts.config import Config
from training.models.churn_config import BoostingConfig, Population, SnapshotConfig

#: Windows over which spend is foretold, days.
HORIZONS: Final = (30, 90, 365)
#: A day by which it is foretold whether a user buys, beside the windows of spend.
FIRST_KNOT: Final = 7


class ValueConfig(Config):
    """The whole of ``configs/value.yaml``. One default serves every data set; choices are made on its own past."""

    horizons: tuple[int, ...] = HORIZONS
    """Windows of expected spend, ascending (days). One that the history cannot teach is grown from a shorter one."""
    population: Population = Population()
    snapshots: SnapshotConfig = SnapshotConfig(most=8, rows=100_000)
    boosting: BoostingConfig = BoostingConfig(rounds=(80, 160, 320), members=1)
    tags: tuple[str, ...] | None = None
    """Tags that the trees may read; ``null``: every numeric tag of behaviour that is no rank among users."""
    seed: int = Field(default=20170101, ge=0)
    """Start of every random number; equal inputs and seed give equal models."""

    @field_validator("horizons")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] < 1 or list(value) != sorted(set(value)) or value[-1] > HORIZONS[-1]:
            raise ValueError(f"horizons must be different and ascending, from 1 to {HORIZONS[-1]} days")
        return value

    @property
    def knots(self) -> tuple[int, ...]:
        """Days by which it is foretold whether a user buys."""
        return tuple(sorted({FIRST_KNOT, *self.horizons}))
