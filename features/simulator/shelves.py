"""What is shown on a visit: logged stochastic policies, each place drawn by itself with its exact probability.

* ``feed`` (5 places): with 1 - exploration a category by the tastes the mall *believes* in, else a category by demand;
  in it an item by popularity. Places are drawn with replacement.
* ``home_banner`` (1 place): one of the week's 20 featured items, softmax of believed affinity mixed with uniform.
* ``search`` (4 places): items of the searched category by popularity; the probability is that given the search.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.simulator.catalogue import Catalogue
from features.simulator.people import People
from features.simulator.randomness import Float32, Float64, Int32, Int64, draw_in_rows
from features.simulator.world import World

_SEARCH_PLACES: Final = 4
_BANNER_SHARPNESS: Final = 0.7


@dataclass(frozen=True)
class Tastes:
    """What the choice of categories needs, for a block: running probabilities over ``k`` categories."""

    wanted: Float32  # (n, k) what people want
    believed: Float32  # (n, k) what the policy believes they want
    demand: Float32  # (1, k) what is wanted by and large


@dataclass(frozen=True)
class Shelf:
    """What one placement showed on the visits ``which``."""

    placement: int
    which: Int64  # (v,) visits
    at: Float64  # (v,) second of the day
    item: Int32  # (v, places)
    chance: Float64  # (v, places) probability with which the policy chose the item for the place


def feed(
    random: np.random.Generator, world: World, catalogue: Catalogue, tastes: Tastes, person: Int32, ends: Int32
) -> tuple[Int32, Float64]:
    """(v, places) items for visits of ``person`` (v,), and their probabilities."""
    places = len(world.examination)
    rows = np.repeat(person, places)
    nobody = np.zeros(len(rows), np.int64)
    at = random.random(len(rows), dtype=np.float32)
    exploring = random.random(len(rows)) < world.exploration
    category = draw_in_rows(tastes.believed, rows, at)
    category[exploring] = draw_in_rows(tastes.demand, nobody[exploring], at[exploring])
    item, given = catalogue.draw(random, category, ends)
    aimed, blind = _share(tastes.believed, rows, category), _share(tastes.demand, nobody, category)
    chance = given * ((1 - world.exploration) * aimed + world.exploration * blind)
    return item.reshape(-1, places), chance.reshape(-1, places)


def banner(
    random: np.random.Generator, world: World, catalogue: Catalogue, people: People, person: Int32, day: int
) -> tuple[Int32, Float64]:
    """(v, 1) featured items for visits of ``person`` (v,), and their probabilities."""
    items = catalogue.featured[day // 7]
    chances = banner_policy(people.believed[person], catalogue.factors[items], world.exploration)
    sums = np.cumsum(chances, axis=1)
    sums[:, -1] = 1
    visits = np.arange(len(person))
    choice = draw_in_rows(sums, visits, random.random(len(person), dtype=np.float32))
    return items[choice][:, None], chances[visits, choice].astype(np.float64)[:, None]


def banner_policy(believed: Float32, item_factors: Float32, exploration: float) -> Float32:
    """(v, m) probability of each of ``m`` items under the banner's policy, for believed tastes (v, f)."""
    logits = np.float32(_BANNER_SHARPNESS) * (believed @ item_factors[:, : believed.shape[1]].T)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = weights / weights.sum(axis=1, keepdims=True)
    return np.asarray((1 - exploration) * softmax + exploration / len(item_factors), dtype=np.float32)


def results(random: np.random.Generator, catalogue: Catalogue, category: Int32, ends: Int32) -> tuple[Int32, Float64]:
    """(v, places) items found by searches for ``category`` (v,), and their probabilities."""
    return catalogue.draw(random, np.repeat(category[:, None], _SEARCH_PLACES, axis=1), ends)


def _share(cumulative: Float32, rows: npt.NDArray[np.integer], column: Int32) -> Float64:
    """The probability of ``column`` in the rows of a table of running probabilities."""
    upper = cumulative[rows, column].astype(np.float64)
    return np.asarray(upper - np.where(column > 0, cumulative[rows, np.maximum(column - 1, 0)], 0))
