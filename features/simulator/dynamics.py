"""The law by which a person's days follow one another. The simulation draws from it, the truth sums over it.

A hidden Markov model of the customer relationship (Netzer, Lattin & Srinivasan 2008) with gamma-distributed own rates
(Pareto/NBD: Schmittlein, Morrison & Colombo 1987; in discrete time BG/BB: Fader, Hardie & Shang 2010). The hidden state
is alive or dropped out, and, while alive, *heat* (0 quiet, 1 excited by an own recent visit: self-excitation as in a
Hawkes process, with two levels), *mood* (0 content, 1 neutral, 2 annoyed: experience) and *tired* (of messages). A
day is: drop out or not; the campaign reaches the person or not; he opens it or not; he visits or not; on a visit day
he orders or not; the order is paid or not; the state moves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.simulator.people import People
from features.simulator.randomness import Bool, Float32, Int8
from features.simulator.seasons import Seasons
from features.simulator.world import World

Index = npt.NDArray[np.integer] | np.int8


@dataclass
class State:
    """The hidden state of ``n`` people. Changed in place, day by day."""

    alive: Bool
    heat: Int8
    mood: Int8
    tired: Int8

    @classmethod
    def fresh(cls, n: int) -> "State":
        """Alive, quiet, neutral, not tired."""
        return cls(np.ones(n, np.bool_), np.zeros(n, np.int8), np.ones(n, np.int8), np.zeros(n, np.int8))

    def some(self, rows: slice | npt.NDArray[np.integer]) -> "State":
        """The state of the people of ``rows``."""
        return State(self.alive[rows], self.heat[rows], self.mood[rows], self.tired[rows])


@dataclass(frozen=True)
class Day:
    """What happened to ``n`` people on one day."""

    sent: Bool
    opened: Bool
    visited: Bool
    tried: Bool  # placed an order
    failed_first: Bool  # ... whose first payment failed
    paid: Bool  # ... that was paid in the end
    worse: Bool  # the order disappointed, or could not be paid to his annoyance
    better: Bool


class Dynamics:
    """Probabilities of the law. State indices may have any shape that broadcasts against (n,)."""

    def __init__(self, world: World, seasons: Seasons) -> None:
        self.world = world
        self.seasons = seasons
        self._heat_visit = np.array(world.heat_visit, np.float32)
        self._heat_order = np.array([1.0, world.order_heat], np.float32)
        self._mood_visit = np.array(world.mood_visit, np.float32)
        self._mood_order = np.array(world.mood_order, np.float32)
        self._mood_hazard = np.array(world.mood_hazard, np.float32)
        self._tired_hazard = np.array([1.0, world.tired_hazard], np.float32)
        #: Probability that an order is never paid.
        self.unpaid = np.float32(world.payment_failure * (1 - world.payment_retry))

    def drop_out(self, people: People, mood: Index, tired: Index) -> Float32:
        """Probability that a living person drops out at the beginning of a day."""
        return np.asarray(-np.expm1(-people.drop_out_rate * (self._mood_hazard[mood] * self._tired_hazard[tired])))

    def visit(self, people: People, day: int, heat: Index, mood: Index, tired: Index, sent: Index) -> Float32:
        """Probability that a living person visits on ``day``; ``sent`` is 1 where a message reached him."""
        calendar = people.visit_rate * people.weekday[:, self.seasons.weekday[day]]
        calendar = calendar * np.exp(self.seasons.pull[day] * people.coupon_sensitivity) * self.seasons.season[day]
        lift = np.exp(sent * (people.message_effect - np.float32(self.world.tired_effect) * tired))
        return np.asarray(-np.expm1(-(calendar * lift) * (self._heat_visit[heat] * self._mood_visit[mood])))

    def order(self, people: People, day: int, heat: Index, mood: Index, tired: Index, sent: Index) -> Float32:
        """Probability that a person who visits on ``day`` places an order."""
        calendar = people.order_rate * np.exp(self.seasons.pull[day] * people.coupon_sensitivity)
        effect = people.message_effect - np.float32(self.world.tired_effect) * tired
        lift = np.exp(sent * np.float32(self.world.order_effect) * effect)
        return np.asarray(-np.expm1(-(calendar * lift) * (self._heat_order[heat] * self._mood_order[mood])))

    def send(self, people: People, day: int) -> Float32 | None:
        """Probability that the campaign of ``day`` is sent to a person; ``None`` when there is none."""
        return people.send_probability if self.seasons.campaign[day] >= 0 else None

    def live(self, random: np.random.Generator, people: People, state: State, day: int) -> Day:
        """Draw one day of everybody and move ``state``. On the day of registration a person visits for certain."""
        n = len(people)
        world = self.world
        here = people.joined <= day
        new = people.joined == day
        draws = random.random((10, n), dtype=np.float32)
        state.alive &= ~((draws[0] < self.drop_out(people, state.mood, state.tired)) & here & ~new)
        active = state.alive & here
        probability = self.send(people, day)
        sent = np.zeros(n, np.bool_) if probability is None else (draws[1] < probability) & here & ~new
        moment = (state.heat, state.mood, state.tired, sent.astype(np.int8))
        opened = sent & active & (draws[2] < people.opening)
        visited = active & (new | (draws[3] < self.visit(people, day, *moment)))
        tried = visited & (draws[4] < self.order(people, day, *moment))
        failed_first = tried & (draws[5] < world.payment_failure)
        paid = tried & ~(failed_first & (draws[6] >= world.payment_retry))
        worse = np.where(paid, draws[7] < people.bad_experience, tried & (draws[7] < world.failure_annoys))
        better = paid & ~worse & (draws[7] >= 1 - np.float32(world.good_experience))
        state.mood[...] = np.clip(state.mood + worse.astype(np.int8) - better.astype(np.int8), 0, 2)
        heated = visited & (state.heat == 0) & (draws[8] < world.heat_up)
        cooled = ~visited & (state.heat == 1) & (draws[8] < world.heat_down)
        state.heat[...] = np.where(heated, 1, np.where(cooled, 0, state.heat))
        tired = sent & (draws[9] < people.tiring)
        rested = ~sent & (draws[9] < world.tired_recovery)
        state.tired[...] = np.where(tired, 1, np.where(rested, 0, state.tired))
        return Day(sent, opened, visited, tried, failed_first, paid, worse, better)
