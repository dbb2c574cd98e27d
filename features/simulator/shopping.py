"""Shopping: orders, payments that fail, coupons, purchases, and the review or refund at the next visit."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from features.contracts import properties as p
from features.contracts.events import EventType
from features.simulator.baskets import choose_items
from features.simulator.browsing import coupons
from features.simulator.catalogue import Catalogue
from features.simulator.daylog import FEED, NOTHING, Counters, DayLog, properties
from features.simulator.dynamics import Day
from features.simulator.people import People
from features.simulator.randomness import Float64, Int8, Int32, Int64
from features.simulator.shelves import Tastes
from features.simulator.visits import Sessions
from features.simulator.world import World

_SILENT, _PRAISE, _SHRUG, _COMPLAINT, _REFUND = range(5)
_REFUND_SHARE: Final = 0.5  # of disappointed people; the others write a bad review
_PRAISE_SHARE: Final = 0.5
_SHRUG_SHARE: Final = 0.1
_CART_SHARE: Final = 0.7
#: Part of an item's cycle after which it may be bought again.
USED_UP: Final = 0.8


@dataclass
class Memory:
    """What people keep in mind about their last paid order."""

    verdict: Int8  # what they will say at the next visit
    item: Int32
    order: Int64
    amount: Float64
    quantity: Float64
    staple: Int32  # last bought item that is used up in time, -1 without
    staple_day: Int32

    @classmethod
    def fresh(cls, n: int) -> "Memory":
        """Nobody bought anything yet."""
        return cls(np.zeros(n, np.int8), np.full(n, NOTHING, np.int32), np.full(n, NOTHING, np.int64), np.zeros(n),
                   np.zeros(n), np.full(n, NOTHING, np.int32), np.zeros(n, np.int32))  # fmt: skip


@dataclass(frozen=True)
class Shopping:
    """The laws of shopping in one block."""

    world: World
    catalogue: Catalogue
    people: People
    tastes: Tastes

    def settle(self, random: np.random.Generator, sessions: Sessions, memory: Memory, log: DayLog) -> None:
        """Write the reviews and ask for the refunds that are due, at the first visit since the order."""
        n = len(sessions)
        first = np.append(True, sessions.person[1:] != sessions.person[:-1]) if n else np.zeros(0, np.bool_)
        which = np.flatnonzero(first & (memory.verdict[sessions.person] != _SILENT))
        person = sessions.person[which]
        verdict = memory.verdict[person]
        at = sessions.login[which] + random.uniform(5, 90, len(which))
        stars = np.select(
            [verdict == _PRAISE, verdict == _SHRUG], [4 + (random.random(len(which)) < 0.7), 3], 1
        ) + np.where(verdict == _COMPLAINT, random.random(len(which)) < 0.4, 0)
        written = np.flatnonzero(verdict != _REFUND)
        sessions.emit(log, EventType.REVIEW, which[written], at[written],
                      properties(**{p.RATING: pa.array(stars[written].astype(np.int64))}),
                      item=memory.item[person[written]], order=memory.order[person[written]])  # fmt: skip
        back = np.flatnonzero(verdict == _REFUND)
        owner = person[back]
        sessions.emit(log, EventType.REFUND, which[back], at[back], item=memory.item[owner], order=memory.order[owner],
                      amount=memory.amount[owner], quantity=memory.quantity[owner])  # fmt: skip
        memory.verdict[person] = _SILENT

    def shop(
        self,
        random: np.random.Generator,
        sessions: Sessions,
        feed: Int32,
        happened: Day,
        memory: Memory,
        price_cut: float,
        day: int,
        counters: Counters,
        log: DayLog,
    ) -> None:
        """The orders of a day, each on the person's last visit of it."""
        world = self.world
        which = np.flatnonzero(sessions.last & happened.tried[sessions.person])
        person = sessions.person[which]
        n = len(which)
        lines = 1 + np.minimum(random.poisson(world.extra_lines, n), world.most_extra_lines)
        of = np.repeat(np.arange(n), lines)  # (r,) the order of each line
        head = np.append(0, np.cumsum(lines)[:-1]) if n else np.empty(0, np.int64)
        item, fed = choose_items(random, world, self.catalogue, self.people, self.tastes, person[of], feed[which[of]],
                                 self.catalogue.ends(day))  # fmt: skip
        again = self._due(memory, person, day) & (random.random(n) < world.rebuy)
        item[head[again]] = memory.staple[person[again]]
        fed[head[again]] = False
        placed = np.minimum(sessions.login[which] + 200 + random.exponential(300, n), 86_400 - 600)
        self._look(random, sessions, which[of], item, fed, placed[of], log)

        quantity = 1.0 + random.choice(3, len(of), p=world.quantities)
        coupon = random.random(n) < self.people.coupon_use[person]
        listed = self.catalogue.price[item] * quantity
        amount = np.round(listed * (1 - price_cut) * (1 - world.coupon_discount * coupon[of]), 2)
        total = np.round(np.bincount(of, amount, n), 2)
        failed, paid = happened.failed_first[person], happened.paid[person]
        refused = np.flatnonzero(failed)
        sessions.emit(log, EventType.ORDER, which[refused], placed[refused],
                      properties(**{p.PAYMENT: pa.repeat(pa.scalar(p.PAYMENT_FAILED), len(refused))}),
                      order=counters.take("orders", len(refused)), amount=total[refused])  # fmt: skip
        number = np.full(n, NOTHING, np.int64)
        number[paid] = counters.take("orders", int(paid.sum()))
        placed = np.where(failed, placed + 60, placed)
        good = np.flatnonzero(paid)
        sessions.emit(log, EventType.ORDER, which[good], placed[good], order=number[good], amount=total[good])
        redeemed = np.flatnonzero(paid & coupon)
        sessions.emit(log, EventType.COUPON_REDEEM, which[redeemed], placed[redeemed] + 1,
                      properties(**{p.COUPON_ID: coupons(day, len(redeemed))}), order=number[redeemed])  # fmt: skip
        bought = paid[of]
        for using in (False, True):
            rows = np.flatnonzero(bought & (coupon[of] == using))
            off = pa.array(np.maximum(np.round(listed[rows] - amount[rows], 2), 0))
            text = properties(**{p.DISCOUNT: off} | ({p.COUPON_ID: coupons(day, len(rows))} if using else {}))
            sessions.emit(log, EventType.PURCHASE, which[of[rows]], placed[of[rows]] + 5, text, item=item[rows],
                          order=number[of[rows]], amount=amount[rows], quantity=quantity[rows])  # fmt: skip
        self._remember(random, memory, happened, person[good], item[head[good]], number[good], amount[head[good]],
                       quantity[head[good]], day)  # fmt: skip

    def _due(self, memory: Memory, person: Int32, day: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Whose staple is used up."""
        staple = memory.staple[person]
        cycle = self.catalogue.cycle[staple]
        return (staple >= 0) & (day - memory.staple_day[person] >= USED_UP * cycle)

    def _look(
        self,
        random: np.random.Generator,
        sessions: Sessions,
        which: Int64,
        item: Int32,
        fed: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
        placed: Float64,
        log: DayLog,
    ) -> None:
        """The page of every line, the time on it, and mostly the cart, before the order is ``placed``."""
        viewed = placed - random.uniform(60, 180, len(which))
        seconds = np.round(random.uniform(10, 50, len(which)), 1)
        place = np.where(fed, FEED, NOTHING)
        sessions.emit(log, EventType.VIEW, which, viewed, item=item, placement=place)
        sessions.emit(log, EventType.DWELL, which, viewed + seconds, properties(**{p.DWELL_SECONDS: pa.array(seconds)}),
                      item=item)  # fmt: skip
        kept = np.flatnonzero(random.random(len(which)) < _CART_SHARE)
        sessions.emit(log, EventType.CART_ADD, which[kept], viewed[kept] + seconds[kept] + 1, item=item[kept])

    def _remember(
        self,
        random: np.random.Generator,
        memory: Memory,
        happened: Day,
        person: Int32,
        item: Int32,
        order: Int64,
        amount: Float64,
        quantity: Float64,
        day: int,
    ) -> None:
        draw = random.random(len(person))
        verdict = np.where(
            happened.worse[person],
            np.where(draw < _REFUND_SHARE, _REFUND, _COMPLAINT),
            np.where(
                happened.better[person],
                np.where(draw < _PRAISE_SHARE, _PRAISE, _SILENT),
                np.where(draw < _SHRUG_SHARE, _SHRUG, _SILENT),
            ),
        )
        memory.verdict[person] = verdict
        memory.item[person], memory.order[person] = item, order
        memory.amount[person], memory.quantity[person] = amount, quantity
        staple = self.catalogue.cycle[item] > 0
        memory.staple[person[staple]], memory.staple_day[person[staple]] = item[staple], day
