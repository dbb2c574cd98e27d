"""What the law makes of a known state: exact probabilities and expectations, by forward recursion over the states.

While a person lives he is in one of 2 x 3 x 2 states, so the distribution over states, restricted to paths without an
own action (or without a purchase), is carried forward day by day; what is left after a horizon is the probability. No
sampling is involved: the error is that of single precision.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.simulator.dynamics import Dynamics, State
from features.simulator.people import People
from features.simulator.randomness import Float32
from features.simulator.world import HORIZONS

_CHUNK: Final = 4_096
_HEAT: Final = np.arange(2).reshape(2, 1, 1, 1)
_MOOD: Final = np.arange(3).reshape(3, 1, 1)
_TIRED: Final = np.arange(2).reshape(2, 1)


@dataclass(frozen=True)
class Outlook:
    """The true future of ``n`` people at a midnight; arrays are (horizons, n) in the order of ``HORIZONS``."""

    no_action: Float32  # probability of no own action
    no_purchase: Float32
    orders: Float32  # expected number of paid orders
    spend: Float32  # expected sum paid, per unit of a basket's worth at list prices


def outlook(dynamics: Dynamics, people: People, state: State, day: int) -> Outlook:
    """The future of ``people`` whose ``state`` at midnight before ``day`` is known."""
    parts = [
        _outlook(dynamics, people.some(rows), state.some(rows), day)
        for rows in (slice(at, at + _CHUNK) for at in range(0, len(people), _CHUNK))
    ]
    return Outlook(*(np.concatenate(p, axis=1) for p in zip(*[(o.no_action, o.no_purchase, o.orders, o.spend)
                                                              for o in parts], strict=True)))  # fmt: skip


def daily_orders(dynamics: Dynamics, people: People, state: State, day: int, days: int) -> Float32:
    """(days, n) probability of a paid order on each of ``days`` days from ``day``, given the ``state`` before it.

    Who has not registered by a day orders nothing on it; whether he drops out or cools down before is not counted.
    """
    living = _start(state)
    dropping = dynamics.drop_out(people, _MOOD, _TIRED)[None]
    orders = np.zeros((days, len(people)), np.float32)
    for ahead in range(days):
        here = people.joined <= day + ahead
        living_on, sold = _Today(dynamics, people, day + ahead).move(living * (1 - dropping), _ALL)
        living = np.where(here, living_on, living)
        orders[ahead] = np.where(here, sold, 0)
    return orders


def _outlook(dynamics: Dynamics, people: People, state: State, day: int) -> Outlook:
    n = len(people)
    start = _start(state)
    gone = 1 - state.alive.astype(np.float32)
    idle, unsold, living = start, start, start
    idle_gone, unsold_gone = gone, gone
    orders, spend = np.zeros(n, np.float32), np.zeros(n, np.float32)
    found: list[tuple[Float32, ...]] = []
    dropping = dynamics.drop_out(people, _MOOD, _TIRED)[None]
    for ahead in range(max(HORIZONS)):
        today = _Today(dynamics, people, day + ahead)
        idle_gone = idle_gone + (idle * dropping).sum(axis=(0, 1, 2))
        unsold_gone = unsold_gone + (unsold * dropping).sum(axis=(0, 1, 2))
        stays = 1 - dropping
        idle = today.move(idle * stays, _IDLE)[0]
        unsold = today.move(unsold * stays, _UNSOLD)[0]
        living, sold = today.move(living * stays, _ALL)
        orders = orders + sold
        spend = spend + sold * (1 - dynamics.seasons.price_cut[day + ahead])
        if ahead + 1 in HORIZONS:
            found.append((
                idle.sum(axis=(0, 1, 2)) + idle_gone, unsold.sum(axis=(0, 1, 2)) + unsold_gone, orders, spend,
            ))  # fmt: skip
    return Outlook(*(np.array(rows, np.float32) for rows in zip(*found, strict=True)))


def _start(state: State) -> Float32:
    """(2, 3, 2, n) where the living are."""
    start = np.zeros((2, 3, 2, len(state.alive)), np.float32)
    start[state.heat, state.mood, state.tired, np.arange(len(state.alive))] = state.alive
    return start


_IDLE: Final = "without an own action"
_UNSOLD: Final = "without a purchase"
_ALL: Final = "all"


class _Today:
    """The transitions of one day, shared by the three recursions."""

    def __init__(self, dynamics: Dynamics, people: People, day: int) -> None:
        self._world = dynamics.world
        self._people = people
        self._unpaid = dynamics.unpaid
        probability = dynamics.send(people, day)
        cases: list[tuple[int, Float32 | float]] = [(0, 1.0)]
        if probability is not None:
            cases = [(0, 1 - probability), (1, probability)]
        self._cases = [
            (
                sent,
                weight,
                dynamics.visit(people, day, _HEAT, _MOOD, _TIRED[: sent + 1], np.int8(sent)),
                dynamics.order(people, day, _HEAT, _MOOD, _TIRED[: sent + 1], np.int8(sent)),
            )
            for sent, weight in cases
        ]

    def move(self, mass: Float32, kept: str) -> tuple[Float32, Float32]:
        """``mass`` (2, 3, 2, n) after the day, of the ``kept`` paths only; and the expected paid orders, (n,)."""
        world = self._world
        after = np.zeros_like(mass)
        sold = np.zeros(mass.shape[-1], np.float32)
        for sent, weight, visit, order in self._cases:
            reached = mass * weight
            came = reached * visit
            stayed = reached - came
            if kept == _IDLE:
                moved = _cool(stayed * (1 - self._people.opening) if sent else stayed, world.heat_down)
            else:
                tried = came * order
                moved = came - tried
                failed = tried * self._unpaid
                moved += failed * np.float32(1 - world.failure_annoys)
                _shift_down(moved, failed * np.float32(world.failure_annoys))
                if kept == _ALL:
                    paid = tried - failed
                    sold = sold + paid.sum(axis=(0, 1, 2))
                    self._experience(moved, paid)
                moved = _warm(moved, world.heat_up) + _cool(stayed, world.heat_down)
            after += self._tire(moved, sent)
        return after, sold

    def _experience(self, moved: Float32, paid: Float32) -> None:
        worse = paid * self._people.bad_experience
        better = paid * np.minimum(np.float32(self._world.good_experience), 1 - self._people.bad_experience)
        moved += paid - worse - better
        _shift_down(moved, worse)
        moved[:, 0] += better[:, 0] + better[:, 1]
        moved[:, 1] += better[:, 2]

    def _tire(self, moved: Float32, sent: int) -> Float32:
        turned = np.empty_like(moved)
        if sent:
            change = moved[:, :, 0] * self._people.tiring
            turned[:, :, 0], turned[:, :, 1] = moved[:, :, 0] - change, moved[:, :, 1] + change
        else:
            change = moved[:, :, 1] * np.float32(self._world.tired_recovery)
            turned[:, :, 0], turned[:, :, 1] = moved[:, :, 0] + change, moved[:, :, 1] - change
        return turned


def _shift_down(moved: Float32, mass: Float32) -> None:
    """Add ``mass`` to ``moved`` with the mood one step worse."""
    moved[:, 1] += mass[:, 0]
    moved[:, 2] += mass[:, 1] + mass[:, 2]


def _warm(mass: Float32, share: float) -> Float32:
    change = mass[0] * np.float32(share)
    return np.stack((mass[0] - change, mass[1] + change))


def _cool(mass: Float32, share: float) -> Float32:
    change = mass[1] * np.float32(share)
    return np.stack((mass[0] + change, mass[1] - change))
