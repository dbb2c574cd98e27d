"""A small mall: all types of events and properties, late rows, missing ids, a user whom only the mall addressed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.events import EVENT_SCHEMA, EVENT_TYPES, EventType

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 420
AS_OF = START + timedelta(days=400)
MIDDAY = AS_OF + timedelta(hours=13, minutes=37)

_ON_ITEMS = {
    EventType.IMPRESSION,
    EventType.VIEW,
    EventType.CLICK,
    EventType.FAVORITE,
    EventType.CART_ADD,
    EventType.CART_REMOVE,
    EventType.PURCHASE,
    EventType.REFUND,
}
#: Every type of which nothing else is sure to happen on the last day.
_OF_LATE = (
    EventType.MESSAGE_SENT,
    EventType.CLICK,
    EventType.FAVORITE,
    EventType.SEARCH,
    EventType.MESSAGE_OPEN,
    EventType.DWELL,
    EventType.SESSION_START,
    EventType.CART_REMOVE,
    EventType.ORDER,
    EventType.REFUND,
    EventType.REVIEW,
    EventType.ARTICLE_READ,
    EventType.SHARE,
    EventType.INVITE,
    EventType.COUPON_RECEIVE,
    EventType.COUPON_REDEEM,
)
_NARROW = [0.5, 0.2, *[0.03] * 10]
_CHANNELS = ("mini_program", "wecom", "alipay", None)


def event(kind: EventType, user: str, when: datetime, **more: Any) -> dict[str, Any]:
    """One row; what is not given is null."""
    row: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA.names)
    row |= {c.EVENT_ID: f"{user}-{when.isoformat()}-{kind}", c.EVENT_TYPE: kind.value, c.USER_ID: user}
    return row | {c.OCCURRED_AT: when} | more


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def events(users: int = 30, each: int = 300, seed: int = 7, *, late: float = 0.05) -> list[dict[str, Any]]:
    """Random events over :data:`DAYS` from :data:`START`; a share of ``late`` arrives days afterwards."""
    random = np.random.default_rng(seed)
    told = np.random.default_rng((seed, 1))
    rows: list[dict[str, Any]] = []
    for number in range(users):
        lifetime = random.uniform(5, DAYS)
        for place in range(int(random.integers(1, each))):
            kind = EVENT_TYPES[int(random.choice(len(EVENT_TYPES), p=_weights()))]
            when = START + timedelta(seconds=int(random.uniform(0, lifetime * 86_400)))
            row = event(kind, f"u{number:02}", when, **{c.EVENT_ID: f"e{number}-{place}"})
            row[c.CHANNEL] = _CHANNELS[int(random.integers(len(_CHANNELS)))]
            row[c.SESSION_ID] = f"s{number}-{when:%j}-{when.hour // 6}" if random.random() < 0.8 else None
            if kind in _ON_ITEMS and random.random() < 0.95:
                row[c.ITEM_ID] = f"i{int(random.integers(12)):02}"
            if kind in {EventType.PURCHASE, EventType.REFUND}:
                row[c.AMOUNT] = round(float(random.gamma(2, 40)), 2) if random.random() < 0.95 else None
                row[c.QUANTITY] = float(random.integers(1, 5)) if random.random() < 0.8 else None
                row[c.ORDER_ID] = f"o{number}-{when:%j}" if random.random() < 0.8 else None
            row[c.PROPERTIES] = _properties(kind, told)
            if random.random() < late:
                row[c.RECEIVED_AT] = when + timedelta(hours=float(random.uniform(0, 400)))
            elif random.random() < 0.5:
                row[c.RECEIVED_AT] = when + timedelta(seconds=2)
            rows.append(row)
        rows += _shown(f"u{number:02}", lifetime, told)
        rows += _of_late(f"u{number:02}", number)
        after = START + timedelta(days=lifetime + 2)
        rows += [event(kind, f"u{number:02}", after) for kind in (EventType.MESSAGE_SENT, EventType.IMPRESSION)]
    rows.append(event(EventType.MESSAGE_SENT, "only-written-to", START + timedelta(days=3)))
    rows.append(event(EventType.VIEW, "anonymous", START + timedelta(days=3), **{c.USER_ID: None}))
    return rows


def items() -> pa.Table:
    rows = [
        {
            c.ITEM_ID: f"i{n:02}",
            c.CATEGORY: None if n == 11 else f"D{n % 2} > C{n % 5}",
            c.BRAND: None if n % 6 == 5 else f"B{n % 3}",
            c.PRICE: None if n == 3 else 4.0 * 2.5**n,
        }
        for n in range(12)
    ]
    return pa.Table.from_pylist([dict.fromkeys(ITEM_SCHEMA.names) | row for row in rows], schema=ITEM_SCHEMA)


def users() -> pa.Table:
    rows = [
        {
            c.USER_ID: f"u{n:02}",
            c.DEMOGRAPHICS: '{"age": "35-44", "city": "杭州", "kids_count": 2}' if n % 3 else None,
            c.REGISTERED_AT: START + timedelta(days=n * 20),
            c.SOURCE_CHANNEL: "wecom",
            c.CONSENT_MARKETING: n > 8 if n % 4 else None,
        }
        for n in range(0, 30, 2)
    ]
    return pa.Table.from_pylist([dict.fromkeys(USER_SCHEMA.names) | row for row in rows], schema=USER_SCHEMA)


def _properties(kind: EventType, random: np.random.Generator) -> str | None:
    """What an event of this type tells besides, sometimes of the wrong type, impossible or no JSON at all."""
    luck = random.random()
    if luck < 0.05:
        return None if luck < 0.02 else "dwell_seconds: 5"
    wrong = luck < 0.15
    seconds = round(float(random.gamma(2, 40)), 3)
    values: dict[EventType, dict[str, Any]] = {
        EventType.DWELL: {p.DWELL_SECONDS: (-3, 1e5, "soon", "12")[int(random.integers(4))] if wrong else seconds},
        EventType.REVIEW: {
            p.RATING: (0, 9, "good", None)[int(random.integers(4))] if wrong else int(random.integers(1, 6))
        },
        EventType.PURCHASE: {
            p.DISCOUNT: round(seconds / 10, 2) if random.random() < 0.3 else 0,
            p.COUPON_ID: f"c{int(random.integers(5))}" if random.random() < 0.3 else None,
        },
        EventType.ORDER: {p.PAYMENT: p.PAYMENT_FAILED if random.random() < 0.3 else "paid"},
        EventType.INVITE: {p.INVITED: (f"u{int(random.integers(40)):02}", 7, "", None)[int(random.integers(4))]},
        EventType.SEARCH: {p.QUERY: '"dwell_seconds": 4, "rating": 1, {x}', p.DWELL_SECONDS: 77},
    }
    return json.dumps(values.get(kind, {}) | {p.DEVICE: "d1"}, ensure_ascii=False)


def _of_late(user: str, number: int) -> list[dict[str, Any]]:
    """Something of the last day, for the shortest windows, of users who have not left by then."""
    if number < 22:
        return []
    when = AS_OF - timedelta(hours=number - 20)
    rows = [event(kind, user, when, **{c.ITEM_ID: "i01"}) for kind in _OF_LATE[number % 4 :: 4]]
    told = json.dumps({p.INVITED: f"u{number - 1}"})
    return [row | {c.PROPERTIES: told} if row[c.EVENT_TYPE] == EventType.INVITE else row for row in rows]


def _shown(user: str, lifetime: float, random: np.random.Generator) -> list[dict[str, Any]]:
    """Impressions on days running, mostly of few items, and some with actions on each day."""
    rows = []
    for start in (lifetime - 8, AS_OF.timestamp() / 86_400 - START.timestamp() / 86_400 - 20, 130.0):
        for day in range(22):
            when = START + timedelta(days=max(0.0, start) + day, hours=float(random.uniform(0, 20)))
            if random.random() < 0.15:
                continue
            for _ in range(int(random.integers(1, 4))):
                item = f"i{int(random.choice(12, p=_NARROW)):02}"
                key = f"{user}-{when.isoformat()}-{len(rows)}"
                rows.append(event(EventType.IMPRESSION, user, when, **{c.EVENT_ID: key, c.ITEM_ID: item}))
    return rows


def _weights() -> list[float]:
    heavy = {EventType.PURCHASE: 6.0, EventType.VIEW: 4.0, EventType.CART_ADD: 2.0}
    weights = [heavy.get(kind, 1.0) for kind in EVENT_TYPES]
    return [weight / sum(weights) for weight in weights]
