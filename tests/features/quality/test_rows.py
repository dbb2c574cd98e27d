"""Rows of one request: judged one by one, by the checks that files go through."""

from datetime import UTC, datetime

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.quality import RowScreener

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_accepted_rows_are_typed_and_in_order() -> None:
    rows = [
        {c.USER_ID: "u1", c.EVENT_TYPE: "view", c.OCCURRED_AT: "2025-01-01T00:00:00Z", c.ITEM_ID: 7},
        {c.USER_ID: "u2", c.EVENT_TYPE: "view", c.OCCURRED_AT: 1735689601, c.PROPERTIES: {"a": 1}},
    ]
    found = RowScreener().screen(rows, now=NOW)
    assert found.errors == (None, None)
    assert found.accepted.schema.names == EVENT_SCHEMA.names
    assert found.accepted.column(c.USER_ID).to_pylist() == ["u1", "u2"]
    assert found.accepted.column(c.ITEM_ID).to_pylist() == ["7", None]
    assert found.accepted.column(c.PROPERTIES).to_pylist() == [None, '{"a":1}']
    assert found.accepted.column(c.OCCURRED_AT).to_pylist() == [
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2025, 1, 1, 0, 0, 1, tzinfo=UTC),
    ]


def test_an_event_without_a_type_is_not_a_purchase_here() -> None:
    (error,) = RowScreener().screen([{c.USER_ID: "u", c.OCCURRED_AT: "2025-01-01"}], now=NOW).errors
    assert error is not None
    assert (error.field, error.check) == (c.EVENT_TYPE, "unknown_event_type")


def test_an_unknown_field_is_named() -> None:
    (error,) = RowScreener().screen([{c.USER_ID: "u", "colour": "red"}], now=NOW).errors
    assert error is not None
    assert error.field == "colour"
    assert "properties" in error.message


def test_no_rows() -> None:
    found = RowScreener().screen([], now=NOW)
    assert found.errors == ()
    assert isinstance(found.accepted, pa.Table)
    assert len(found.accepted) == 0
