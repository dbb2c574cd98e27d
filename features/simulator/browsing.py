"""Browsing: what a person does with what he is shown.

Clicks follow a position-based model (Richardson, Dominowska & Ragno 2007): a place is examined with a probability of
its own, and an examined item is clicked with probability ``sigmoid(click_base + affinity - fatigue)``. Fatigue is felt
in the feed only; it counts the earlier visit days running on which the item's category was the first one shown.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from features.contracts import properties as p
from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.events import EventType
from features.simulator import shelves
from features.simulator.catalogue import Catalogue
from features.simulator.daylog import BANNER, FEED, SEARCH, Counters, DayLog, properties
from features.simulator.people import People
from features.simulator.randomness import Float32, Float64, Int32, Int64, draw_in_rows
from features.simulator.shelves import Shelf, Tastes
from features.simulator.visits import Sessions
from features.simulator.world import World

_BANNER_SHARE: Final = 0.3
_ARTICLE_SHARE: Final = 0.07
_COUPON_SHARE: Final = 0.05
_FAVORITE: Final = 0.07
_CART: Final = 0.11
_CART_REMOVED: Final = 0.2
_SHARED: Final = 0.03
_LONGEST_STREAK: Final = 5


@dataclass
class Streaks:
    """Which category a person was shown first, and on how many visit days running before."""

    category: Int32
    length: Int32

    @classmethod
    def fresh(cls, n: int) -> "Streaks":
        """Nobody was shown anything yet."""
        return cls(np.full(n, -1, np.int32), np.zeros(n, np.int32))

    def note(self, person: Int32, category: Int32) -> None:
        """Visits of ``person`` (sorted) showed ``category`` first; the first visit of the day counts."""
        first = np.append(True, person[1:] != person[:-1]) if len(person) else np.zeros(0, np.bool_)
        who, shown = person[first], category[first]
        again = self.category[who] == shown
        self.length[who] = np.where(again, np.minimum(self.length[who] + 1, _LONGEST_STREAK), 0)
        self.category[who] = shown


@dataclass(frozen=True)
class Browsing:
    """The laws of browsing in one block."""

    world: World
    catalogue: Catalogue
    people: People
    tastes: Tastes

    def browse(
        self,
        random: np.random.Generator,
        sessions: Sessions,
        streaks: Streaks,
        day: int,
        counters: Counters,
        log: DayLog,
    ) -> Int32:
        """Fill the visits of a day; returns what the feeds showed, (s, places)."""
        n = len(sessions)
        catalogue, people = self.catalogue, self.people
        ends = catalogue.ends(day)
        items, chances = shelves.feed(random, self.world, catalogue, self.tastes, sessions.person, ends)
        streaks.note(sessions.person, catalogue.category[items[:, 0]])
        shown = [Shelf(FEED, np.arange(n), sessions.start + 1, items, chances)]
        glanced = np.flatnonzero(random.random(n) < _BANNER_SHARE)
        featured = shelves.banner(random, self.world, catalogue, people, sessions.person[glanced], day)
        shown.append(Shelf(BANNER, glanced, sessions.start[glanced] + 0.5, *featured))
        shown.append(self._search(random, sessions, ends, log))
        for shelf in shown:
            self._show(random, sessions, streaks, shelf, counters, log)
        self._aside(random, sessions, day, log)
        return items

    def _search(self, random: np.random.Generator, sessions: Sessions, ends: Int32, log: DayLog) -> Shelf:
        which = np.flatnonzero(random.random(len(sessions)) < self.people.searching[sessions.person])
        wish = draw_in_rows(self.tastes.wanted, sessions.person[which], random.random(len(which), dtype=np.float32))
        at = sessions.start[which] + random.uniform(15, 120, len(which))
        sessions.emit(log, EventType.SEARCH, which, at, properties(**{p.QUERY: words(self.catalogue, wish)}))
        return Shelf(SEARCH, which, at + 1, *shelves.results(random, self.catalogue, wish, ends))

    def _show(
        self,
        random: np.random.Generator,
        sessions: Sessions,
        streaks: Streaks,
        shelf: Shelf,
        counters: Counters,
        log: DayLog,
    ) -> None:
        places = shelf.item.shape[1]
        which = np.repeat(shelf.which, places)
        place = np.tile(np.arange(places), len(shelf.which))
        item = shelf.item.ravel()
        request = np.repeat(counters.take("requests", len(shelf.which)), places)
        at = np.repeat(shelf.at, places) + 0.3 * place
        position = pa.array(place)
        text = properties(**{p.POSITION: position, p.PROPENSITY: pa.array(_rounded(shelf.chance.ravel()))})
        sessions.emit(log, EventType.IMPRESSION, which, at, text, item=item, placement=shelf.placement, request=request)
        person = sessions.person[which]
        liking = affinities(self.people.factors, person, self.catalogue.factors, item)
        tired_of = (streaks.category[person] == self.catalogue.category[item]) & (shelf.placement == FEED)
        fatigue = np.where(tired_of, streaks.length[person] * np.float32(self.world.category_fatigue), np.float32(0))
        hit = np.flatnonzero(random.random(len(item)) < click_probability(self.world, liking, place, fatigue))
        clicked_at = at[hit] + 1 + 3 * place[hit] + random.exponential(15, len(hit))
        sessions.emit(log, EventType.CLICK, which[hit], clicked_at, properties(**{p.POSITION: position.take(hit)}),
                      item=item[hit], placement=shelf.placement, request=request[hit])  # fmt: skip
        follow(random, sessions, which[hit], item[hit], liking[hit], clicked_at + 1, log)

    def _aside(self, random: np.random.Generator, sessions: Sessions, day: int, log: DayLog) -> None:
        n = len(sessions)
        reading = np.flatnonzero(random.random(n) < _ARTICLE_SHARE)
        sessions.emit(
            log, EventType.ARTICLE_READ, reading, sessions.login[reading] + random.uniform(100, 400, len(reading))
        )
        lucky = np.flatnonzero((random.random(n) < _COUPON_SHARE) & ~sessions.ghost)
        coupon = coupons(day, len(lucky))
        sessions.emit(log, EventType.COUPON_RECEIVE, lucky, sessions.login[lucky] + random.uniform(2, 60, len(lucky)),
                      properties(**{p.COUPON_ID: coupon}))  # fmt: skip


def follow(
    random: np.random.Generator,
    sessions: Sessions,
    which: Int64,
    item: Int32,
    liking: Float32,
    at: Float64,
    log: DayLog,
) -> None:
    """What follows a click: the page, the time on it, now and then a favourite, the cart, a share."""
    n = len(which)
    sessions.emit(log, EventType.VIEW, which, at, item=item)
    seconds = np.round(random.lognormal(3.0 + 0.2 * np.tanh(liking), 0.7), 1)
    left = at + seconds
    sessions.emit(log, EventType.DWELL, which, left, properties(**{p.DWELL_SECONDS: pa.array(seconds)}), item=item)
    draws = random.random((4, n))
    warm = 2 * sigmoid(liking)
    known = ~sessions.ghost[which] & (left > sessions.login[which])

    def some(share: float | Float64, draw: Float64) -> Int64:
        return np.flatnonzero(known & (draw < share * warm))

    for kind, share, draw in (
        (EventType.FAVORITE, _FAVORITE, draws[0]),
        (EventType.CART_ADD, _CART, draws[1]),
        (EventType.SHARE, _SHARED, draws[2]),
    ):
        rows = some(share, draw)
        sessions.emit(log, kind, which[rows], left[rows] + 1, item=item[rows])
    rows = some(_CART, draws[1])
    rows = rows[draws[3][rows] < _CART_REMOVED]
    sessions.emit(log, EventType.CART_REMOVE, which[rows], left[rows] + 40, item=item[rows])


def affinities(user_factors: Float32, users: Int32, item_factors: Float32, items: Int32) -> Float32:
    """(r,) affinity of ``users[k]`` and ``items[k]``: the dot product of their factors."""
    return np.asarray(np.einsum("rf,rf->r", user_factors[users], item_factors[items]), dtype=np.float32)


def click_probability(world: World, affinity: Float32, place: Int64, fatigue: Float32 | float = 0.0) -> Float64:
    """Probability of a click on an item of ``affinity`` at ``place`` (0 is the first)."""
    examined = np.array(world.examination)[place]
    return np.asarray(examined * sigmoid(world.click_base + affinity - fatigue), dtype=np.float64)


def sigmoid(logits: Float32 | Float64) -> Float64:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float64)


def words(catalogue: Catalogue, category: Int32) -> pa.Array:
    """What people type to find ``category``: the name of its last level."""
    names = [name.rsplit(CATEGORY_SEPARATOR, 1)[1].lower() for name in catalogue.category_names]
    return pa.array(names, pa.string()).take(pa.array(category))


def coupons(day: int, n: int) -> pa.Array:
    """The coupon of the week, ``n`` times."""
    return pa.repeat(pa.scalar(f"c{day // 7}"), n)


def _rounded(chance: Float64) -> Float64:
    """Eight significant digits, so that the text stays short."""
    scale = 10.0 ** (7 - np.floor(np.log10(chance)))
    return np.asarray(np.round(chance * scale) / scale, dtype=np.float64)
