"""The features of the ranker: one function for training and for serving.

Everything comes from the history that is handed in, the pool of candidates and :class:`ItemStatistics`; nothing is
looked up by user. Times are relative to ``as_of`` (see :mod:`training.models.recency` for what "age" means without
a clock). NaN means unknown and LightGBM treats it as such.
"""

from collections.abc import Callable, Sequence

import numpy as np

from features.contracts.events import EventType
from training.interactions import Clock, Float32, Histories
from training.models.item_statistics import ItemStatistics
from training.models.pool import Pool
from training.models.ragged import distinct, pair_keys
from training.models.ranker_kin import of_liking, of_user_and_kin
from training.models.ranker_question import HALF_LIVES, PURCHASE, Columns, Question
from training.models.ranker_rhythm import of_rhythm

_WINDOWS = (7, 14, 28)
_GAP_PRIOR = 1.0
#: Rows of the matrix written at a time.
_TILE = 4096
_CARTS = (EventType.CART_ADD.code, EventType.FAVORITE.code)


def of_user_and_item(q: Question) -> Columns:
    """What the user did with this very item."""
    groups, kind = q.pairs, q.histories.kind
    columns: Columns = {
        "pair_events": groups.spread(groups.sum(np.ones(len(kind))), 0),
        "pair_purchases": groups.spread(groups.sum((kind == PURCHASE).astype(np.float64)), 0),
        "pair_carts": groups.spread(groups.sum(np.isin(kind, _CARTS).astype(np.float64)), 0),
    }
    if not q.timed:
        return columns
    last, first = groups.last(q.age), groups.first(q.age)
    times = groups.moments(q.step)
    repeats = np.maximum(times - 1, 0)
    columns |= {
        "pair_age": groups.spread(last, np.nan),
        "pair_steps": groups.spread(groups.last(q.step), np.nan),
        "pair_first_age": groups.spread(first, np.nan),
        "pair_times": groups.spread(times, 0),
        "pair_last_kind": groups.spread(groups.last(kind.astype(np.float64)), np.nan),
        "pair_last_quantity": groups.spread(groups.last(q.histories.quantity.astype(np.float64)), np.nan),
    }
    for half_life in HALF_LIVES:
        columns[f"pair_decayed_{half_life:g}"] = groups.spread(groups.sum(np.exp2(-q.age / half_life)), 0)
    for window in _WINDOWS:
        columns[f"pair_last_{window}"] = groups.spread(groups.sum((q.age < window).astype(np.float64)), 0)
    # In how many different weeks: a habit, where many events of one week are only a stock.
    columns["pair_weeks"] = groups.spread(groups.moments(q.age // 7), 0)
    columns["pair_rate"] = columns[f"pair_decayed_{HALF_LIVES[-1]:g}"] / np.maximum(q.decayed_moments[q.pool.row], 1e-9)
    columns["pair_moment_share"] = columns["pair_times"] / np.maximum(q.step_count[q.pool.row], 1)
    columns["pair_previous_age"] = groups.spread(groups.previous(q.age), np.nan)
    gap = groups.spread(np.divide(first - last, repeats, out=np.full(len(last), np.nan), where=repeats > 0), np.nan)
    usual = q.statistics.gap[q.pool.item].astype(np.float64)
    prior = np.where(np.isnan(usual), 0.0, _GAP_PRIOR)
    known = groups.spread(first - last, 0) + prior * np.nan_to_num(usual)
    weight = groups.spread(repeats, 0) + prior
    expected = np.divide(known, weight, out=np.full(len(weight), np.nan), where=weight > 0)
    columns["pair_gap"] = gap
    columns["pair_due"] = columns["pair_age"] / np.maximum(expected, 1e-3)
    return columns


def of_user(q: Question) -> Columns:
    """Who asks: activity, habit of repeating, baskets, usual price."""
    h, rows = q.histories, len(q.histories)
    count = np.diff(h.indptr).astype(np.float64)
    pairs = distinct(pair_keys(q.row, h.item, len(q.statistics.buyers)))
    different = np.bincount(pairs // len(q.statistics.buyers), minlength=rows).astype(np.float64)
    per_row: Columns = {
        "user_events": np.log1p(count),
        "user_items": np.log1p(different),
        "user_repeat_ratio": 1 - different / np.maximum(count, 1),
    }
    if q.timed:
        filled = count > 0
        newest, oldest = np.full(rows, np.nan), np.full(rows, np.nan)
        newest[filled] = q.age[h.indptr[1:][filled] - 1]
        oldest[filled] = q.age[h.indptr[:-1][filled]]
        steps = np.where(filled, q.step_count, np.nan)
        per_row |= {
            "user_age": newest,
            "user_since": oldest,
            "user_moments": steps,
            "user_basket": count / steps,
            "user_gap": (oldest - newest) / np.maximum(steps - 1, 1),
            "user_recent": np.bincount(q.row, weights=np.exp2(-q.age / 30), minlength=rows),
        }
    price = q.statistics.price[h.item].astype(np.float64)
    known = np.isfinite(price)
    priced = np.bincount(q.row[known], minlength=rows)
    total = np.bincount(q.row[known], weights=price[known], minlength=rows)
    usual = np.divide(total, priced, out=np.full(rows, np.nan), where=priced > 0)
    columns = {name: values[q.pool.row] for name, values in per_row.items()}
    columns["price_difference"] = q.statistics.price[q.pool.item] - usual[q.pool.row]
    return columns


def of_item(q: Question) -> Columns:
    """What the log says of the item."""
    s, item = q.statistics, q.pool.item
    columns: Columns = {
        "item_heat": s.heat_season[item],
        "item_buyers": s.buyers[item],
        "item_repeat_rate": s.repeat_rate[item],
        "item_price": s.price[item],
        "item_conversion": s.conversion[item],
    }
    if q.histories.clock is Clock.TIMED:
        columns |= {
            "item_heat_week": s.heat_week[item],
            "item_heat_month": s.heat_month[item],
            "item_trend": s.trend[item],
            "item_gap": s.gap[item],
            "item_age": s.age[item],
            "item_return_rate": s.return_rate[item],
            "category_return_rate": s.category_return_rate[item],
            "item_last_sold": s.last_sold[item],
            "item_price_move": s.price_move[item],
            "category_trend": s.category_trend[item],
        }
    return columns


def of_sources(q: Question, names: Sequence[str]) -> Columns:
    """What each source says of the pair."""
    columns: Columns = {"sources": (~np.isnan(q.pool.rank)).sum(axis=1)}
    views = (q.pool.score, q.pool.rank, q.pool.normalised())
    for place, name in enumerate(names):
        columns |= {column: view[:, place] for column, view in zip(columns_of_source(name), views, strict=True)}
    return columns


def columns_of_source(name: str) -> tuple[str, str, str]:
    """The features that say what one source thinks: its score, its rank, and its score between those of the list."""
    return f"{name}_score", f"{name}_rank", f"{name}_scaled"


#: Blocks of features; a new one is a function added here.
BLOCKS: tuple[Callable[[Question], Columns], ...] = (
    of_user_and_item,
    of_rhythm,
    of_user,
    of_item,
    of_user_and_kin,
    of_liking,
)


def featurise(
    histories: Histories, candidates: Pool, statistics: ItemStatistics, sources: Sequence[str]
) -> tuple[tuple[str, ...], Float32]:
    """Names (f,) and values (c, f) of the features of every candidate pair."""
    question = Question(histories, candidates, statistics)
    columns: Columns = {}
    for block in BLOCKS:
        columns |= block(question)
    columns |= of_sources(question, sources)
    matrix = np.empty((len(candidates.row), len(columns)), dtype=np.float32)
    # Column by column over the whole matrix would fetch every line of it once per column.
    for start in range(0, len(matrix), _TILE):
        tile = slice(start, start + _TILE)
        for place, values in enumerate(columns.values()):
            matrix[tile, place] = values[tile]
    return tuple(columns), matrix
