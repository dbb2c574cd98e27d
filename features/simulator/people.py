"""The people of one block: own rates, tastes, hours, sensitivities and what a message does to them."""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from features.simulator.catalogue import Catalogue
from features.simulator.randomness import Bool, Float32, Float64, Int8, Int32, Purpose, generator
from features.simulator.world import World

#: Channels by stored code.
CHANNELS: Final = ("mini_program", "official_account", "wecom", "channels", "alipay", "web", "store")
_CHANNEL_SHARES: Final = (0.55, 0.12, 0.08, 0.08, 0.09, 0.05, 0.03)
ALIPAY: Final = CHANNELS.index("alipay")

#: Probability with which a campaign is sent to a person, by his first channel: randomised, and logged.
SEND_PROBABILITY: Final = np.array([0.5, 0.3, 0.7, 0.5, 0.3, 0.5, 0.5], np.float32)

_WEEKEND: Final = np.array([0.95, 0.9, 0.9, 0.95, 1.05, 1.15, 1.1])
_PEAK_HOURS: Final = np.array([8.0, 12.5, 20.0, 22.5])  # China time
_PEAK_SHARES: Final = (0.15, 0.25, 0.4, 0.2)
_CHINA: Final = 8.0  # hours before UTC
_CONSENT_SHARE: Final = 0.85
_INDIFFERENT: Final = (-0.915, -0.05)  # between these standard scores a message changes nothing
_CATEGORY_TASTE: Final = 1.2  # weight of taste in the choice of a category


@dataclass(frozen=True)
class People:
    """``n`` people, ghosts (visitors who never register) at the end. Every field is an array over people."""

    visit_rate: Float32  # per day, quiet and neutral
    order_rate: Float32  # per visit day
    drop_out_rate: Float32  # hazard per day, neutral
    joined: Int32  # day of registration, negative before the start
    coupon_sensitivity: Float32  # weight of a promotion's pull in log rates
    price_sensitivity: Float32  # taken off the affinity per unit of log relative price
    message_effect: Float32  # added to the log visit rate on the day of a message
    tiring: Float32  # probability that a message makes tired
    opening: Float32  # probability of opening a message
    bad_experience: Float32  # probability that a paid order disappoints
    coupon_use: Float32  # probability that an order is paid with a coupon
    searching: Float32  # probability that a visit has a search
    more_visits: Float32  # mean number of further visits on a visit day
    weekday: Float32  # (n, 7) factor on the visit rate, mean 1
    peak: Float32  # favourite hour, UTC
    factors: Float32  # (n, f + 2) latent taste, 1, minus the price sensitivity
    believed: Float32  # (n, f) the tastes that the mall's policy believes in
    first_channel: Int8
    consent: Bool  # to marketing
    send_probability: Float32  # per campaign day, 0 without consent
    device: Int32  # own device
    shared_device: Int32  # the household's device, -1 without
    second: Int32  # number of the second account among second accounts, -1 without
    ghost: Bool

    def __len__(self) -> int:
        return len(self.joined)

    def some(self, rows: slice | npt.NDArray[np.integer]) -> Self:
        """The people of ``rows``."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def make_people(world: World, block: int) -> People:
    """The people of ``block``."""
    random = generator(world.seed, Purpose.PEOPLE, block)
    registered = world.people_of(block)
    n = registered + round(registered * world.ghost_share)
    ghost = np.arange(n) >= registered
    newcomer = (random.random(n) < world.newcomer_share) & ~ghost
    channel = random.choice(len(CHANNELS), n, p=_CHANNEL_SHARES).astype(np.int8)
    consent = (random.random(n) < _CONSENT_SHARE) & ~ghost
    weekday = _WEEKEND * random.gamma(4.0, 0.25, (n, 7))
    hours = random.choice(_PEAK_HOURS, n, p=_PEAK_SHARES) + random.normal(0, 1.0, n)
    taste = random.normal(0, 1, (n, world.factors))
    noise = random.normal(0, world.policy_noise, (n, world.factors))
    price_sensitivity = random.gamma(2.0, 0.3, n)
    visit_rate = _gamma(random, world.visit_rate_shape, world.visit_rate_mean, n)
    coupon_sensitivity = 2 * random.beta(2, 2, n)
    opening = random.beta(2, 6, n)
    return People(
        visit_rate=_single(visit_rate * world.visit_scale),
        order_rate=_single(np.where(ghost, 0, _gamma(random, world.order_rate_shape, world.order_rate_mean, n))),
        drop_out_rate=_single(_gamma(random, world.drop_out_shape, world.drop_out_mean, n)),
        joined=np.where(newcomer, random.integers(0, world.days, n), -random.integers(1, 800, n)).astype(np.int32),
        coupon_sensitivity=_single(coupon_sensitivity),
        price_sensitivity=_single(price_sensitivity),
        message_effect=_single(_message_effects(random, coupon_sensitivity, opening, visit_rate)),
        tiring=_single(random.beta(1.5, 6, n)),
        opening=_single(opening),
        bad_experience=_single(random.beta(1.5, 12, n)),
        coupon_use=_single(0.6 * random.beta(2, 4, n) + 0.2 * coupon_sensitivity),
        searching=_single(random.beta(2, 4, n)),
        more_visits=_single(random.gamma(1.0, 0.2, n)),
        weekday=_single(weekday / weekday.mean(axis=1, keepdims=True)),
        peak=_single((hours - _CHINA) % 24),
        factors=_single(np.column_stack((taste, np.ones(n), -price_sensitivity))),
        believed=_single((taste + noise) / (1 + world.policy_noise**2)),
        first_channel=channel,
        consent=consent,
        send_probability=_single(np.where(consent, SEND_PROBABILITY[channel], 0)),
        device=np.arange(n, dtype=np.int32),
        shared_device=_households(random, world.household_share, registered, n),
        second=_second_accounts(random, world.second_account_share, ghost),
        ghost=ghost,
    )


def category_table(tastes: Float32, catalogue: Catalogue) -> Float32:
    """(n, k) running sums of the probabilities with which people of ``tastes`` (n, f) want each category.

    A multinomial logit: demand of the category plus 1.2 times taste times category factor.
    """
    factors = catalogue.category_factors
    logits = catalogue.category_weight + np.float32(_CATEGORY_TASTE) * (tastes[:, : factors.shape[1]] @ factors.T)
    np.exp(logits - logits.max(axis=1, keepdims=True), out=logits)
    sums = np.cumsum(logits, axis=1, out=logits)
    sums /= sums[:, -1:].copy()
    return sums


def _message_effects(
    random: np.random.Generator, coupon_sensitivity: Float64, opening: Float64, visit_rate: Float64
) -> Float64:
    """Effect on the log visit rate: positive for about 52 % of people, zero for 30 %, negative for 18 %.

    Which it is shows, through noise, in what can be observed: people who like coupons, open messages and come rarely
    are won; those who come anyway are annoyed.
    """
    inclination = (
        1.2 * (coupon_sensitivity - 1) / 0.447 + 0.8 * (opening - 0.25) / 0.144 - 0.8 * _standard(np.log(visit_rate))
    )
    score = (inclination + random.normal(0, 1, len(opening))) / 1.93
    more = np.abs(random.normal(0.6, 0.2, len(opening)))
    less = -np.abs(random.normal(0.5, 0.15, len(opening)))
    return np.where(score > _INDIFFERENT[1], more, np.where(score > _INDIFFERENT[0], 0.0, less))


def _standard(values: Float64) -> Float64:
    return np.asarray((values - values.mean()) / values.std())


def _second_accounts(random: np.random.Generator, share: float, ghost: Bool) -> Int32:
    second = np.full(len(ghost), -1, np.int32)
    owners = np.flatnonzero((random.random(len(ghost)) < share) & ~ghost)
    second[owners] = np.arange(len(owners))
    return second


def _households(random: np.random.Generator, share: float, registered: int, n: int) -> Int32:
    """The device of the first of two neighbours, for both, where they are a household."""
    shared = np.full(n, -1, np.int32)
    firsts = np.flatnonzero(random.random(registered // 2) < share) * 2
    shared[firsts] = firsts
    shared[firsts + 1] = firsts
    return shared


def _gamma(random: np.random.Generator, shape: float, mean: float, n: int) -> Float64:
    return random.gamma(shape, mean / shape, n)


def _single(values: Float64) -> Float32:
    return values.astype(np.float32)
