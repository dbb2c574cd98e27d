"""What a simulated mall is made of: sizes, seed and every constant of its behaviour."""

from datetime import UTC, date, datetime, time
from typing import Any, Final, Self

from pydantic import Field, ValidationError, model_validator

from features.contracts.config import Config
from features.contracts.errors import InputError

#: Changes whenever the same parameters give another mall.
VERSION: Final = 1
#: Horizons of the true probabilities, days.
HORIZONS: Final = (7, 30, 90)


class World(Config):
    """All parameters of a mall. The same world gives the same files, to the byte, on any number of processes."""

    users: int = Field(ge=10, le=50_000_000)
    """Registered people (fake accounts and second accounts come on top)."""
    items: int = Field(ge=40, le=5_000_000)
    """Items of the catalogue, among them those that appear over time."""
    days: int = Field(ge=4, le=1_500)
    """Simulated days (UTC)."""
    seed: int = Field(default=0, ge=0)
    """Root of every random number."""
    start: date = date(2025, 1, 1)
    """First day (UTC)."""
    events: int | None = Field(default=None, ge=1)
    """Wanted number of events; met within about 5 % by scaling visit rates. None: rates as they are."""
    block_users: int = Field(default=50_000, ge=10)
    """People simulated together. Part of the world: another block size gives another mall of the same law."""
    visit_scale: float = Field(default=1.0, gt=0)
    """Factor on every visit rate; set by ``events``."""

    # --- people ---------------------------------------------------------------------------------------
    visit_rate_shape: float = Field(default=0.9, gt=0)
    """Gamma shape of own visit rates over people (NBD heterogeneity); smaller is more unequal."""
    visit_rate_mean: float = Field(default=0.045, gt=0)
    """Mean rate of visit days in a quiet, neutral state, per day."""
    order_rate_shape: float = Field(default=1.2, gt=0)
    """Gamma shape of own order rates over people."""
    order_rate_mean: float = Field(default=0.16, gt=0)
    """Mean rate of orders per visit day."""
    drop_out_shape: float = Field(default=1.1, gt=0)
    """Gamma shape of own drop-out hazards over people."""
    drop_out_mean: float = Field(default=0.004, gt=0)
    """Mean hazard of dropping out, per day, in a neutral state."""
    newcomer_share: float = Field(default=0.35, ge=0, le=1)
    """Share of people who register during the simulated days, evenly."""
    ghost_share: float = Field(default=0.03, ge=0, le=0.05)
    """Anonymous visitors who never register, over people."""
    second_account_share: float = Field(default=0.01, ge=0, le=0.02)
    """Share of people with a second account (Alipay)."""
    household_share: float = Field(default=0.03, ge=0, le=1)
    """Share of people who now and then use the device of another one of their household."""
    anonymous_share: float = Field(default=0.03, ge=0, le=1)
    """Share of visits that begin without login."""

    # --- state of a person, changing by day -----------------------------------------------------------
    heat_visit: tuple[float, float] = (1.0, 3.0)
    """Factor on the visit rate when quiet, when excited by an own recent visit."""
    heat_up: float = Field(default=0.35, ge=0, le=1)
    """Probability that a visit day excites a quiet person."""
    heat_down: float = Field(default=0.25, ge=0, le=1)
    """Probability that a day without visit calms an excited person."""
    mood_visit: tuple[float, float, float] = (1.15, 1.0, 0.6)
    """Factor on the visit rate when content, neutral, annoyed."""
    mood_order: tuple[float, float, float] = (1.2, 1.0, 0.5)
    """Factor on the order rate when content, neutral, annoyed."""
    mood_hazard: tuple[float, float, float] = (0.6, 1.0, 3.5)
    """Factor on the drop-out hazard when content, neutral, annoyed."""
    good_experience: float = Field(default=0.35, ge=0, le=1)
    """Probability that a paid order lifts the mood by one step."""
    failure_annoys: float = Field(default=0.5, ge=0, le=1)
    """Probability that an order which could not be paid lowers the mood by one step."""
    tired_hazard: float = Field(default=2.0, ge=1)
    """Factor on the drop-out hazard of a person who is tired of messages."""
    tired_effect: float = Field(default=0.25, ge=0)
    """Taken off a message's effect on the log visit rate when the person is tired of messages."""
    tired_recovery: float = Field(default=0.06, ge=0, le=1)
    """Probability that a day without message ends the tiredness."""
    order_heat: float = Field(default=1.3, gt=0)
    """Factor on the order rate of an excited person."""
    order_effect: float = Field(default=0.5, ge=0)
    """Share of a message's effect on the log visit rate that the log order rate shares."""

    # --- money ----------------------------------------------------------------------------------------
    payment_failure: float = Field(default=0.04, ge=0, le=1)
    """Probability that a payment fails at first."""
    payment_retry: float = Field(default=0.6, ge=0, le=1)
    """Probability that a failed payment is tried again and goes through."""
    extra_lines: float = Field(default=0.6, ge=0)
    """Mean of the Poisson number of lines beyond the first, cut at ``most_extra_lines``."""
    most_extra_lines: int = Field(default=4, ge=0)
    """Most lines beyond the first."""
    quantities: tuple[float, float, float] = (0.8, 0.15, 0.05)
    """Probabilities of 1, 2 and 3 pieces in a line."""
    coupon_discount: float = Field(default=0.1, ge=0, lt=1)
    """Share taken off an order paid with a coupon."""

    # --- choice of items ------------------------------------------------------------------------------
    factors: int = Field(default=16, ge=2)
    """Latent taste dimensions."""
    candidates: int = Field(default=12, ge=2)
    """Items that a person considers before he buys one, drawn from the category by popularity."""
    choice_sharpness: float = Field(default=1.5, ge=0)
    """Weight of affinity in the choice among candidates (a logit)."""
    feed_share: float = Field(default=0.2, ge=0, le=1)
    """Share of bought lines that are chosen among the items of the recommendation feed of the visit."""
    rebuy: float = Field(default=0.6, ge=0, le=1)
    """Probability that the first line of an order is the item whose own cycle is over, if there is one."""
    exploration: float = Field(default=0.2, gt=0, le=1)
    """Share of recommendation slots filled without regard to the person."""
    policy_noise: float = Field(default=0.8, ge=0)
    """Standard deviation, per dimension, of the error in the tastes that the mall's policy believes in."""
    click_base: float = -1.6
    """Log odds of a click on an examined item of affinity 0."""
    examination: tuple[float, ...] = (0.95, 0.7, 0.55, 0.42, 0.33)
    """Probability that the place is looked at, place 0 first."""
    category_fatigue: float = Field(default=0.4, ge=0)
    """Taken off the log odds of a click per earlier day running on which the first category shown was this one."""

    # --- fraud ----------------------------------------------------------------------------------------
    people_per_ring: int = Field(default=1_000, ge=1)
    """One order-brushing ring per so many people."""
    people_per_farm: int = Field(default=1_500, ge=1)
    """One click-farm account per so many people."""

    @model_validator(mode="after")
    def _possible_start(self) -> Self:
        if not 1990 <= self.start.year <= 2200:
            raise ValueError(f"start is {self.start}; it must lie between 1990 and 2200")
        return self

    @property
    def blocks(self) -> int:
        return -(-self.users // self.block_users)

    @property
    def midnight(self) -> datetime:
        """The first moment of the mall, UTC."""
        return datetime.combine(self.start, time(), UTC)

    @property
    def truth_days(self) -> tuple[int, ...]:
        """Days (from ``start``) at whose midnight the true probabilities are given."""
        return tuple(sorted({self.days * eighth // 8 for eighth in (4, 5, 6, 7)}))

    def people_of(self, block: int) -> int:
        """How many people live in ``block``."""
        return min(self.block_users, self.users - block * self.block_users)

    @property
    def numbers_per_block(self) -> int:
        """Account numbers set aside for a block: people, ghosts, second and fake accounts."""
        return self.block_users + self.block_users // 5 + 64


def make_world(**parameters: Any) -> World:
    """The world of ``parameters``. Raises :class:`InputError` that names every parameter that cannot be used."""
    try:
        return World(**parameters)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc'])) or 'world'}: {p['msg']}" for p in error.errors()]
        raise InputError("; ".join(problems)) from error
