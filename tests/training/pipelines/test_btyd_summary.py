from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP, EventType
from features.engine import EventTables, build_tags
from tests.training.pipelines.cdnow import CUTOFF, events
from training.models.churn_features import LINEAR_TAGS, RHYTHM_TAGS, purchase_history
from training.pipelines.btyd_summary import event_span, known_users, returned

DAY = timedelta(days=1)
START = datetime(2024, 3, 1, tzinfo=UTC)


def _log(*rows: tuple[str, float, float | None]) -> EventTables:
    """Purchases as (user, days after START, days after START at which the row arrived)."""
    arrived = [None if late is None else START + late * DAY for _, _, late in rows]
    return EventTables.from_arrow(
        pa.table(
            {
                c.EVENT_ID: [str(i) for i in range(len(rows))],
                c.EVENT_TYPE: ["purchase"] * len(rows),
                c.USER_ID: [user for user, _, _ in rows],
                c.OCCURRED_AT: pa.array([START + day * DAY for _, day, _ in rows], TIMESTAMP),
                c.RECEIVED_AT: pa.array(arrived, TIMESTAMP),
                c.AMOUNT: [10.0] * len(rows),
            }
        )
    )


def test_days_count_once_and_the_moment_itself_is_outside() -> None:
    tables = _log(("a", 1.0, None), ("a", 1.5, None), ("a", 4.0, None), ("a", 10.0, None), ("b", 9.5, None))
    known = known_users(tables, EventType.PURCHASE, START + 10 * DAY)
    assert known.user_id.to_pylist() == ["a", "b"]
    np.testing.assert_array_equal(known.events, [3, 1])
    np.testing.assert_allclose(known.summary.history.frequency, [1, 0])
    np.testing.assert_allclose(known.summary.history.recency, [3, 0])
    np.testing.assert_allclose(known.summary.history.age, [9, 0.5])
    np.testing.assert_allclose(known.summary.silence, [6, 0.5])
    np.testing.assert_allclose(known.summary.spend, [30, 10])


def test_a_row_that_arrived_later_is_not_known_yet() -> None:
    tables = _log(("a", 1.0, 20.0), ("b", 1.0, 2.0))
    assert known_users(tables, EventType.PURCHASE, START + 10 * DAY).user_id.to_pylist() == ["b"]
    assert len(known_users(tables, EventType.PURCHASE, START + 20 * DAY).user_id) == 2


def test_the_label_window_is_half_open_and_needs_arrival() -> None:
    tables = _log(("at start", 10.0, None), ("at end", 15.0, None), ("inside", 14.9, None), ("late", 12.0, 30.0))
    window = (EventType.PURCHASE, START + 10 * DAY, START + 15 * DAY)
    assert sorted(returned(tables, *window, known_by=START + 15 * DAY).user_id.to_pylist()) == ["at start", "inside"]
    assert "late" in returned(tables, *window, known_by=START + 30 * DAY).user_id.to_pylist()


def test_the_span_is_that_of_the_event_before_the_moment() -> None:
    tables = _log(("a", 1.0, None), ("b", 4.0, None), ("c", 10.0, None))
    assert event_span(tables, EventType.PURCHASE, START + 10 * DAY) == (START + DAY, START + 4 * DAY)
    assert event_span(tables, EventType.VIEW, START + 10 * DAY) is None


def test_tags_and_events_tell_the_same_rhythm() -> None:
    tables = EventTables.from_arrow(events(40))
    known = known_users(tables, EventType.PURCHASE, CUTOFF)
    tags = build_tags(tables, CUTOFF, [*RHYTHM_TAGS, *LINEAR_TAGS])
    assert tags[c.USER_ID].to_pylist() == known.user_id.to_pylist()
    history, bought = purchase_history(tags)
    assert bought.all()
    np.testing.assert_allclose(history.frequency, known.summary.history.frequency)
    np.testing.assert_allclose(history.recency, known.summary.history.recency)
    np.testing.assert_allclose(history.age, known.summary.history.age)


@pytest.mark.parametrize("zone_hours", [0, 8])
def test_moments_may_be_given_in_any_zone(zone_hours: int) -> None:
    from_afar = (START + 10 * DAY).astimezone(timezone(timedelta(hours=zone_hours)))
    tables = _log(("a", 9.9, None), ("b", 10.1, None))
    assert known_users(tables, EventType.PURCHASE, from_afar).user_id.to_pylist() == ["a"]
