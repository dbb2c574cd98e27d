"""A mall of sixty users and forty items, each user faithful to one of four departments, up to this midnight.

Each department has people who come by a channel of their own.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA
from features.contracts.events import EVENT_SCHEMA, EventType

USERS, ITEMS, DAYS = 60, 40, 40
DEPARTMENTS = ("FOOD", "HOME", "BABY", "SPORT")
CHANNELS = ("mini_program", "web", "wecom", "store")
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def items() -> pa.Table:
    """Ten items of each department in two categories; ``i39`` is sold out, ``i38`` not on sale."""
    rows = [
        {
            c.ITEM_ID: f"i{n:02}",
            c.TITLE: f"thing {n}",
            c.CATEGORY: f"{DEPARTMENTS[n % 4]} > {'AB'[n // 4 % 2]}",
            c.BRAND: f"brand {n % 3}",
            c.PRICE: float(n + 1),
            c.STOCK: 0 if n == 39 else 5,
            c.STATUS: "off" if n == 38 else None,
        }
        for n in range(ITEMS)
    ]
    return _table(rows, ITEM_SCHEMA)


def events() -> pa.Table:
    """Views and purchases; a user visits every few days and buys mostly in his department."""
    random = np.random.default_rng(7)
    rows: list[dict[str, Any]] = []
    for user in range(USERS):
        for day in range(int(random.integers(0, 5)), DAYS, int(random.integers(2, 6))):
            moment = MIDNIGHT - timedelta(days=DAYS - day) + timedelta(hours=int(random.integers(8, 20)))
            own = 4 * random.integers(0, 10, size=3) + user % 4
            for place, item in enumerate([*own, random.integers(0, ITEMS)]):
                kind = EventType.PURCHASE if place < 2 else EventType.VIEW
                rows.append(
                    {
                        c.EVENT_ID: f"e{len(rows)}",
                        c.EVENT_TYPE: kind.value,
                        c.USER_ID: f"u{user:02}",
                        c.ITEM_ID: f"i{item:02}",
                        c.OCCURRED_AT: moment + timedelta(minutes=place),
                        c.CHANNEL: CHANNELS[user % 4],
                        c.ORDER_ID: f"o{user}-{day}" if kind is EventType.PURCHASE else None,
                        c.QUANTITY: 1.0,
                        c.AMOUNT: float(item + 1) if kind is EventType.PURCHASE else None,
                    }
                )
    return _table(rows, EVENT_SCHEMA)


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.table([pa.array([row.get(f.name) for row in rows], f.type) for f in schema], schema=schema)
