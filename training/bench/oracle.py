"""What a recommender could reach at most: the order of the items by what the simulator knows people will buy.

Only a simulated mall has such a row. The oracle knows every taste, habit, mood and the law of what is shown; it does
not know what chance will bring. The gap between it and the pipeline is told apart by lists between the two: the
oracle's order over the items that a model could know, then over the candidates that the pipeline found, then the
pipeline's own order of these.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from features.contracts.ids import UNKNOWN
from features.contracts.progress import step
from features.simulator import Truth
from training.bench.config import TemporalSplitSpec
from training.bench.folds import Question
from training.bench.jury import Jury
from training.bench.measure import Meter
from training.bench.rows import Kind, Row
from training.interactions import Bool, Float32, Histories, Int32, Interactions
from training.models.ragged import best_of_rows
from training.models.recommender import Ranked, Recommender

#: Users asked at a time: bounds the block of expectations, which is users times items.
_BLOCK = 128


@dataclass(frozen=True)
class Oracle:
    """The oracle's row and what it says of the pipeline."""

    row: Row
    account: dict[str, Any]
    """``share`` of the oracle's metric that the pipeline reaches, and what the rest of 1 is ``lost_to``; as in
    ``result.json``."""


@dataclass(frozen=True)
class _Lists:
    """(q, k) items, best first, -1 for an empty place: the oracle's order over fewer and fewer items."""

    everything: Int32
    knowable: Int32
    found: Int32


def ask_oracle(
    folder: Path,
    spec: TemporalSplitSpec,
    data: Interactions,
    question: Question,
    jury: Jury,
    recommender: Recommender,
    pipeline: Row,
    metric: str,
) -> Oracle:
    """Judge the truth of the mall in ``folder`` on the test users, and hold ``pipeline`` against it.

    ``data`` is the log from which ``question`` was cut: the question itself has forgotten the names of strangers.
    Raises :class:`~features.contracts.errors.InputError` when there is no truth, and
    :class:`~features.contracts.errors.UnknownNameError` when it does not cover the horizon.
    """
    truth = Truth.open(folder)
    with Meter() as meter:
        people = truth.user_map.indices([truth.person.get(name, "") for name in _names(data, question)])
        lists = _lists(truth, spec, people, question, jury, recommender)
    row = jury.judged("oracle", Kind.ORACLE, lists.everything, meter.cost)
    knowable = jury.judged("knowable", Kind.ORACLE, lists.knowable, meter.cost)
    found = jury.judged("found", Kind.ORACLE, lists.found, meter.cost)
    told = people != UNKNOWN
    cold = np.diff(jury.histories.indptr)[told] == 0
    best, could, had, reached = (each.ranking.per_user[metric][told] for each in (row, knowable, found, pipeline))
    lost = {
        "chance": 1 - best,
        "cold_items": best - could,
        "cold_users": np.where(cold, could - reached, 0),
        "retrieval": np.where(cold, 0, could - had),
        "ranking": np.where(cold, 0, had - reached),
    }
    account = {
        "metric": metric,
        "users": int(told.sum()),
        "users_without_truth": int((~told).sum()),
        "oracle": float(best.mean()),
        "pipeline": float(reached.mean()),
        "share": float(reached.mean() / max(best.mean(), 1e-12)),
        "lost_to": {reason: float(values.mean()) for reason, values in lost.items()},
    }
    return Oracle(row, account)


def _names(data: Interactions, question: Question) -> list[str]:
    """(q,) the ids of the test users, in the order of the question."""
    outer = question.split.outer(data)
    names = np.array(data.users.ids(outer.users), dtype=object)
    users = question.fold.train.users.indices(names.tolist())
    return list(names[np.argsort(users, kind="stable")])


def _lists(
    truth: Truth, spec: TemporalSplitSpec, people: Int32, question: Question, jury: Jury, recommender: Recommender
) -> _Lists:
    train = question.fold.train
    foresight = truth.foresight(spec.cutoff, spec.horizon // timedelta(days=1))
    place = train.items.indices(truth.item_map.ids(np.arange(len(truth.item_map), dtype=np.int32)))
    known = np.bincount(train.item, minlength=len(train.items)) > 0
    parts: list[tuple[Int32, Int32, Int32]] = []
    with step("asking the oracle", total=len(people), unit="users") as task:
        for start in range(0, len(people), _BLOCK):
            block = jury.histories.slice(start, min(start + _BLOCK, len(people)))
            rows = people[start : start + _BLOCK]
            told = np.flatnonzero(rows != UNKNOWN)
            expected = np.zeros((len(rows), len(train.items)), dtype=np.float32)
            columns = np.flatnonzero(place != UNKNOWN)
            expected[told[:, None], place[columns]] = foresight.purchases(rows[told])[:, columns]
            if jury.exclude_seen:
                expected[block.row, block.item] = 0
            found = _found(recommender, block, exclude_seen=jury.exclude_seen)
            parts.append(
                (
                    _best(expected, jury.width),
                    _best(np.where(found | known, expected, 0), jury.width),
                    _best(np.where(found, expected, 0), jury.width),
                )
            )
            task.advance(len(rows))
    return _Lists(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _found(recommender: Recommender, block: Histories, *, exclude_seen: bool) -> Bool:
    """(b, items) whether any source found the item."""
    pool = recommender.retrieve(block, exclude_seen=exclude_seen)
    found = np.zeros((len(block), recommender.items), dtype=np.bool_)
    found[pool.row, pool.item] = True
    return found


def _best(expected: Float32, width: int) -> Int32:
    """(b, width) the items of which most is expected; -1 where nothing is."""
    row, item = np.nonzero(expected > 0)
    indptr = np.concatenate([[0], np.cumsum((expected > 0).sum(axis=1))]).astype(np.int64)
    place, _ = best_of_rows(indptr, item.astype(np.int32), expected[row, item], width)
    owner, best = row[place].astype(np.int32), item[place].astype(np.int32)
    return Ranked(owner, best, expected[owner, best], owner).lists(len(expected), width)
