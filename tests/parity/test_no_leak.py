"""Changing what happens after the cut-off changes no feature, no candidate and no score before it."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from threadpoolctl import threadpool_limits

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.engine import EventTables, build_tags
from features.lake import Lake
from tests.serving import small_mall
from tests.serving.conftest import home_at
from training.bench.folds import seal
from training.dataset import interactions_from_events
from training.evaluation.splits import TemporalSplit
from training.interactions import Interactions
from training.lake import read_interactions
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommender import fit_recommender

CUTOFF = small_mall.MIDNIGHT - timedelta(days=7)


def rewritten(events: pa.Table) -> pa.Table:
    """The same past with another future: other users, items, kinds, amounts, some rows gone, strangers added."""
    past = events.filter(pc.less(events[c.OCCURRED_AT], CUTOFF))
    future = events.filter(pc.greater_equal(events[c.OCCURRED_AT], CUTOFF))
    kept = future.filter(pa.array(np.arange(len(future)) % 3 != 0))
    items = pa.array([f"i{(7 * n) % small_mall.ITEMS:02}" if n % 5 else f"new{n}" for n in range(len(kept))])
    users = pa.array([f"u{(11 * n) % small_mall.USERS:02}" if n % 7 else f"stranger{n}" for n in range(len(kept))])
    columns = {
        c.ITEM_ID: items,
        c.USER_ID: users,
        c.AMOUNT: pa.array(np.full(len(kept), 9_999.0)),
        c.QUANTITY: pa.array(np.full(len(kept), 77.0)),
        c.EVENT_TYPE: pa.array(["purchase"] * len(kept)),
        c.EVENT_ID: pa.array([f"x{n}" for n in range(len(kept))]),
    }
    for name, values in columns.items():
        kept = kept.set_column(kept.column_names.index(name), name, values)
    return pa.concat_tables([past, kept.cast(EVENT_SCHEMA)])


@pytest.fixture(scope="module")
def futures() -> tuple[pa.Table, pa.Table]:
    events = small_mall.events()
    other = rewritten(events)
    assert not events.equals(other)
    return events, other


def test_no_tag_changes(futures: tuple[pa.Table, pa.Table]) -> None:
    one, other = (build_tags(EventTables.from_arrow(events, small_mall.items()), CUTOFF) for events in futures)
    assert one.num_rows > 50
    for name in one.column_names:
        if pa.types.is_floating(one.schema.field(name).type):
            # Sums run in the order in which threads hand over their parts: the last bits are free.
            left, right = (table[name].to_numpy() for table in (one, other))
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12, err_msg=name)
        else:
            assert one[name].equals(other[name]), name


def asked(events: pa.Table) -> tuple[Interactions, TemporalSplit]:
    items = small_mall.items()
    split = TemporalSplit(repeats=True, cutoff=int(CUTOFF.timestamp()), horizon=7 * 86_400)
    return seal(split.outer(interactions_from_events(events, items)), items).train, split


def test_no_candidate_no_feature_and_no_score_changes(futures: tuple[pa.Table, pa.Table]) -> None:
    answers = []
    for events in futures:
        train, split = asked(events)
        with threadpool_limits(1):
            recommender = fit_recommender(train, split, RecommendConfig(folds=3), budget_minutes=2).recommender
        histories = train.histories(np.arange(len(train.users), dtype=np.int32), split.cutoff)
        pool = recommender.retrieve(histories, exclude_seen=False)
        names, features = recommender.featurise(histories, pool)
        answers.append(
            {
                "items": np.array(train.items.ids(pool.item)),
                "users": np.array(train.users.ids(histories.user[pool.row])),
                "candidate scores": pool.score,
                "names": np.array(names),
                "features": features,
                "scores": recommender.rank(histories, pool),
            }
        )
    one, other = answers
    assert len(one["items"]) > 500
    for part, values in one.items():
        np.testing.assert_array_equal(values, other[part], err_msg=part)


def test_an_event_that_arrived_after_the_cutoff_is_not_known_there(tmp_path: Path) -> None:
    events = small_mall.events()
    late = np.arange(len(events)) % 10 == 0
    arrived = [
        max(moment, small_mall.MIDNIGHT - timedelta(hours=1)) if is_late else moment
        for moment, is_late in zip(events[c.OCCURRED_AT].to_pylist(), late, strict=True)
    ]
    place = events.column_names.index(c.RECEIVED_AT)
    dated = events.set_column(place, c.RECEIVED_AT, pa.array(arrived, EVENT_SCHEMA.field(c.RECEIVED_AT).type))
    lake = Lake(home_at(tmp_path))
    lake.append_events(dated, batch_id="all")
    everything = read_interactions(lake, small_mall.MIDNIGHT)
    known = read_interactions(lake, small_mall.MIDNIGHT, received_by=CUTOFF)
    before = events.filter(pc.less(events[c.OCCURRED_AT], CUTOFF))
    missing = int((late & np.array(pc.less(events[c.OCCURRED_AT], CUTOFF))).sum())
    seconds = int(CUTOFF.timestamp())
    assert (everything.time < seconds).sum() == len(before)
    assert (known.time < seconds).sum() == len(before) - missing
    assert (known.time >= seconds).sum() == (everything.time >= seconds).sum()
