from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.contracts import columns as c
from features.contracts.errors import OverloadedError
from serving.engine.intake import EventIntake, EventStatus
from serving.store import EmbeddedStore, StoreConfig, Visitor

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GOOD = {
    c.EVENT_ID: "e1",
    c.EVENT_TYPE: "view",
    c.USER_ID: "u1",
    c.ITEM_ID: "i1",
    c.OCCURRED_AT: "2026-01-01T08:00:00Z",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = EmbeddedStore(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def test_good_rows_are_kept_and_bad_ones_named(store: EmbeddedStore) -> None:
    rows = [GOOD, {**GOOD, c.EVENT_ID: "e2", c.EVENT_TYPE: "stare"}, GOOD, {**GOOD, c.EVENT_ID: "e3", c.USER_ID: "u2"}]
    results = EventIntake(store).take(rows, now=NOW)
    assert [r.status for r in results] == [
        EventStatus.ACCEPTED,
        EventStatus.REJECTED,
        EventStatus.DUPLICATE,
        EventStatus.ACCEPTED,
    ]
    assert results[1].errors[0].field == c.EVENT_TYPE
    assert "stare" in results[1].errors[0].message
    assert [q.row[c.EVENT_ID] for q in store.queued(10)] == ["e1", "e3"]


def test_the_server_says_when_an_event_arrived(store: EmbeddedStore) -> None:
    EventIntake(store).take([{**GOOD, c.RECEIVED_AT: "2020-01-01T00:00:00Z"}], now=NOW)
    assert store.queued(1)[0].row[c.RECEIVED_AT].startswith("2026-01-02")


def test_properties_may_be_an_object(store: EmbeddedStore) -> None:
    (result,) = EventIntake(store).take([{**GOOD, c.PROPERTIES: {"page": "首页"}}], now=NOW)
    assert result.status is EventStatus.ACCEPTED
    assert "首页" in store.queued(1)[0].row[c.PROPERTIES]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({c.EVENT_ID: None}, c.EVENT_ID),
        ({c.EVENT_ID: 7}, c.EVENT_ID),
        ({c.EVENT_ID: ""}, c.EVENT_ID),
        ({c.EVENT_ID: "x" * 129}, c.EVENT_ID),
        ({c.ITEM_ID: "a\0b"}, c.ITEM_ID),
        ({c.ITEM_ID: "a\nb"}, c.ITEM_ID),
        ({c.USER_ID: "\ud800"}, c.USER_ID),
        ({c.USER_ID: None}, c.USER_ID),
        ({c.AMOUNT: float("nan")}, c.AMOUNT),
        ({c.AMOUNT: float("inf")}, c.AMOUNT),
        ({c.AMOUNT: 10**400}, c.AMOUNT),
        ({c.QUANTITY: -1}, c.QUANTITY),
        ({c.QUANTITY: "many"}, c.QUANTITY),
        ({c.QUANTITY: [1]}, c.QUANTITY),
        ({c.OCCURRED_AT: "1970-01-01T00:00:00Z"}, c.OCCURRED_AT),
        ({c.OCCURRED_AT: "yesterday"}, c.OCCURRED_AT),
        ({c.OCCURRED_AT: "2999-01-01T00:00:00Z"}, c.OCCURRED_AT),
        ({c.CHANNEL: "\0"}, c.CHANNEL),
        ({c.PROPERTIES: {"deep": {"x": float("nan")}}}, c.PROPERTIES),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_refused_by_field(store: EmbeddedStore, change: dict[str, Any], field: str) -> None:
    (result,) = EventIntake(store).take([{**GOOD, **change}], now=NOW)
    assert result.status is EventStatus.REJECTED
    assert result.errors[0].field == field
    assert store.queue_length() == 0


def test_a_rejected_row_does_not_hold_others_back(store: EmbeddedStore) -> None:
    rows = [{**GOOD, c.EVENT_ID: None}, {**GOOD, c.ITEM_ID: "i2"}]
    EventIntake(store).take(rows, now=NOW)
    assert [e.item_id for e in store.recent(Visitor(user_id="u1"))] == ["i2"]


def test_a_queue_that_is_too_long_takes_nothing_until_it_is_shorter(store: EmbeddedStore) -> None:
    clock = iter(range(0, 100, 2))
    intake = EventIntake(store, limits=StoreConfig(queued_events=1), clock=lambda: float(next(clock)))
    assert intake.take([GOOD], now=NOW)[0].status == EventStatus.ACCEPTED
    with pytest.raises(OverloadedError, match="1 events wait for the lake"):
        intake.take([{**GOOD, c.EVENT_ID: "e2"}], now=NOW)
    store.mark_drained([queued.position for queued in store.queued(9)])
    assert intake.take([{**GOOD, c.EVENT_ID: "e2"}], now=NOW)[0].status == EventStatus.ACCEPTED
