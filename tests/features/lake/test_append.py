"""Rows from the server: screened already, committed batch by batch."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.errors import InputError
from features.contracts.events import EVENT_SCHEMA
from features.lake import Lake
from tests.features.lake.conftest import events_of

MORNING = datetime(2025, 3, 1, 8, tzinfo=UTC)


def rows(*ids: str, at: datetime | None = MORNING) -> pa.Table:
    found = [{c.EVENT_ID: i, c.EVENT_TYPE: "view", c.USER_ID: "u", c.OCCURRED_AT: at, c.RECEIVED_AT: at} for i in ids]
    return pa.Table.from_pylist(found, schema=EVENT_SCHEMA)


def test_a_batch_is_visible_once_appended(lake: Lake) -> None:
    assert lake.append_events(rows("a", "b"), batch_id="1") == 2
    assert sorted(events_of(lake).column(c.EVENT_ID).to_pylist()) == ["a", "b"]
    assert lake.last_event_at() == MORNING
    assert events_of(lake).column(c.RECEIVED_AT).to_pylist() == [MORNING, MORNING]


def test_a_batch_handed_in_twice_is_stored_once(lake: Lake) -> None:
    lake.append_events(rows("a", "b"), batch_id="1")
    fingerprint = lake.fingerprint()
    assert lake.append_events(rows("a", "b"), batch_id="1") == 0
    assert lake.fingerprint() == fingerprint


def test_an_event_in_two_batches_is_stored_once(lake: Lake) -> None:
    lake.append_events(rows("a", "b"), batch_id="1")
    assert lake.append_events(rows("b", "c", "c"), batch_id="2") == 1
    assert sorted(events_of(lake).column(c.EVENT_ID).to_pylist()) == ["a", "b", "c"]


def test_an_event_without_a_time_is_refused(lake: Lake) -> None:
    with pytest.raises(InputError, match="batch 1"):
        lake.append_events(rows("a", at=None), batch_id="1")
    assert lake.is_empty


def test_no_rows_are_no_commit(lake: Lake) -> None:
    assert lake.append_events(rows(), batch_id="1") == 0
    assert lake.is_empty


def test_items_and_users_can_be_laid_over_without_events(lake: Lake) -> None:
    def items(**titles: str) -> pa.Table:
        return pa.Table.from_pylist([{c.ITEM_ID: k, c.TITLE: v} for k, v in titles.items()], schema=ITEM_SCHEMA)

    lake.upsert(items=items(b="Tea", a="Milk"))
    before = lake.fingerprint()
    lake.upsert(items=items(b="Tea"))
    assert lake.fingerprint() == before
    lake.upsert(items=items(b="Green tea"), users=pa.Table.from_pylist([{c.USER_ID: "u"}], schema=USER_SCHEMA))
    assert lake.read_items().column(c.TITLE).to_pylist() == ["Milk", "Green tea"]
    assert lake.read_users().column(c.USER_ID).to_pylist() == ["u"]
    assert lake.read_users([c.ERASED_AT, c.USER_ID]).to_pydict() == {c.ERASED_AT: [None], c.USER_ID: ["u"]}
    lake.upsert(items=items(b="Tea"))
    assert lake.read_items().column(c.TITLE).to_pylist() == ["Milk", "Tea"]
    assert lake.is_empty
