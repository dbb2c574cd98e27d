"""What churn means, who is asked about, and how the model is fitted: the blocks of ``configs/churn.yaml``."""

from datetime import timedelta
from typing import Self

from pydantic import Field, field_validator, model_validator

from features.contracts.config import Config
from features.contracts.durations import Duration
from features.contracts.events import MALL_INITIATED, EventType, SignOfLife


class OwnRhythm(Config):
    """Silence is judged by what is usual for each user, within the horizon."""

    times: float = Field(default=3.0, gt=0)
    """A user has churned when he is silent for this many of his own mean gaps between days with the event (count)."""
    least: Duration = timedelta(days=7)
    """Nobody has churned sooner: ``7d``."""


class ChurnLabel(Config):
    """A user has churned when he has no ``event`` in ``[cutoff + gap, cutoff + gap + horizon)``.

    With ``event: activity`` and a population that was ``active_within`` some days, that is the churn of GA4: active in
    the last days, not in the next ones.
    """

    event: SignOfLife = EventType.PURCHASE
    """What a user who stays would do: a type of event, or ``activity``: anything that he does himself."""
    horizon: Duration = timedelta(days=90)
    """Length of the label window: ``90d``."""
    gap: Duration | None = None
    """Time between the cut-off and the window, in which there is room to act: ``7d``; ``null``: none."""
    own_rhythm: OwnRhythm | None = None
    """Where given, the window of each user ends after his own measure, at the latest after the horizon."""

    @field_validator("event")
    @classmethod
    def _done_by_the_user(cls, value: SignOfLife) -> SignOfLife:
        if value in MALL_INITIATED:
            raise ValueError(f"'{value}' is done by the mall; churn needs something that the user does")
        return value

    @property
    def horizon_days(self) -> float:
        return self.horizon / timedelta(days=1)

    @property
    def opens(self) -> timedelta:
        """From the cut-off until the window begins."""
        return self.gap or timedelta()

    @property
    def closes(self) -> timedelta:
        """From the cut-off until every label is known."""
        return self.opens + self.horizon

    @property
    def of_next_purchases(self) -> bool:
        """Whether a probability of churn is that of no purchase within the horizon from now on."""
        return self.event is EventType.PURCHASE and self.gap is None and self.own_rhythm is None

    @property
    def text(self) -> str:
        """What has to be absent, and when: ``purchase within 90 days``."""
        gap = f", from {self.opens / timedelta(days=1):g} days on" if self.gap else ""
        return f"{self.event} within {self.horizon_days:g} days{gap}"


class Population(Config):
    """Who is asked about at a cut-off."""

    min_events: int = Field(default=1, ge=1)
    """Events of the label's type that a user needs before the cut-off (count)."""
    active_within: Duration | None = None
    """Only users with such an event within this time before the cut-off: ``90d``; ``null`` asks about all."""


class TierPolicy(Config):
    """What contacting costs and brings: the bounds of the tiers follow from it (:mod:`training.models.tiers`)."""

    value: float | None = Field(default=None, gt=0)
    """What a user who stays is worth (currency); ``null``: what each is expected to spend within the horizon."""
    contact_cost: float | None = Field(default=None, ge=0)
    """Of one contact (currency); ``null``: 0.5 % of the mean value."""
    offer_cost: float | None = Field(default=None, ge=0)
    """Of the offer to one who takes it (currency); ``null``: 5 % of the mean value."""
    success_rate: float = Field(default=0.3, gt=0, lt=1)
    """Share of those about to leave whom the offer keeps, at the mean (share)."""
    success_certainty: float = Field(default=20.0, gt=0)
    """How well that share is known: as if so many contacts had been counted (count)."""
    capacity: float | None = Field(default=0.2, gt=0, le=1)
    """Share of users who can be contacted at once; ``null``: all."""
    red: float | None = Field(default=None, gt=0, lt=1)
    """Overrides: from this probability on a user is red, whatever contacting costs (share, 0 to 1)."""
    yellow: float | None = Field(default=None, gt=0, lt=1)
    """Overrides: from this probability on a user is yellow, below it blue (share, 0 to 1)."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.red is None) != (self.yellow is None):
            raise ValueError("give red and yellow, or neither: then the bounds follow from costs and capacity")
        if self.red is not None and self.yellow is not None and self.yellow >= self.red:
            raise ValueError(f"yellow ({self.yellow}) must be below red ({self.red})")
        return self


class TierThresholds(Config):
    """Risk tiers by churn probability, as a model carries them."""

    red: float = Field(default=0.75, gt=0, lt=1)
    """From this probability on a user is red (share, 0 to 1)."""
    yellow: float = Field(default=0.5, gt=0, lt=1)
    """From this probability on a user is yellow, below it blue (share, 0 to 1)."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.yellow >= self.red:
            raise ValueError(f"yellow ({self.yellow}) must be below red ({self.red})")
        return self


class SnapshotConfig(Config):
    """Past cut-offs that the model learns from; their number and distance follow from the history."""

    most: int = Field(default=12, ge=1, le=60)
    """Snapshots at most (count)."""
    rows: int = Field(default=120_000, ge=1_000)
    """Training rows at most, all snapshots together; users are thinned evenly above it (count)."""
    least_history: float = Field(default=3.0, ge=1.5)
    """History before the cut-off that is needed, as a multiple of the horizon: to know users, to label them, and to
    judge on a later window (horizons)."""
    least_of_each_class: int = Field(default=50, ge=1)
    """Users who churned, and users who stayed, that the snapshots together must hold (count)."""


class BoostingConfig(Config):
    """LightGBM; leaves and rounds are chosen on validation snapshots among these."""

    leaves: tuple[int, ...] = (15,)
    """Sizes of tree to try (leaves)."""
    rounds: tuple[int, ...] = (30, 60, 120)
    """Numbers of trees to try, ascending (count)."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """Shrinkage of each tree."""
    members: int = Field(default=2, ge=1, le=20)
    """Models per kind that differ by seed and are averaged (count)."""
    threads: int = Field(default=2, ge=1)
    """Threads at most; no more than the machine has are used (count)."""

    @field_validator("rounds")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] < 1 or list(value) != sorted(set(value)):
            raise ValueError("rounds must be positive, different and ascending")
        return value

    @field_validator("leaves")
    @classmethod
    def _trees(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 2:
            raise ValueError("leaves must be at least 2")
        return value


class ChurnConfig(Config):
    """The whole of ``configs/churn.yaml``. One default serves every data set; choices are made on its own past."""

    label: ChurnLabel = ChurnLabel()
    horizons: tuple[Duration, ...] = (timedelta(days=7), timedelta(days=30), timedelta(days=90))
    """Further horizons over which churn is foretold, each by a head of its own: ``[7d, 30d, 90d]``. Those for which the
    history is too short are left out."""
    population: Population = Population()
    tiers: TierPolicy = TierPolicy()
    snapshots: SnapshotConfig = SnapshotConfig()
    boosting: BoostingConfig = BoostingConfig()
    tags: tuple[str, ...] | None = None
    """Tags that the trees may read; ``null``: every numeric tag of behaviour that is no rank among users."""
    seed: int = Field(default=20170101, ge=0)
    """Start of every random number; equal inputs and seed give equal models."""
