"""Features of a user and what is like the item: its category, department and brand."""

import numpy as np

from training.models import compiled_features
from training.models.compiled_features import KIN_NAMES
from training.models.ragged import Float64, zero_slots
from training.models.ranker_question import PURCHASE, Columns, Question

_CODES = ("category", "department", "brand")
#: Events like a usual user that stand before what is known of this one.
_PRIOR = 4.0
#: What a look, a cart or a favourite says of taste where a purchase says 1.
_LOOKED = 0.3
_LIKING_NAMES = (
    *("category_lift", "brand_lift", "price_place", "price_place_difference", "price_place_product", "liking"),
)


def of_kin(q: Question) -> Columns:
    """What the user did with items of the same category, department and brand, and how far they are to his liking."""
    h, decay = q.histories, q.decay[-1]
    weight = np.where(h.kind == PURCHASE, 1.0, _LOOKED) * decay
    parts, liked = [], {}
    told = len(KIN_NAMES) if q.timed else 3
    for name in _CODES:
        codes = getattr(q.statistics, name)
        values, liked[name] = compiled_features.kin(
            *(h.indptr, h.item, codes, q.age, q.step, decay, weight, q.candidate_starts, q.pool.item),
            *(q.pairs.decayed, zero_slots(int(codes.max(initial=-1)) + 1)),
        )
        parts.append(Columns(tuple(each.format(name) for each in KIN_NAMES[:told]), values[:, :told]))
    return Columns.joined([*parts, _of_liking(q, weight, liked)])


def _of_liking(q: Question, weight: Float64, liked: dict[str, Float64]) -> Columns:
    """How far an item is to his liking by category, brand and price, each against the usual user.

    Logarithms are summed as in a naive Bayes over independent marks; trees cannot multiply shares by themselves.
    """
    s, h, pool = q.statistics, q.histories, q.pool
    whole = q.by_row(weight)[pool.row]
    values = np.empty((len(pool.row), len(_LIKING_NAMES)), dtype=np.float32)
    total = np.zeros(len(pool.row))
    for place, (name, usual_of) in enumerate((("category", s.category_share), ("brand", s.brand_share))):
        usual = usual_of[pool.item].astype(np.float64)
        mine = (liked[name] + _PRIOR * usual) / (whole + _PRIOR)
        lift = np.log(np.maximum(mine, 1e-9)) - np.log(np.maximum(usual, 1e-9))
        known = getattr(s, name)[pool.item] >= 0
        values[:, place] = np.where(known, lift, np.nan)
        total += np.where(known, lift, 0)
    had = s.price_place[h.item].astype(np.float64)
    priced = np.isfinite(had)
    weights = np.where(priced, weight, 0.0)
    usual_place = (q.by_row(weights * np.where(priced, had, 0.0)) / (q.by_row(weights) + _PRIOR))[pool.row]
    price_place = s.price_place[pool.item].astype(np.float64)
    values[:, 2] = price_place
    values[:, 3] = price_place - usual_place
    values[:, 4] = price_place * usual_place
    values[:, 5] = total + s.heat_season[pool.item]
    return Columns(_LIKING_NAMES, values)
