"""What the log says of each item: fitted once, carried in the bundle, read by the ranker's features."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np

from training.interactions import Float32, Int32, Interactions
from training.models.item_movement import conversions, last_sold, middles, price_moves, return_rates, shares
from training.models.kind_weights import KindWeights
from training.models.ragged import Float64, pair_keys
from training.models.recency import log_ages, log_end, moments
from training.models.repeat import repeat_rates
from training.models.source import Arrays
from training.models.trending import item_heat

#: Prior events with which an item's interval between repeats is smoothed towards that of all items.
_GAP_PRIOR = 5.0
#: What describes an item as it stands, by the name that the ranker has for it: first what needs no clock.
UNTIMED_FACTS = {
    "item_heat": "heat_season",
    "item_buyers": "buyers",
    "item_repeat_rate": "repeat_rate",
    "item_price": "price",
    "item_conversion": "conversion",
}
FACTS = UNTIMED_FACTS | {
    "item_heat_week": "heat_week",
    "item_heat_month": "heat_month",
    "item_trend": "trend",
    "item_gap": "gap",
    "item_age": "age",
    "item_return_rate": "return_rate",
    "category_return_rate": "category_return_rate",
    "item_last_sold": "last_sold",
    "item_price_move": "price_move",
    "category_trend": "category_trend",
}


@dataclass(frozen=True)
class ItemStatistics:
    """Aggregates of every item (``n`` items), as of the end of the log they were fitted on."""

    heat_week: Float32  # (n,) log of decayed popularity, half-life 7 days
    heat_month: Float32  # (n,) the same with 28 days
    heat_season: Float32  # (n,) the same with 90 days
    trend: Float32  # (n,) heat_week - heat_month: above its usual or below
    buyers: Float32  # (n,) log of the number of users
    repeat_rate: Float32  # (n,) smoothed share of users who had it more than once
    gap: Float32  # (n,) smoothed mean days between two times of one user; NaN where nobody repeats anything
    age: Float32  # (n,) days since its first event; NaN without events or clock
    price: Float32  # (n,) log of the price: catalogue, else median of amount per piece; NaN unknown
    return_rate: Float32  # (n,) smoothed share of its buyers who bought it again lately; NaN unknown
    category_return_rate: Float32  # (n,) the same of its category
    last_sold: Float32  # (n,) days since its newest event; NaN without events or clock
    price_move: Float32  # (n,) log of the price paid lately over that before; NaN unknown
    price_place: Float32  # (n,) log of the price over the middle one of its category; NaN unknown
    conversion: Float32  # (n,) log of purchases over all events, smoothed
    category_share: Float32  # (n,) part of all heat of a season that falls on its category; 0 unknown
    category_trend: Float32  # (n,) log of that part in a month over that in a season; 0 unknown
    brand_share: Float32  # (n,) as for the category
    category: Int32  # (n,) codes of the catalogue, -1 unknown
    department: Int32  # (n,)
    brand: Int32  # (n,)

    @classmethod
    def fit(cls, data: Interactions) -> Self:
        """Summarise ``data``."""
        kinds = KindWeights().table()
        week, month, season = (np.log1p(item_heat(data, half_life, kinds)) for half_life in (7.0, 28.0, 90.0))
        pairs = np.unique(pair_keys(data.user, data.item, len(data.items)))
        buyers = np.bincount(pairs % len(data.items), minlength=len(data.items))
        age = np.full(len(data.items), np.nan)
        np.fmax.at(age, data.item, log_ages(data, log_end(data)))
        category, brand = (np.asarray(each, dtype=np.int32) for each in (data.catalogue.category, data.catalogue.brand))
        price = _log_prices(data)
        returned, category_returned = return_rates(data)
        category_share = shares(season, category)
        trend = np.log(shares(month, category) + 1e-6) - np.log(category_share + 1e-6)
        return cls(
            heat_week=week.astype(np.float32),
            heat_month=month.astype(np.float32),
            heat_season=season.astype(np.float32),
            trend=(week - month).astype(np.float32),
            buyers=np.log1p(buyers).astype(np.float32),
            repeat_rate=repeat_rates(data, prior=10.0),
            gap=_gaps(data),
            age=age.astype(np.float32),
            price=price,
            return_rate=returned,
            category_return_rate=category_returned,
            last_sold=last_sold(data),
            price_move=price_moves(data),
            price_place=price - middles(price, category),
            conversion=conversions(data),
            category_share=category_share,
            category_trend=trend.astype(np.float32),
            brand_share=shares(season, brand),
            category=category,
            department=np.asarray(data.catalogue.department, dtype=np.int32),
            brand=brand,
        )

    @cached_property
    def facts(self) -> Float32:
        """(n, facts) the arrays of :data:`FACTS` side by side: what is read of an item lies together."""
        return np.stack([getattr(self, name) for name in FACTS.values()], axis=1)

    def arrays(self) -> Arrays:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of :meth:`arrays`."""
        return cls(**{field.name: np.asarray(arrays[field.name]) for field in fields(cls)})


def _gaps(data: Interactions) -> Float32:
    items = len(data.items)
    pair, moment = pair_keys(data.user, data.item, items), moments(data)
    order = np.lexsort((moment, pair))
    pair, moment, age = pair[order], moment[order], log_ages(data, log_end(data))[order]
    again = (pair[1:] == pair[:-1]) & (moment[1:] != moment[:-1])
    item = pair[1:][again] % items
    days: Float64 = age[:-1][again] - age[1:][again]
    if not len(days) or not days.any():
        return np.full(items, np.nan, dtype=np.float32)
    total = np.bincount(item, weights=days, minlength=items)
    count = np.bincount(item, minlength=items)
    smoothed: Float32 = ((total + _GAP_PRIOR * days.mean()) / (count + _GAP_PRIOR)).astype(np.float32)
    return smoothed


def _log_prices(data: Interactions) -> Float32:
    price = np.array(data.catalogue.price, dtype=np.float64)
    paid = data.amount / np.maximum(data.quantity, 1)
    usable = np.isfinite(paid) & (paid > 0)
    item, paid = data.item[usable], paid[usable]
    order = np.lexsort((paid, item))
    item, paid = item[order], paid[order]
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    middle = (starts + np.append(starts[1:], len(item))) // 2
    from_log = np.full(len(price), np.nan)
    from_log[item[starts]] = paid[np.minimum(middle, max(len(paid) - 1, 0))]
    known = np.where(np.isfinite(price) & (price > 0), price, from_log)
    logs: Float32 = np.log(known).astype(np.float32)
    return logs
