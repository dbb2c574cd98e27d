"""One block of people, day after day: the smallest piece of a mall that can be made by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.simulator.baskets import line_worth, mean_lines, mean_quantity
from features.simulator.browsing import Browsing, Streaks
from features.simulator.catalogue import Catalogue, make_catalogue
from features.simulator.daylog import Counters, DayLog, Names, numbered
from features.simulator.dynamics import Day, Dynamics, State
from features.simulator.expectation import outlook
from features.simulator.fraud import Fraud, emit_fraud, make_fraud
from features.simulator.outreach import SEND_AT, emit_invitations, emit_messages
from features.simulator.people import People, category_table, make_people
from features.simulator.randomness import Float32, Int32, Purpose, generator
from features.simulator.registers import Census, churn_rows, identity_rows, truth_rows, user_rows
from features.simulator.seasons import make_seasons
from features.simulator.shelves import Tastes
from features.simulator.shopping import Memory, Shopping
from features.simulator.visits import open_sessions
from features.simulator.world import World
from features.simulator.write import PartWriter, write_events


@dataclass(frozen=True)
class BlockSummary:
    """What a block came to."""

    events: int
    fake_events: int
    accounts: int


def simulate_block(
    world: World, block: int, folder: Path | None, advance: Callable[[int], None] = lambda _: None
) -> BlockSummary:
    """Live all days of ``block`` and write its files below ``folder``; without a folder only count the events.

    ``advance`` is called after each day with its number of events. Memory is that of one day.
    """
    catalogue = make_catalogue(world)
    life = _Life(world, block, catalogue)
    if folder is None:
        events = sum(len(life.day(day)[0]) for day in range(world.days))
        return BlockSummary(events, 0, len(life.census.numbers))
    events = fake = 0
    with PartWriter(folder, block) as parts:
        for day in range(world.days):
            if day in world.truth_days:
                parts.write("churn", life.churn(day))
            rows, marks = life.day(day)
            write_events(folder, world.start + timedelta(days=day), block, rows)
            parts.write("fraud", marks)
            events, fake = events + len(rows), fake + len(marks)
            advance(len(rows))
        parts.write("registered", user_rows(world, life.census))
        parts.write("users", truth_rows(world, life.census, life.dynamics, *life.worth))
        parts.write("identities", identity_rows(life.census))
        registered = world.people_of(block)
        parts.array("user_factors", life.census.people.factors[:registered])
    return BlockSummary(events, fake, len(life.census.numbers))


@dataclass(frozen=True)
class Standing:
    """How the ``n`` registered people stand at midnight before a day."""

    people: People
    state: State
    staple: Int32  # (n,) last bought item that is used up in time, -1 without
    staple_day: Int32  # (n,) on which it was bought

    @classmethod
    def join(cls, parts: Sequence["Standing"]) -> "Standing":
        """The people of several blocks, one after the other."""
        return cls(
            People(**{f.name: np.concatenate([getattr(p.people, f.name) for p in parts]) for f in fields(People)}),
            State(**{f.name: np.concatenate([getattr(p.state, f.name) for p in parts]) for f in fields(State)}),
            np.concatenate([part.staple for part in parts]),
            np.concatenate([part.staple_day for part in parts]),
        )

    def some(self, rows: npt.NDArray[np.integer]) -> "Standing":
        """How the people of ``rows`` stand."""
        return Standing(self.people.some(rows), self.state.some(rows), self.staple[rows], self.staple_day[rows])


def relive(world: World, block: int, day: int, advance: Callable[[int], None] = lambda _: None) -> Standing:
    """Live the days of ``block`` before ``day`` again: the same random numbers bring everybody to where he stood.

    ``advance`` is called after each day with its number of events.
    """
    life = _Life(world, block, make_catalogue(world))
    for past in range(day):
        advance(len(life.day(past)[0]))
    return life.standing()


class _Life:
    """The people of a block with all their state."""

    def __init__(self, world: World, block: int, catalogue: Catalogue) -> None:
        self._world, self._block, self._catalogue = world, block, catalogue
        self.dynamics = Dynamics(world, make_seasons(world))
        people = make_people(world, block)
        self._fraud = make_fraud(world, catalogue, block)
        self.census = _census(world, block, people, self._fraud)
        self._names = Names(self.census.user_ids, self.census.visitor_ids, catalogue.ids())
        tastes = Tastes(
            wanted=category_table(people.factors, catalogue),
            believed=category_table(people.believed, catalogue),
            demand=category_table(np.zeros((1, world.factors), np.float32), catalogue),
        )
        self._tastes = tastes
        self._browsing = Browsing(world, catalogue, people, tastes)
        self._shopping = Shopping(world, catalogue, people, tastes)
        self._random = generator(world.seed, Purpose.DAYS, block)
        self._state = State.fresh(len(people))
        self._streaks = Streaks.fresh(len(people))
        self._memory = Memory.fresh(len(people))
        self._counters = Counters()
        self._worth: tuple[Float32, Float32] | None = None

    @property
    def worth(self) -> tuple[Float32, Float32]:
        """Expected list price of a line of each person, seen from three quarters of the time, and its error."""
        if self._worth is None:
            random = generator(self._world.seed, Purpose.BASKETS, self._block)
            self._worth = line_worth(random, self._world, self._catalogue, self.census.people, self._tastes,
                                     self._world.days * 3 // 4)  # fmt: skip
        return self._worth

    def day(self, day: int) -> tuple[pa.Table, pa.Table]:
        """Live one day: its events and the marks of the fake ones."""
        random, world, people = self._random, self._world, self.census.people
        log, counters = DayLog(), self._counters
        happened = self._step(day)
        campaign = int(self.dynamics.seasons.campaign[day])
        if campaign >= 0:
            emit_messages(random, people, happened, campaign, self.census.numbers, log)
        sessions = open_sessions(random, world, people, happened, SEND_AT, counters, log, self.census.numbers)
        feed = self._browsing.browse(random, sessions, self._streaks, day, counters, log)
        self._shopping.settle(random, sessions, self._memory, log)
        cut = float(self.dynamics.seasons.price_cut[day])
        self._shopping.shop(random, sessions, feed, happened, self._memory, cut, day, counters, log)
        emit_invitations(random, people, sessions, day, self.census.user_ids, log)
        first = self.census.first_fake
        number = int(self.census.numbers[0]) + first
        emit_fraud(random, self._fraud, self._catalogue, day, first, number, counters, log)
        return log.finish(world, self._block, day, self._names, counters, random)

    def standing(self) -> Standing:
        """How its registered people stand now."""
        registered = np.flatnonzero(~self.census.people.ghost)
        everybody = Standing(self.census.people, self._state, self._memory.staple, self._memory.staple_day)
        return everybody.some(registered)

    def churn(self, day: int) -> pa.Table:
        """The true future at midnight before ``day`` of those who have registered."""
        world, census = self._world, self.census
        who = np.flatnonzero((census.people.joined < day) & ~census.people.ghost)
        state = self._state.some(who)
        people = census.people.some(who)
        basket = self.worth[0][who] * mean_lines(world) * mean_quantity(world)
        basket = basket * (1 - world.coupon_discount * people.coupon_use)
        return churn_rows(world, census.user_ids.take(pa.array(who)), outlook(self.dynamics, people, state, day),
                          basket, mean_lines(world), day)  # fmt: skip

    def _step(self, day: int) -> Day:
        alive = self._state.alive.copy()
        happened = self.dynamics.live(self._random, self.census.people, self._state, day)
        self.census.ended[alive & ~self._state.alive] = day
        return happened


def _census(world: World, block: int, people: People, fraud: Fraud) -> Census:
    seconds = int((people.second >= 0).sum())
    accounts = len(people) + seconds + len(fraud)
    assert accounts <= world.numbers_per_block, "more accounts than numbers were set aside for"
    numbers = block * world.numbers_per_block + np.arange(accounts, dtype=np.int64)
    width = max(7, len(str(world.blocks * world.numbers_per_block)))
    owners: Int32 = np.flatnonzero(people.second >= 0).astype(np.int32)
    return Census(
        people=people,
        fraud=fraud,
        numbers=numbers,
        user_ids=numbered("u", numbers, width),
        visitor_ids=numbered("a", numbers[: len(people)], width),
        second_owner=owners,
        first_fake=len(people) + seconds,
        ended=np.full(len(people), -1, np.int32),
    )
