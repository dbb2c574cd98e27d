"""How often people will buy each item: the law of baskets and habits summed over all that may happen, not sampled.

A line is either habit (the first line of an order, when the own staple is used up) or a choice among a few items that
were drawn at random. The probability of being chosen among ``m`` drawn items with logit weights ``w`` is
``m p w E[1 / (w + S)]`` with ``S`` the weights of the ``m - 1`` others; as ``1 / x`` is the integral of ``exp(-x t)``,
that is an integral of ``exp(-w t) L(t)^(m - 1)``, ``L`` the Laplace transform of one drawn weight. Habits are carried
forward day by day over which staple was bought when.

Three things are simplified: whether a person orders on a day is taken as independent of whether he did on another, the
catalogue counts as it stands in the middle of the horizon, and the certain visit on the day of registration as any.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.simulator.baskets import mean_lines
from features.simulator.block import Standing
from features.simulator.catalogue import Catalogue
from features.simulator.dynamics import Dynamics
from features.simulator.expectation import daily_orders
from features.simulator.people import category_table
from features.simulator.randomness import Bool, Float32, Float64, Int32
from features.simulator.seasons import make_seasons
from features.simulator.shopping import USED_UP
from features.simulator.world import World

#: Step of the integrals on a logarithmic scale: the trapezoid rule is then right to five digits.
_STEP: Final = 0.75
#: How far below the reciprocal of the largest weight, and above that of the smallest, the integrals reach.
_BELOW, _ABOVE = 12.0, 4.0


@dataclass(frozen=True)
class Foresight:
    """What ``horizon`` days from midnight before ``day`` hold for people who stand as ``standing`` says."""

    world: World
    catalogue: Catalogue
    standing: Standing
    day: int
    horizon: int

    def purchases(self, rows: Int32) -> Float32:
        """(n, items) expected number of purchases of each item by the people of ``rows`` (n,)."""
        standing = self.standing.some(rows)
        chosen = self.choices(rows)
        dynamics = Dynamics(self.world, make_seasons(self.world))
        orders = daily_orders(dynamics, standing.people, standing.state, self.day, self.horizon).T
        cycles = np.unique(self.catalogue.cycle[self.catalogue.cycle > 0])
        kind = np.searchsorted(cycles, self.catalogue.cycle)  # of each item with a cycle
        used_up = self.catalogue.cycle > 0
        shares = np.zeros((len(chosen), len(cycles)), np.float64)
        for place in range(len(cycles)):
            shares[:, place] = chosen[:, used_up & (kind == place)].sum(axis=1)
        own, others = self._habits(standing, orders.astype(np.float64), cycles, shares)
        wanted = orders.sum(axis=1) * mean_lines(self.world) - own - others.sum(axis=1)
        expected = chosen * wanted[:, None]
        again = others / np.maximum(shares, 1e-12)
        expected[:, used_up] += chosen[:, used_up] * again[:, kind[used_up]]
        loyal = np.flatnonzero(standing.staple >= 0)
        expected[loyal, standing.staple[loyal]] += own[loyal]
        return np.asarray(expected, dtype=np.float32)

    def choices(self, rows: Int32) -> Float64:
        """(n, items) probability of each item in a line that is no habit; a row sums to 1."""
        world, catalogue, people = self.world, self.catalogue, self.standing.people.some(rows)
        ends = catalogue.ends(self.day + self.horizon // 2)
        starts = catalogue.starts[:-1]
        popular, onsale = _within(catalogue, ends)
        wanted = np.diff(category_table(people.factors, catalogue), axis=1, prepend=np.float32(0))
        believed = np.diff(category_table(people.believed, catalogue), axis=1, prepend=np.float32(0))
        demand = np.diff(category_table(np.zeros((1, world.factors), np.float32), catalogue)[0], prepend=np.float32(0))
        fed = (1 - world.exploration) * believed + world.exploration * demand
        liking = world.choice_sharpness * (people.factors @ catalogue.factors.T).astype(np.float64)
        chosen = np.zeros(liking.shape)
        for row in range(len(liking)):
            chosen[row] = _chosen(
                liking[row], popular, onsale, starts, catalogue.category, world.candidates, len(world.examination),
                wanted[row], fed[row], world.feed_share,
            )  # fmt: skip
        return chosen

    def _habits(self, standing: Standing, orders: Float64, cycles: Int32, shares: Float64) -> tuple[Float64, Float64]:
        """(n,) expected habitual purchases of the present staple, (n, cycles) of staples that are yet to come.

        ``shares`` (n, cycles) are the probabilities that a line which is no habit is an item of each cycle.
        """
        n, rebuy = len(orders), self.world.rebuy
        loyal = standing.staple >= 0
        cycle = np.where(loyal, self.catalogue.cycle[standing.staple], 1)
        first = loyal.astype(np.float64)  # (n,) probability that the present staple was last bought before the day
        without = 1 - first  # (n,) of having no staple
        renewed = np.zeros((n, self.horizon))  # ... that it was last bought on each day of the horizon
        later = np.zeros((n, len(cycles), self.horizon))  # ... that the staple is another one, by cycle and day
        leaving = shares.sum(axis=1)
        own, others = np.zeros(n), np.zeros((n, len(cycles)))
        for ahead in range(self.horizon):
            order = orders[:, ahead]
            ages = ahead - np.arange(self.horizon)
            over = rebuy * (self.day + ahead - standing.staple_day >= USED_UP * cycle)
            over_renewed = rebuy * ((ages >= USED_UP * cycle[:, None]) & (ages > 0))
            over_later = rebuy * ((ages >= USED_UP * cycles[:, None]) & (ages > 0))
            again = first * over + (renewed * over_renewed).sum(axis=1)
            again_later = (later * over_later).sum(axis=2)
            free = 1 - again - again_later.sum(axis=1)
            first = first * (1 - order * (over + (1 - over) * leaving))
            without = without * (1 - order * leaving)
            renewed *= 1 - order[:, None] * (over_renewed + (1 - over_renewed) * leaving[:, None])
            later *= 1 - order[:, None, None] * (over_later + (1 - over_later) * leaving[:, None, None])
            renewed[:, ahead] = order * again
            later[:, :, ahead] = order[:, None] * (again_later + free[:, None] * shares)
            own += order * again
            others += order[:, None] * again_later
        return own, others


def _within(catalogue: Catalogue, ends: Int32) -> tuple[Float64, Bool]:
    """(items,) probability of each item when its category is drawn from, and whether it is on sale."""
    weight = np.diff(catalogue.cumulative)
    onsale = np.arange(len(catalogue)) < ends[catalogue.category]
    weight = np.where(onsale, weight, 0.0)
    return weight / np.add.reduceat(weight, catalogue.starts[:-1])[catalogue.category], onsale


def _chosen(
    liking: Float64,
    popular: Float64,
    onsale: Bool,
    starts: Int32,
    category: Int32,
    drawn: int,
    shown: int,
    wanted: Float32,
    fed: Float32,
    feed_share: float,
) -> Float64:
    """(items,) probability that a person takes each item, from a category he wants or from the feed."""
    scaled = liking - liking[onsale].max()
    grid = np.arange(-_BELOW, _ABOVE - scaled[onsale].min(), _STEP)
    decay = np.exp(-np.exp((scaled[:, None] + grid).astype(np.float32)))  # (items, points) exp(-w t)
    weight = _STEP * np.exp(scaled[:, None] + grid).astype(np.float32) * decay  # w exp(-w t) dt
    one = np.add.reduceat(decay * popular[:, None], starts, axis=0)
    own = (weight * (one ** (drawn - 1))[category]).sum(axis=1)
    among_shown = weight @ (fed @ one) ** (shown - 1)
    sought: Float64 = drawn * popular * wanted[category] * own
    offered: Float64 = shown * popular * fed[category] * among_shown
    return (1 - feed_share) * sought + feed_share * offered
