"""What the detector holds to be impossible for a person (``configs/traffic.yaml``)."""

import hashlib
from collections.abc import Mapping
from math import ceil
from typing import Final, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from features.contracts.config import Config
from features.contracts.events import MALL_INITIATED, EventType

_LIMITS: Final[Mapping[EventType, int]] = {
    EventType.VIEW: 45,
    EventType.CLICK: 45,
    EventType.SEARCH: 20,
    EventType.FAVORITE: 30,
    EventType.CART_ADD: 30,
    EventType.ORDER: 5,
    EventType.REVIEW: 8,
    EventType.SHARE: 15,
    EventType.INVITE: 10,
    EventType.COUPON_RECEIVE: 20,
}


class BurstConfig(Config):
    """More deeds of one kind in a short time than hands can do."""

    seconds: PositiveInt = 60
    """Length of the sliding window, seconds."""
    limits: Mapping[EventType, PositiveInt] = Field(default=_LIMITS)
    """Event type -> moments (different times, so that the lines of one basket are one) in a window that are a burst."""

    @field_validator("limits")
    @classmethod
    def _only_deeds_of_users(cls, limits: Mapping[EventType, int]) -> Mapping[EventType, int]:
        wrong = [kind.value for kind in limits if kind in MALL_INITIATED]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} is what the mall does, not the user")
        return limits


class DwellConfig(Config):
    """Stays on a page that cannot have been."""

    run: PositiveInt = Field(default=10, ge=3)
    """Impossible, equal or zero stays of one actor and day that make a series, number of dwell events."""
    share: float = Field(default=0.6, gt=0, le=1)
    """Least share of the actor's stays of the day that are so, 0 to 1."""
    slack_seconds: float = Field(default=2.0, ge=0)
    """Seconds by which a stay may be longer than the time around it: clocks and networks."""
    zero_seconds: float = Field(default=0.2, ge=0)
    """A stay of at most so many seconds is no stay."""


class MetronomeConfig(Config):
    """Deeds that follow each other too evenly."""

    gaps: PositiveInt = Field(default=20, ge=5)
    """Gaps in a row that are looked at together, number."""
    spread: float = Field(default=0.1, gt=0, lt=1)
    """Largest standard deviation of these gaps as a share of their mean; people have 0.5 and more."""
    longest_seconds: float = Field(default=900.0, gt=0)
    """Gaps whose mean is longer are not judged, seconds."""


class SharedDeviceConfig(Config):
    """One device, many accounts that order."""

    accounts: PositiveInt = Field(default=8, ge=3)
    """Accounts that order through one device within the window, number. A family has fewer."""
    ring: PositiveInt = Field(default=4, ge=2)
    """Accounts that order the same item through one device within the window, number."""
    public_devices: frozenset[str] = frozenset()
    """Devices (as events have them) that many may share: a till, a counter's tablet. They are not judged."""


class SelfRefundConfig(Config):
    """Orders that are refunded at once, again and again."""

    soon_hours: float = Field(default=24.0, gt=0, le=240)
    """Hours after the order within which a refund counts as at once."""
    times: PositiveInt = Field(default=4, ge=2)
    """Orders of one account refunded at once within the window, number."""
    ring: PositiveInt = Field(default=4, ge=2)
    """Orders of several accounts refunded at once through one device within the window, number."""


class EvidenceConfig(Config):
    """What is odd, and proves nothing alone: the forest decides only together with one of these."""

    peak: PositiveInt = 45
    """Different moments, of any kind, in the busiest minute."""
    spread: float = Field(default=0.3, gt=0, lt=1)
    """Standard deviation of an actor's gaps as a share of their mean."""
    accounts: PositiveInt = 4
    """Accounts on the actor's device that day, number."""
    refunds: PositiveInt = 2
    """Refunds that day, number."""
    dwell_share: float = Field(default=0.5, gt=0, le=1)
    """Share of impossible stays that day."""


class ForestConfig(Config):
    """The isolation forest over what one actor did on one day."""

    refit_days: PositiveInt = 14
    """A new forest every so many days, counted from 1970-01-01."""
    reference_days: PositiveInt = 7
    """It is fitted on so many days before that, as they were known then."""
    sample_rows: PositiveInt = 20_000
    """Rows it is fitted on at most, actor-days."""
    least_rows: PositiveInt = 256
    """With fewer rows there is no forest and the rules judge alone."""
    least_moments: PositiveInt = 15
    """Actor-days with fewer different moments are neither fitted nor judged."""
    trees: PositiveInt = 100
    """Trees of the forest, number."""
    deviations: float = Field(default=4.0, gt=0)
    """A score is suspicious so many robust standard deviations (1.4826 times the median absolute deviation) above the
    median score of the reference; fakes among the reference do not move these."""
    extreme: float = Field(default=0.8, gt=0.5, le=1)
    """A score (Liu, Ting and Zhou's s, 0 to 1) that decides without evidence of a rule."""
    seed: int = 7
    """Seed of the sampling inside the forest."""
    night_hours: tuple[int, int] = (16, 22)
    """Night, first and last hour in UTC (the default is 00:00 to 06:00 in China)."""
    evidence: EvidenceConfig = EvidenceConfig()
    """What must be odd as well."""


class TrafficConfig(Config):
    """All of the detector."""

    window_days: PositiveInt = Field(default=7, le=60)
    """Days over which orders and refunds are seen together."""
    burst: BurstConfig = BurstConfig()
    """Bursts."""
    impossible_dwell: DwellConfig = DwellConfig()
    """Impossible stays."""
    metronome: MetronomeConfig = MetronomeConfig()
    """Too regular deeds."""
    shared_device: SharedDeviceConfig = SharedDeviceConfig()
    """Many accounts on one device."""
    self_refund: SelfRefundConfig = SelfRefundConfig()
    """Refunds at once."""
    forest: ForestConfig = ForestConfig()
    """The isolation forest."""

    @model_validator(mode="after")
    def _night_is_hours(self) -> Self:
        if not all(0 <= hour < 24 for hour in self.forest.night_hours):
            raise ValueError(f"forest.night_hours must be hours from 0 to 23, not {self.forest.night_hours}")
        return self

    @property
    def reach_days(self) -> int:
        """How many days before and after a day can decide about its orders."""
        return self.window_days - 1 + ceil(self.self_refund.soon_hours / 24)

    def fingerprint(self) -> str:
        """SHA-256 over every value."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
