"""Small logs with a known structure, as the tests of sources and of the recommender need them."""

import numpy as np

from features.contracts.events import EventType
from features.contracts.ids import IdMap
from training.interactions import SECONDS_PER_DAY, Clock, Histories, Interactions, ItemCatalogue

PURCHASE, VIEW = EventType.PURCHASE.code, EventType.VIEW.code
START = 1_500_000_000 // SECONDS_PER_DAY * SECONDS_PER_DAY


def make_log(rows, *, users=None, items=None, clock=Clock.TIMED, departments=None, amount=None):
    """Interactions from ``(user, item, day or position, kind)`` rows in any order; ids are the numbers as text."""
    table = np.array([(u, i, t, k) for u, i, t, k in rows], dtype=np.float64).reshape(-1, 4)
    n_users = users or int(table[:, 0].max(initial=-1)) + 1
    n_items = items or int(table[:, 1].max(initial=-1)) + 1
    table = table[np.lexsort((np.arange(len(table)), table[:, 2], table[:, 0]))]
    time = {
        Clock.TIMED: START + table[:, 2] * SECONDS_PER_DAY,
        Clock.ORDERED: table[:, 2],
        Clock.NONE: np.zeros(len(table)),
    }[clock].astype(np.int64)
    catalogue = ItemCatalogue.unknown(n_items)
    if departments is not None:
        codes = np.asarray(departments, dtype=np.int32)
        catalogue = ItemCatalogue(codes, codes, codes, np.linspace(1, 9, n_items).astype(np.float32))
    _, basket = np.unique(np.stack([table[:, 0], table[:, 2]]), axis=1, return_inverse=True)
    return Interactions(
        users=IdMap.of(f"u{u:05d}" for u in range(n_users)),
        items=IdMap.of(f"i{i:05d}" for i in range(n_items)),
        user=table[:, 0].astype(np.int32),
        item=table[:, 1].astype(np.int32),
        kind=table[:, 3].astype(np.int8),
        time=time,
        quantity=np.ones(len(table), dtype=np.float32),
        amount=np.full(len(table), np.nan if amount is None else amount, dtype=np.float32),
        basket=basket.astype(np.int64),
        clock=clock,
        catalogue=catalogue,
    )


def random_log(seed=0, *, users=60, items=40, events=25, clock=Clock.TIMED, groups=4):
    """Users who mostly take items of their own group, some again and again, some views among the purchases."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        own = np.flatnonzero(np.arange(items) % groups == user % groups)
        favourites = rng.choice(own, 3, replace=False)
        days = np.sort(rng.integers(0, 120, events))
        for position, day in enumerate(days):
            draw = rng.random()
            item = rng.choice(favourites) if draw < 0.4 else rng.choice(own) if draw < 0.85 else rng.integers(items)
            moment = day if clock is Clock.TIMED else position
            rows.append((user, item, moment, PURCHASE if rng.random() < 0.7 else VIEW))
    return make_log(rows, users=users, items=items, clock=clock, departments=np.arange(items) % groups)


def end_of(data):
    """A moment after everything."""
    return {Clock.TIMED: START + 1000 * SECONDS_PER_DAY, Clock.ORDERED: 10**9, Clock.NONE: 0}[data.clock]


def everybody(data):
    """The histories of all users at the day after the last event."""
    as_of = int(data.time.max()) + 1 if data.clock is Clock.TIMED else end_of(data)
    return data.histories(np.arange(len(data.users), dtype=np.int32), as_of)


def history(events, *, as_of_day=200, clock=Clock.TIMED):
    """One row from ``(item, day or position, kind)`` events, of a user whom no map holds."""
    times = [START + t * SECONDS_PER_DAY if clock is Clock.TIMED else t for _, t, _ in events]
    return Histories(
        user=np.array([-1], dtype=np.int32),
        as_of=np.array([START + as_of_day * SECONDS_PER_DAY if clock is Clock.TIMED else 10**9], dtype=np.int64),
        indptr=np.array([0, len(events)], dtype=np.int64),
        item=np.array([i for i, _, _ in events], dtype=np.int32),
        kind=np.array([k for _, _, k in events], dtype=np.int8),
        time=np.array(times if clock is not Clock.NONE else [0] * len(events), dtype=np.int64),
        quantity=np.ones(len(events), dtype=np.float32),
        basket=np.full(len(events), -1, dtype=np.int64),
        clock=clock,
    )
