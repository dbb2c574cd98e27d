from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts.errors import NotEnoughDataError
from features.contracts.events import TIMESTAMP
from features.engine import EventTables
from tests.training.pipelines.cdnow import CUTOFF, TAGS, config, events
from training.models.churn import required_tags
from training.models.churn_config import Population, SnapshotConfig
from training.pipelines.snapshots import past_snapshots, plan_snapshots, take_snapshot

DAY = timedelta(days=1)
NEEDED = required_tags(TAGS)


@pytest.mark.parametrize("horizon", [7, 28, 90])
def test_label_windows_close_by_the_cutoff_and_history_comes_first(horizon: int) -> None:
    first = CUTOFF - 364 * DAY
    planned = plan_snapshots(first, CUTOFF, horizon * DAY, 12)
    assert planned == sorted(planned, reverse=True)
    assert planned[0] == CUTOFF - horizon * DAY
    assert planned[-1] >= first + horizon * DAY
    assert len(planned) <= 12


def test_a_short_history_is_used_as_far_as_it_goes() -> None:
    assert plan_snapshots(CUTOFF - 140 * DAY, CUTOFF, 90 * DAY, 12) == [CUTOFF - 90 * DAY]
    assert plan_snapshots(CUTOFF - 100 * DAY, CUTOFF, 90 * DAY, 12) == []


def test_labels_follow_the_window() -> None:
    tables = EventTables.from_arrow(events(40))
    as_of = CUTOFF - 60 * DAY
    snapshot = take_snapshot(tables, as_of, NEEDED, config(), known_by=CUTOFF)
    log = events(40)
    when = log[c.OCCURRED_AT]
    inside = pc.and_(pc.greater_equal(when, pa.scalar(as_of, TIMESTAMP)), pc.less(when, pa.scalar(CUTOFF, TIMESTAMP)))
    back = set(log.filter(inside)[c.USER_ID].to_pylist())
    expected = [user not in back for user in snapshot.tags[c.USER_ID].to_pylist()]
    assert snapshot.label.tolist() == expected
    assert snapshot.tags[c.USER_ID].to_pylist() == snapshot.known.user_id.to_pylist()


def test_the_population_is_the_one_asked_for() -> None:
    tables = EventTables.from_arrow(events(40))
    rule = Population.model_validate({"min_events": 2, "active_within": "90d"})
    snapshot = take_snapshot(tables, CUTOFF, NEEDED, config(population=rule), known_by=CUTOFF + 60 * DAY)
    assert 0 < len(snapshot) < 200
    assert (snapshot.known.events >= 2).all()
    assert (snapshot.known.summary.silence <= 90).all()


def test_thinning_keeps_rows_aligned() -> None:
    tables = EventTables.from_arrow(events(40))
    whole = take_snapshot(tables, CUTOFF, NEEDED, config(), known_by=CUTOFF + 60 * DAY)
    thin = take_snapshot(tables, CUTOFF, NEEDED, config(), known_by=CUTOFF + 60 * DAY, most=50)
    assert len(thin) == 50
    kept = pc.index_in(thin.known.user_id, value_set=whole.known.user_id).to_numpy()
    np.testing.assert_array_equal(thin.label, whole.label[kept])
    assert thin.tags.equals(whole.tags.take(kept))


def test_what_is_missing_is_said() -> None:
    tables = EventTables.from_arrow(events(40))
    first = min(events(40)[c.OCCURRED_AT].to_pylist())
    with pytest.raises(NotEnoughDataError, match="no purchase before"):
        past_snapshots(tables, first, NEEDED, config())
    with pytest.raises(NotEnoughDataError, match="history is too short"):
        past_snapshots(tables, first + 70 * DAY, NEEDED, config())
    with pytest.raises(NotEnoughDataError, match=r"which is 179\.0 days; a horizon of 60 days needs 180 days"):
        past_snapshots(tables, first + 179 * DAY, NEEDED, config())
    many = SnapshotConfig(most=2, least_of_each_class=200)
    with pytest.raises(NotEnoughDataError, match=r"users of .* had a purchase within 60 days"):
        past_snapshots(tables, CUTOFF, NEEDED, config(snapshots=many))


def test_one_class_is_refused() -> None:
    rows = [(f"u{user:03d}", day) for user in range(200) for day in range(0, 200, 5)]
    log = pa.table(
        {
            c.EVENT_TYPE: ["purchase"] * len(rows),
            c.USER_ID: [user for user, _ in rows],
            c.OCCURRED_AT: pa.array([CUTOFF - (day + 1) * DAY for _, day in rows], TIMESTAMP),
        }
    )
    with pytest.raises(NotEnoughDataError, match=r"0 users of .* had no purchase"):
        past_snapshots(EventTables.from_arrow(log), CUTOFF, NEEDED, config())
