"""What is known of items and consents right now: the bundle's facts and every change since, followed by revision."""

import threading
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from features.contracts import columns as c
from features.contracts.catalogue import ON_SALE
from features.contracts.ids import UNKNOWN, IdMap
from serving.rules import ItemFacts, Names
from serving.store.protocol import OnlineStore
from training.interactions import Bool, ItemCatalogue


class LiveFacts:
    """Item facts of one bundle, kept current with the changes in the store. One per worker and bundle."""

    def __init__(
        self, items: IdMap, catalogue: ItemCatalogue, on_sale: Bool, in_stock: Bool, shops: tuple[str, ...] = ()
    ) -> None:
        self._items, self._on_sale, self._in_stock = items, on_sale, in_stock
        self.facts = ItemFacts(
            # Copies: at every call of a compiled loop numba looks arrays over that cannot be written.
            category=np.array(catalogue.category, dtype=np.int32),
            department=np.array(catalogue.department, dtype=np.int32),
            brand=np.array(catalogue.brand, dtype=np.int32),
            shop=np.array(catalogue.shop, dtype=np.int32),
            price=np.array(catalogue.price, dtype=np.float32),
            available=np.logical_and(on_sale, in_stock),
            names=Names.of(items, catalogue, shops),
        )
        self._titles: dict[int, str | None] = {}
        self._revision = 0
        self._lock = threading.Lock()

    def follow(self, store: OnlineStore) -> None:
        """Take up what changed since the last call; one indexed look when nothing did."""
        with self._lock:
            for change in store.items_since(self._revision):
                self._revision = change.revision
                item = self._items.index(change.id)
                if item != UNKNOWN:
                    self._apply(item, change.fields)

    def title(self, item: int, otherwise: str | None) -> str | None:
        """The item's title if it was changed, else ``otherwise``."""
        return self._titles.get(item, otherwise)

    def _apply(self, item: int, fields: Mapping[str, Any]) -> None:
        # Single elements are replaced in place: a request that reads meanwhile sees the old or the new one.
        if c.PRICE in fields:
            self.facts.price[item] = np.nan if fields[c.PRICE] is None else fields[c.PRICE]
        if c.TITLE in fields:
            self._titles[item] = fields[c.TITLE]
        on_sale = is_on_sale(fields[c.STATUS]) if c.STATUS in fields else bool(self._on_sale[item])
        in_stock = is_in_stock(fields[c.STOCK]) if c.STOCK in fields else bool(self._in_stock[item])
        self.facts.available[item] = on_sale and in_stock


class Refusals:
    """Users who switched personalisation off: those of the lake, and what was said since."""

    def __init__(self, refused: Collection[str] = ()) -> None:
        self._refused = set(refused)
        self._revision = 0
        self._lock = threading.Lock()

    def follow(self, store: OnlineStore) -> None:
        """Take up what changed since the last call."""
        with self._lock:
            for change in store.consents_since(self._revision):
                self._revision = change.revision
                if change.consent.personalization is False:
                    self._refused.add(change.user_id)
                elif change.consent.personalization is True:
                    self._refused.discard(change.user_id)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._refused


def is_on_sale(status: str | None) -> bool:
    """Whether an item of this status may be shown."""
    return status is None or status == ON_SALE


def is_in_stock(stock: int | None) -> bool:
    """Whether an item with this stock may be shown; null: not tracked."""
    return stock is None or stock > 0
