"""How much of a simulated mall's truth the tags can tell: a model taught with the truth itself.

::

    python benchmarks/what_tags_know.py var/mall100k 2025-05-12 2025-06-07

Users who ever bought, a purchase within 30 days. Trees learn the true probabilities at the first date from all numeric
tags, as if every user had lived the window a thousand times, and are judged at the second on outcomes drawn from the
true probabilities there. Beside them the same trees taught with one drawn outcome per user, which is all that a log can
tell. What the first lack of the oracle, trees cannot find in these tags; what lies between is noise of the labels.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.engine import EventTables, build_tags
from features.lake import read_table
from features.simulator import Truth
from features.sources import load_source
from training.bench.true_futures import true_futures
from training.evaluation.paired import weighted_auc

HORIZON = 30
DRAWS = 20
TREES: dict[str, Any] = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 0,
    "verbose": -1,
}
ROUNDS = 150

Float64 = npt.NDArray[np.float64]


class Moment(NamedTuple):
    """The buyers of one date."""

    tags: Float64  # (n, f) every numeric tag
    stays_away: Float64  # (n,) the true probability of no purchase


def at(tables: EventTables, truth: Truth, day: datetime) -> Moment:
    """What the tags say of buyers at ``day``, and what is true of them."""
    table = build_tags(tables, day)
    table = table.filter(pc.greater(table["purchases"], 0))
    known, rows = true_futures(truth, table[c.USER_ID].to_pylist(), day, HORIZON)
    table = table.filter(pa.array(known))
    numbers = [column.name for column in table.schema if not pa.types.is_string(column.type)]
    values = [table[name].cast(pa.float64()).to_numpy() for name in numbers]
    return Moment(np.column_stack(values), rows["p_no_purchase"].to_numpy().astype(np.float64))


def lift(scores: Float64, truth: Float64, draws: npt.NDArray[np.bool_]) -> float:
    """Mean AUC over ``draws`` (d, n) of outcomes, less one half."""
    weight = np.ones((1, len(truth)))
    return float(np.mean([weighted_auc(drawn, scores, weight)[0] for drawn in draws])) - 0.5


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("mall", type=Path, help="folder that `mallard simulate` wrote")
    parser.add_argument("learn", type=_day, help="date whose truth is learnt, one that `truth/churn.parquet` holds")
    parser.add_argument("judge", type=_day, help="a later one")
    args = parser.parse_args()
    truth = Truth.open(args.mall)
    loaded = read_table(load_source(args.mall / "source.yaml"), now=datetime.now(UTC))
    tables = EventTables.from_arrow(loaded.events, loaded.items, loaded.users)
    past, later = at(tables, truth, args.learn), at(tables, truth, args.judge)
    rng = np.random.default_rng(0)
    draws = rng.random((DRAWS, len(later.stays_away))) < later.stays_away
    best = lift(later.stays_away, later.stays_away, draws)
    print(f"{len(past.stays_away):,} buyers learnt from, {len(later.stays_away):,} judged, {past.tags.shape[1]} tags")
    print(f"oracle: AUC {best + 0.5:.4f}")
    once = (rng.random(len(past.stays_away)) < past.stays_away).astype(np.float64)
    for name, labels in (("true probabilities", past.stays_away), ("one outcome each", once)):
        rows = lightgbm.Dataset(past.tags, labels)
        scores = lightgbm.train(TREES | {"objective": "cross_entropy"}, rows, ROUNDS).predict(later.tags)
        found = lift(np.asarray(scores), later.stays_away, draws)
        print(f"taught with {name}: AUC {found + 0.5:.4f}, {found / best:.3f} of the oracle's lift")


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
