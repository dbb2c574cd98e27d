"""A mall of ordinary people and one heavy shopper, and the frauds that tests plant in it."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.events import EVENT_SCHEMA, EventType

START = datetime(2024, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=400)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


class Mall:
    """Collects events. ``fake`` are the ids of those that no real customer made."""

    def __init__(self, seed: int = 3) -> None:
        self.rows: list[dict[str, Any]] = []
        self.fake: set[str] = set()
        self.random = np.random.default_rng(seed)
        self._numbers = count()

    def add(
        self,
        kind: EventType,
        actor: str,
        at: datetime,
        *,
        device: str | None = None,
        dwell: float | None = None,
        fake: bool = False,
        **more: Any,
    ) -> str:
        """One event; returns its id."""
        row: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA.names)
        event_id = f"e{next(self._numbers):06}"
        properties = {p.DEVICE: device, p.DWELL_SECONDS: dwell}
        given = {key: value for key, value in properties.items() if value is not None}
        row |= {c.EVENT_ID: event_id, c.EVENT_TYPE: kind.value, c.USER_ID: actor, c.OCCURRED_AT: at}
        row |= {c.CHANNEL: "mini_program", c.PROPERTIES: json.dumps(given) if given else None}
        self.rows.append(row | more)
        if fake:
            self.fake.add(event_id)
        return event_id

    def visit(self, actor: str, begin: datetime, pages: int, *, buys: bool = False, refunds: bool = False) -> None:
        """An ordinary visit: pages at human pace, perhaps an order of a few lines, perhaps sent back days later."""
        at = begin
        for _ in range(pages):
            item = f"i{int(self.random.integers(200))}"
            self.add(EventType.VIEW, actor, at, device=f"d-{actor}", item_id=item)
            stay = float(self.random.lognormal(2.5, 0.9))
            at += timedelta(seconds=stay)
            self.add(EventType.DWELL, actor, at, device=f"d-{actor}", dwell=round(stay, 2), item_id=item)
            at += timedelta(seconds=float(self.random.lognormal(0.5, 0.6)))
        if buys:
            order = f"o{next(self._numbers)}"
            for kind in (EventType.ORDER, *[EventType.PURCHASE] * 12):
                item = f"i{int(self.random.integers(200))}"
                self.add(kind, actor, at, device=f"d-{actor}", order_id=order, item_id=item, quantity=1.0, amount=9.0)
            if refunds:
                later = at + timedelta(days=2, hours=float(self.random.uniform(1, 20)))
                self.add(EventType.REFUND, actor, later, device=f"d-{actor}", order_id=order, amount=9.0)

    def people(self, users: int, days: int, *, from_day: int = 0) -> None:
        """Ordinary people, and ``heavy``: three long visits a day, an order each, one of five sent back."""
        for day in range(from_day, days):
            for number in range(users):
                if self.random.random() < 0.4:
                    begin = START + timedelta(days=day, hours=float(self.random.uniform(1, 20)))
                    self.visit(
                        f"u{number:03}", begin, 1 + int(self.random.geometric(0.12)), buys=self.random.random() < 0.2
                    )
            for hour in (2, 8, 13):
                begin = START + timedelta(days=day, hours=hour + float(self.random.uniform(0, 2)))
                self.visit("heavy", begin, 60, buys=True, refunds=hour == 8)

    def burst(self, actor: str, at: datetime, clicks: int = 120, each: float = 0.4) -> None:
        """A script that clicks as fast as it can."""
        for number in range(clicks):
            moment = at + timedelta(seconds=each * number + float(self.random.uniform(0, each)))
            self.add(EventType.CLICK, actor, moment, item_id="i1", fake=True)

    def metronome(self, actor: str, at: datetime, clicks: int = 40, each: float = 20.0, **more: Any) -> None:
        """A script that waits between clicks."""
        for number in range(clicks):
            moment = at + timedelta(seconds=each * number + float(self.random.normal(0, each / 100)))
            self.add(EventType.CLICK, actor, moment, item_id=f"i{number}", fake=True, **more)

    def stays(self, actor: str, at: datetime, seconds: float, each: float = 7.0, pages: int = 15) -> None:
        """Views whose stays are made up."""
        for _ in range(pages):
            item = f"i{int(self.random.integers(200))}"
            at += timedelta(seconds=float(self.random.lognormal(np.log(each), 0.8)))
            self.add(EventType.VIEW, actor, at, item_id=item, fake=True)
            at += timedelta(seconds=1)
            self.add(EventType.DWELL, actor, at, dwell=seconds, item_id=item, fake=True)

    def ring(self, device: str, at: datetime, accounts: int, *, item: str | None = None, every: timedelta) -> None:
        """Accounts that order one after the other through one device: the same item, or anything."""
        for number in range(accounts):
            moment = at + every * number
            what = item or f"i{int(self.random.integers(200))}"
            actor, order = f"{device}-{number}", f"o{next(self._numbers)}"
            for kind in (EventType.ORDER, EventType.PURCHASE):
                self.add(kind, actor, moment, device=device, order_id=order, item_id=what, amount=9.0, fake=True)

    def self_refund(self, actor: str, at: datetime, times: int, *, every: timedelta, after: timedelta) -> None:
        """Orders that are sent back at once."""
        for number in range(times):
            order, moment = f"o{next(self._numbers)}", at + every * number
            for kind, when in (
                (EventType.ORDER, moment),
                (EventType.PURCHASE, moment),
                (EventType.REFUND, moment + after),
            ):
                self.add(kind, actor, when, order_id=order, item_id="i5", amount=9.0, fake=True)

    def late(self, share: float, days: float) -> None:
        """Let a share of all events arrive up to so many days later."""
        for row in self.rows:
            if self.random.random() < share:
                row[c.RECEIVED_AT] = row[c.OCCURRED_AT] + timedelta(days=float(self.random.uniform(0, days)))
