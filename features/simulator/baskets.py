"""What goes into a basket: the choice of a category, then of an item among candidates; and its expected worth."""

from typing import Final

import numpy as np

from features.simulator import shelves
from features.simulator.browsing import affinities
from features.simulator.catalogue import Catalogue
from features.simulator.people import People
from features.simulator.randomness import Float32, Float64, Int32, Int64, choose_by_logits, draw_in_rows
from features.simulator.shelves import Tastes
from features.simulator.world import World

_WORTH_DRAWS: Final = 16
_CHUNK: Final = 8_192


def choose_items(
    random: np.random.Generator,
    world: World,
    catalogue: Catalogue,
    people: People,
    tastes: Tastes,
    person: Int32,
    feed: Int32,
    ends: Int32,
) -> tuple[Int32, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The item of each bought line of ``person`` (r,), and whether it came from the feed (r, places) of the visit.

    With ``feed_share`` the candidates are the feed's items, else ``candidates`` items of a wanted category, drawn by
    popularity. Among candidates a multinomial logit with weight ``choice_sharpness`` on affinity (McFadden 1974).
    """
    fed = random.random(len(person)) < world.feed_share
    wish = draw_in_rows(tastes.wanted, person, random.random(len(person), dtype=np.float32))
    drawn, _ = catalogue.draw(random, np.repeat(wish[:, None], world.candidates, axis=1), ends)
    chosen = _pick(random, world, catalogue, people, person, drawn)
    chosen[fed] = _pick(random, world, catalogue, people, person[fed], feed[fed])
    return chosen, fed


def mean_lines(world: World) -> float:
    """Expected lines of a paid order."""
    mean, most = world.extra_lines, world.most_extra_lines
    term, total, seen = float(np.exp(-mean)), 0.0, 0.0
    for k in range(most):
        total, seen, term = total + k * term, seen + term, term * mean / (k + 1)
    return 1 + total + most * (1 - seen)


def mean_quantity(world: World) -> float:
    """Expected pieces of a line."""
    return sum(n * share for n, share in enumerate(world.quantities, 1))


def line_worth(
    random: np.random.Generator, world: World, catalogue: Catalogue, people: People, tastes: Tastes, day: int
) -> tuple[Float32, Float32]:
    """Expected list price of one line of each person (n,), and its standard error.

    The expectation over categories is a sum; that over candidate sets is a mean of 16 drawn sets, each weighed
    exactly by the choice probabilities, as a difference to the category's mean price (a control variate).
    """
    ends = catalogue.ends(day)
    mean_price = _mean_prices(catalogue, ends)
    parts = []
    for at in range(0, len(people), _CHUNK):
        rows = np.arange(at, min(at + _CHUNK, len(people)), dtype=np.int32)
        wanted = np.diff(tastes.wanted[rows], axis=1, prepend=np.float32(0)) @ mean_price
        believed = np.diff(tastes.believed[rows], axis=1, prepend=np.float32(0)) @ mean_price
        blind = float(np.diff(tastes.demand[0], prepend=np.float32(0)) @ mean_price)
        shown = (1 - world.exploration) * believed + world.exploration * blind
        exact = (1 - world.feed_share) * wanted + world.feed_share * shown
        person = np.repeat(rows, _WORTH_DRAWS)
        wish = draw_in_rows(tastes.wanted, person, random.random(len(person), dtype=np.float32))
        drawn, _ = catalogue.draw(random, np.repeat(wish[:, None], world.candidates, axis=1), ends)
        own = _expected(world, catalogue, people, person, drawn) - mean_price[wish]
        fed, _ = shelves.feed(random, world, catalogue, tastes, person, ends)
        offered = _expected(world, catalogue, people, person, fed) - mean_price[catalogue.category[fed]].mean(axis=1)
        rest = ((1 - world.feed_share) * own + world.feed_share * offered).reshape(-1, _WORTH_DRAWS)
        parts.append((exact + rest.mean(axis=1), rest.std(axis=1, ddof=1) / np.sqrt(_WORTH_DRAWS)))
    worth, error = (np.concatenate(each).astype(np.float32) for each in zip(*parts, strict=True))
    return worth, error


def _mean_prices(catalogue: Catalogue, ends: Int32) -> Float64:
    """(k,) mean list price of the items on sale in each category, weighed by popularity."""
    weight = np.diff(catalogue.cumulative)
    money = np.concatenate(([0.0], np.cumsum(weight * catalogue.price)))
    starts = catalogue.starts[:-1]
    return np.asarray((money[ends] - money[starts]) / (catalogue.cumulative[ends] - catalogue.cumulative[starts]))


def _logits(world: World, catalogue: Catalogue, people: People, person: Int32, candidates: Int32) -> Float32:
    width = candidates.shape[1]
    liking = affinities(people.factors, np.repeat(person, width), catalogue.factors, candidates.ravel())
    return np.float32(world.choice_sharpness) * liking.reshape(-1, width)


def _pick(
    random: np.random.Generator, world: World, catalogue: Catalogue, people: People, person: Int32, candidates: Int32
) -> Int32:
    if not len(person):
        return np.empty(0, np.int32)
    choice: Int64 = choose_by_logits(random, _logits(world, catalogue, people, person, candidates))
    return candidates[np.arange(len(person)), choice]


def _expected(world: World, catalogue: Catalogue, people: People, person: Int32, candidates: Int32) -> Float64:
    logits = _logits(world, catalogue, people, person, candidates)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray((weights * catalogue.price[candidates]).sum(axis=1) / weights.sum(axis=1))
