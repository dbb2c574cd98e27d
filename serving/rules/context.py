"""What a rule may know besides the list in front of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np

from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.ids import IdMap
from serving.rules.compiled import bought_items
from training.interactions import Bool, Float32, Int32, Int64, ItemCatalogue


@dataclass(frozen=True)
class Text:
    """Words for a person, in both languages of the mall."""

    en: str
    zh: str


@dataclass(frozen=True)
class Names:
    """The mall's names for the items of the live bundle, and the codes that stand for them there."""

    items: IdMap
    paths: tuple[str, ...] = ()  # category path by code
    categories: Mapping[str, frozenset[int]] = field(default_factory=dict)  # path -> codes at it and below it
    brands: Mapping[str, int] = field(default_factory=dict)
    shops: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, items: IdMap, catalogue: ItemCatalogue, shops: tuple[str, ...] = ()) -> Self:
        """The names of one catalogue; ``shops`` are those of its shop codes."""
        below: dict[str, set[int]] = {}
        for code, path in enumerate(catalogue.category_names):
            levels = path.split(CATEGORY_SEPARATOR)
            for depth in range(1, len(levels) + 1):
                below.setdefault(CATEGORY_SEPARATOR.join(levels[:depth]), set()).add(code)
        return cls(
            items,
            catalogue.category_names,
            {path: frozenset(codes) for path, codes in below.items()},
            {name: code for code, name in enumerate(catalogue.brand_names)},
            {name: code for code, name in enumerate(shops)},
        )


@dataclass(frozen=True)
class ItemFacts:
    """What rules may know of the ``m`` items of the live bundle, by internal item index."""

    category: Int32  # (m,) code of the whole category path, -1 unknown
    department: Int32  # (m,) code of its top level, -1 unknown
    brand: Int32  # (m,) code, -1 unknown
    shop: Int32  # (m,) code, -1 unknown
    price: Float32  # (m,) list price, NaN unknown
    available: Bool  # (m,) on sale and, where stock is tracked, in stock
    names: Names

    def __len__(self) -> int:
        return len(self.available)


@dataclass(frozen=True)
class Filters:
    """What the caller restricts a list to. Empty means no restriction; codes are those of :class:`ItemFacts`."""

    categories: frozenset[int] = frozenset()
    brands: frozenset[int] = frozenset()
    price_min: float | None = None
    price_max: float | None = None

    def __bool__(self) -> bool:
        """Whether they restrict anything."""
        return bool(self.categories or self.brands) or self.price_min is not None or self.price_max is not None


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Purchases:
    """The ``b`` items a user bought, ascending, and when."""

    item: Int32  # (b,)
    last: Int64  # (b,) seconds since 1970 of the last purchase
    times: Int64  # (b,) days on which it was bought
    every: Float32  # (b,) mean days from one to the next, NaN when bought on one day only

    @classmethod
    def of(cls, item: Int32, time: Int64) -> Self:
        """From one row per purchase, in any order; ``time`` in seconds since 1970."""
        order = np.lexsort((time, item))
        return cls(*bought_items(item[order], time[order]))

    @cached_property
    def places(self) -> Mapping[int, int]:
        """Where each item stands."""
        return dict(zip(self.item.tolist(), range(len(self.item)), strict=True))


NOTHING_BOUGHT = Purchases.of(np.empty(0, np.int32), np.empty(0, np.int64))


@dataclass(frozen=True)
class RuleContext:
    """All that a rule may depend on besides the slate."""

    facts: ItemFacts
    as_of: int  # seconds since 1970: the moment the list is ranked for, the end of the data under a stale model
    n: int  # how many items the caller wants
    now: int = 0  # seconds since 1970: the moment of the question
    request_id: str = ""  # names the answer; chance is drawn from it
    bought: Purchases = NOTHING_BOUGHT
    shown: Mapping[int, frozenset[int]] = field(default_factory=dict)  # days ago (UTC) -> items the user was shown
    near: Mapping[str, Mapping[int, int]] = field(default_factory=dict)  # intent -> item -> the item in view it is near
    excluded: frozenset[int] = frozenset()  # item indices the caller does not want
    filters: Filters = NO_FILTERS
