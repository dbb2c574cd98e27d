"""Features of a user and what is like the item: its category, department and brand."""

import numpy as np

from training.interactions import Int32
from training.models.ragged import pair_keys
from training.models.ranker_question import HALF_LIVES, PURCHASE, Columns, Groups, Question

#: Events like a usual user that stand before what is known of this one.
_PRIOR = 4.0
#: What a look, a cart or a favourite says of taste where a purchase says 1.
_LOOKED = 0.3


def of_user_and_kin(q: Question) -> Columns:
    """What the user did with items of the same category, department and brand."""
    columns: Columns = {}
    for name in ("category", "department", "brand"):
        codes: Int32 = getattr(q.statistics, name)
        width = int(codes.max(initial=-1)) + 2
        event, candidate = codes[q.histories.item], codes[q.pool.item]
        groups = Groups.by(
            pair_keys(q.row, event, width), event >= 0, pair_keys(q.pool.row, candidate, width), candidate >= 0
        )
        weight = np.exp2(-q.age / HALF_LIVES[-1])
        whole = np.bincount(q.row, weights=weight, minlength=len(q.histories))
        recent = groups.spread(groups.sum(weight), 0)
        # Of all that he takes of this kind, how much is this very item: a favourite, or one of many that he tries.
        columns[f"pair_share_of_{name}"] = q.pairs.spread(q.pairs.sum(weight), 0) / np.maximum(recent, 1e-9)
        columns[f"{name}_events"] = groups.spread(groups.sum(np.ones(len(event))), 0)
        columns[f"{name}_share"] = recent / np.maximum(whole[q.pool.row], 1e-9)
        if q.timed:
            last, first = groups.last(q.age), groups.first(q.age)
            gap = (first - last) / np.maximum(groups.moments(q.step) - 1, 1)
            columns[f"{name}_age"] = groups.spread(last, np.nan)
            columns[f"{name}_due"] = groups.spread(last / np.maximum(gap, 1e-3), np.nan)
    return columns


def of_liking(q: Question) -> Columns:
    """How far an item is to his liking by category, brand and price, each against the usual user.

    Logarithms are summed as in a naive Bayes over independent marks; trees cannot multiply shares by themselves.
    """
    s, h, pool = q.statistics, q.histories, q.pool
    rows = len(h)
    weight = np.where(h.kind == PURCHASE, 1.0, _LOOKED) * np.exp2(-q.age / HALF_LIVES[-1])
    whole = np.bincount(q.row, weights=weight, minlength=rows)[pool.row]
    columns: Columns = {}
    total = np.zeros(len(pool.row))
    for name, usual_of in (("category", s.category_share), ("brand", s.brand_share)):
        codes: Int32 = getattr(s, name)
        width = int(codes.max(initial=-1)) + 2
        event, candidate = codes[h.item], codes[pool.item]
        groups = Groups.by(
            pair_keys(q.row, event, width), event >= 0, pair_keys(pool.row, candidate, width), candidate >= 0
        )
        usual = usual_of[pool.item].astype(np.float64)
        mine = (groups.spread(groups.sum(weight), 0) + _PRIOR * usual) / (whole + _PRIOR)
        lift = np.log(np.maximum(mine, 1e-9)) - np.log(np.maximum(usual, 1e-9))
        columns[f"{name}_lift"] = np.where(candidate >= 0, lift, np.nan)
        total += np.where(candidate >= 0, lift, 0)
    place = s.price_place.astype(np.float64)
    mine = place[h.item]
    known = np.isfinite(mine)
    sums = np.bincount(q.row[known], weights=(weight * mine)[known], minlength=rows)
    weights = np.bincount(q.row[known], weights=weight[known], minlength=rows)
    usual_place = (sums / (weights + _PRIOR))[pool.row]
    columns["price_place"] = place[pool.item]
    columns["price_place_difference"] = place[pool.item] - usual_place
    columns["price_place_product"] = place[pool.item] * usual_place
    columns["liking"] = total + s.heat_season[pool.item]
    return columns
