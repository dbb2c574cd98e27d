"""Features of the rhythm in which a user buys an item: how regular it is, how recent, whether it grows or fades."""

import numpy as np

from training.models.ragged import Float64, first_of_run, group_sums, pair_keys
from training.models.ranker_question import PURCHASE, Columns, Groups, Question

#: Days ago between which purchases are counted: how a habit came or went.
_WINDOWS = ((0, 28), (28, 56), (56, 84), (84, 168))
#: Newest moments of the user in which purchases are counted.
_BASKETS = (1, 3, 5, 10)


def of_rhythm(q: Question) -> Columns:
    """How the user bought this very item, purchase by purchase."""
    if not q.timed:
        return {}
    h = q.histories
    items = len(q.statistics.buyers)
    bought = h.kind == PURCHASE
    events, candidates = pair_keys(q.row, h.item, items), pair_keys(q.pool.row, q.pool.item, items)
    groups = Groups.by(events, bought, candidates, np.ones(len(candidates), dtype=np.bool_))
    order, number, count = groups.order, groups.number, len(groups.starts)
    # One purchase per moment of a pair; lines of one basket are one.
    first = first_of_run(number) | first_of_run(q.step[order])
    place, owner = order[first], number[first]
    age, step = q.age[place], q.step[place]
    gap = np.zeros(len(place))
    inside = ~first_of_run(owner)
    gap[1:] = np.where(inside[1:], age[:-1] - age[1:], 0)
    times = group_sums(owner, np.ones(len(place)), count)
    last = groups.last(q.age)
    waits = np.maximum(times - 1, 1)
    mean = group_sums(owner, gap, count) / waits
    square = group_sums(owner, gap**2, count) / waits
    spread = np.where(times > 2, np.sqrt(np.maximum(square - mean**2, 0)), np.nan)
    ends = np.append(np.flatnonzero(first_of_run(owner))[1:], len(owner)) - 1
    newest = np.where(times > 1, gap[ends], np.nan) if count else np.empty(0)
    longest: Float64 = np.zeros(count)
    np.maximum.at(longest, owner, gap)
    columns: Columns = {
        "bought_times": groups.spread(times, 0),
        "bought_age": groups.spread(last, np.nan),
        "bought_gap_deviation": groups.spread(spread / np.maximum(mean, 1e-3), np.nan),
        "bought_newest_gap": groups.spread(newest, np.nan),
        # Above 1 he has never waited that long: the habit may be over.
        "bought_longest_wait": groups.spread(np.where(times > 1, last / np.maximum(longest, 1e-3), np.nan), np.nan),
        "bought_due": groups.spread(np.where(times > 1, last / np.maximum(mean, 1e-3), np.nan), np.nan),
    }
    pieces = groups.sum(h.quantity.astype(np.float64)) / np.maximum(times, 1)
    columns["bought_pieces"] = groups.spread(groups.last(h.quantity.astype(np.float64)) / np.maximum(pieces, 1e-3), 1)
    for low, high in _WINDOWS:
        inside = (age >= low) & (age < high)
        columns[f"bought_{low}_{high}"] = groups.spread(group_sums(owner[inside], inside[inside], count), 0)
    for baskets in _BASKETS:
        inside = step < baskets
        share = group_sums(owner[inside], inside[inside], count) / baskets
        columns[f"bought_in_last_{baskets}"] = groups.spread(share, 0)
    return columns
