"""How items move: whether buyers come back, when an item was last sold, what it costs lately, its place among all."""

import numpy as np

from features.contracts.events import EventType
from training.interactions import Bool, Clock, Float32, Int32, Interactions
from training.models.ragged import Float64, group_sums, pair_keys, stable_order
from training.models.recency import log_ages, log_end

#: Days that count as "lately", and for how many before them a purchase makes somebody a buyer.
_LATELY, _BEFORE = 28.0, 112.0
#: Buyers like the usual one that stand before those of an item.
_PRIOR = 5.0
_PURCHASE = EventType.PURCHASE.code


def return_rates(data: Interactions) -> tuple[Float32, Float32]:
    """(n,) share of an item's buyers who bought it again lately, smoothed towards all items; (n,) the same by category.

    NaN throughout where there is no clock or the log does not reach back far enough.
    """
    items = len(data.items)
    unknown = np.full(items, np.nan, dtype=np.float32)
    age = log_ages(data, log_end(data))
    bought = data.kind == _PURCHASE
    if data.clock is not Clock.TIMED or not (bought & (age >= _LATELY)).any():
        return unknown, unknown
    key = pair_keys(data.user, data.item, items)
    before = np.unique(key[bought & (age >= _LATELY) & (age < _LATELY + _BEFORE)])
    again = np.isin(before, key[bought & (age < _LATELY)])
    item = before % items
    buyers, returned = (group_sums(item, each, items) for each in (np.ones(len(item)), again))
    usual = float(returned.sum() / max(buyers.sum(), 1))
    group = data.catalogue.category + 1
    width = int(group.max(initial=0)) + 1
    of_group = (group_sums(group, returned, width) + _PRIOR * usual) / (group_sums(group, buyers, width) + _PRIOR)
    category = np.where(group > 0, of_group[group], usual)
    rate = (returned + _PRIOR * category) / (buyers + _PRIOR)
    return rate.astype(np.float32), category.astype(np.float32)


def last_sold(data: Interactions) -> Float32:
    """(n,) days since the newest event of each item; NaN without events or clock."""
    age = np.full(len(data.items), np.nan)
    if data.clock is Clock.TIMED:
        np.fmin.at(age, data.item, log_ages(data, log_end(data)))
    return age.astype(np.float32)


def price_moves(data: Interactions) -> Float32:
    """(n,) log of the mean price paid lately over that before; NaN where one of them is unknown."""
    items = len(data.items)
    paid = data.amount / np.maximum(data.quantity, 1)
    usable = np.isfinite(paid) & (paid > 0)
    lately = log_ages(data, log_end(data)) < _LATELY

    def mean_log(mask: Bool) -> Float64:
        item, logs = data.item[mask], np.log(paid[mask].astype(np.float64))
        count = group_sums(item, np.ones(len(item)), items)
        mean: Float64 = np.divide(group_sums(item, logs, items), count, out=np.full(items, np.nan), where=count > 0)
        return mean

    moves: Float32 = (mean_log(usable & lately) - mean_log(usable & ~lately)).astype(np.float32)
    return moves


def conversions(data: Interactions) -> Float32:
    """(n,) log of purchases over other events of each item, smoothed towards that of all items."""
    items = len(data.items)
    bought = data.kind == _PURCHASE
    sold, looked = (group_sums(data.item[each], each[each], items) for each in (bought, ~bought))
    usual = (sold.sum() + 1) / (looked.sum() + sold.sum() + 2)
    rate = (sold + 10 * usual) / (looked + sold + 10)
    logs: Float32 = np.log(rate).astype(np.float32)
    return logs


def shares(heat: Float32, codes: Int32) -> Float32:
    """(n,) part of all ``heat`` (a logarithm) that falls on the group of each item; 0 unknown."""
    worth = np.expm1(heat.astype(np.float64))
    width = int(codes.max(initial=-1)) + 2
    total = group_sums(codes + 1, worth, width)
    part = total / max(float(worth.sum()), 1e-12)
    part[0] = 0
    share: Float32 = part[codes + 1].astype(np.float32)
    return share


def middles(values: Float32, codes: Int32) -> Float32:
    """(n,) median of the known ``values`` in the group of each item, NaN where there are none."""
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    order = order[stable_order((codes[order] + 1).astype(np.int64))]
    group = codes[order] + 1
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    middle = (starts + np.append(starts[1:], len(group))) // 2
    of_group = np.full(int(codes.max(initial=-1)) + 2, np.nan, dtype=np.float32)
    of_group[group[starts]] = values[order[np.minimum(middle, max(len(order) - 1, 0))]] if len(order) else np.nan
    found: Float32 = of_group[codes + 1]
    return found
