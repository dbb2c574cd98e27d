"""Planted fraud: order-brushing rings and click farms. Every event of theirs is marked in the truth."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from features.contracts import properties as p
from features.contracts.events import EventType
from features.simulator.catalogue import Catalogue
from features.simulator.daylog import BRUSHING, CLICK_FARM, Counters, DayLog, Values, numbered, properties
from features.simulator.people import CHANNELS
from features.simulator.randomness import Int32, Int64, Purpose, generator
from features.simulator.world import World

_RING_SIZES: Final = (8, 20)
_RING_DAYS: Final = 5
_FARM_DAYS: Final = 4
_FARM_VIEWS: Final = (60, 200)
_WEB: Final = CHANNELS.index("web")


@dataclass(frozen=True)
class Fraud:
    """The fake accounts of a block and what they are up to. Rings and farms are numbered together."""

    ring: Int32  # (a,) ring of every fake account
    farm: "np.ndarray[tuple[int], np.dtype[np.bool_]]"  # (a,) works for a click farm
    joined: Int32  # (a,) day of registration
    target: Int32  # (rings,) item that a ring pushes
    days: Int32  # (rings, 5) days on which it is at work

    def __len__(self) -> int:
        return len(self.ring)


def make_fraud(world: World, catalogue: Catalogue, block: int) -> Fraud:
    """The fake accounts of ``block``."""
    random = generator(world.seed, Purpose.FRAUD, block)
    people = world.people_of(block)
    rings = _about(random, people / world.people_per_ring)
    farms = _about(random, people / world.people_per_farm)
    sizes = np.concatenate((random.integers(*_RING_SIZES, rings, endpoint=True), np.ones(farms, np.int64)))
    ring = np.repeat(np.arange(rings + farms), sizes).astype(np.int32)
    begin = random.integers(0, max(world.days - 14, 1), rings + farms)
    days = np.minimum(begin[:, None] + 1 + random.integers(0, 14, (rings + farms, _RING_DAYS)), world.days - 1)
    oldest = np.flatnonzero(catalogue.published < 0)
    return Fraud(
        ring=ring,
        farm=ring >= rings,
        joined=begin[ring].astype(np.int32),
        target=oldest[random.integers(0, len(oldest), rings + farms)].astype(np.int32),
        days=days.astype(np.int32),
    )


def emit_fraud(
    random: np.random.Generator,
    fraud: Fraud,
    catalogue: Catalogue,
    day: int,
    first_account: int,
    first_number: int,
    counters: Counters,
    log: DayLog,
) -> None:
    """The fake events of ``day``. Fake accounts have the local numbers from ``first_account``, devices from
    ``first_number``.
    """
    working = np.flatnonzero((fraud.days == day).any(axis=1)[fraud.ring])
    brushing = working[~fraud.farm[working]]
    _brush(random, fraud, catalogue, brushing, first_account, first_number, counters, log)
    for account in working[fraud.farm[working]]:
        _farm(random, fraud, catalogue, int(account), day, first_account, first_number, counters, log)


def _brush(
    random: np.random.Generator,
    fraud: Fraud,
    catalogue: Catalogue,
    accounts: Int64,
    first_account: int,
    first_number: int,
    counters: Counters,
    log: DayLog,
) -> None:
    """One device, many accounts: each buys the ring's item and gets the money back within the hour."""
    n = len(accounts)
    ring = fraud.ring[accounts]
    item = fraud.target[ring]
    start = 20_000 + 1_000 * (ring % 40) + random.uniform(0, 1_800, n)
    common: dict[str, Values] = {
        "account": first_account + accounts, "session": counters.take("sessions", n), "channel": _WEB,
        "fraud": BRUSHING, "ring": ring,
    }  # fmt: skip
    device = properties(**{p.DEVICE: numbered("d", first_number + ring)})
    log.add(EventType.SESSION_START, n, device, at=start, **common)
    log.add(EventType.VIEW, n, at=start + 2, item=item, **common)
    money: dict[str, Values] = {"order": counters.take("orders", n), "amount": catalogue.price[item], "quantity": 1.0}
    log.add(EventType.ORDER, n, at=start + 6, **common, **{k: money[k] for k in ("order", "amount")})
    log.add(
        EventType.PURCHASE,
        n,
        properties(**{p.DISCOUNT: pa.repeat(pa.scalar(0.0), n)}),
        at=start + 9,
        item=item,
        **common,
        **money,
    )
    log.add(EventType.REVIEW, n, properties(**{p.RATING: pa.repeat(pa.scalar(5), n)}), at=start + 600, item=item,
            order=money["order"], **common)  # fmt: skip
    back = np.flatnonzero(random.random(n) < 0.8)
    log.add(EventType.REFUND, len(back), at=start[back] + random.uniform(900, 3_600, len(back)), item=item[back],
            **{k: v[back] if isinstance(v, np.ndarray) else v for k, v in (common | money).items()})  # fmt: skip


def _farm(
    random: np.random.Generator,
    fraud: Fraud,
    catalogue: Catalogue,
    account: int,
    day: int,
    first_account: int,
    first_number: int,
    counters: Counters,
    log: DayLog,
) -> None:
    """A burst of clicks and views within minutes, with dwell times that no person has."""
    ring = int(fraud.ring[account])
    n = int(random.integers(*_FARM_VIEWS))
    begin = float(random.uniform(0, 80_000))
    at = begin + np.sort(random.uniform(1, 240, n))
    others = np.flatnonzero(catalogue.published <= day)[random.integers(0, int((catalogue.published <= day).sum()), n)]
    item = np.where(random.random(n) < 0.8, fraud.target[ring], others)
    common: dict[str, Values] = {
        "account": first_account + account, "session": int(counters.take("sessions", 1)[0]), "channel": _WEB,
        "fraud": CLICK_FARM, "ring": ring,
    }  # fmt: skip
    device = properties(**{p.DEVICE: numbered("d", np.array([first_number + ring]))})
    log.add(EventType.SESSION_START, 1, device, at=begin, **common)
    log.add(EventType.CLICK, n, at=at, item=item, **common)
    log.add(EventType.VIEW, n, at=at + 0.1, item=item, **common)
    dwell = np.where(random.random(n) < 0.9, 0.0, np.round(random.uniform(20_000, 80_000, n)))
    log.add(EventType.DWELL, n, properties(**{p.DWELL_SECONDS: pa.array(dwell)}), at=at + 0.2, item=item, **common)


def _about(random: np.random.Generator, expected: float) -> int:
    """A whole number with this mean."""
    return int(expected) + int(random.random() < expected % 1)
