"""The two ways of reading a column: all at once, and value by value when one of them is in doubt."""

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.sources.typed import TypedRows, Typist

MOMENTS = [
    "2025-01-31",
    "2025-01-31 08:09:10",
    "2025-01-31T08:09:10",
    "2025-01-31T08:09",
    "2025-01-31T08:09:10.5",
    "2025-01-31 08:09:10.123456",
    "2025-01-31T08:09:10Z",
    "2025-01-31T08:09:10+08:00",
    "2025-01-31T08:09:10-0330",
    "1970-01-01",
    "9999-12-31",
    "20250131",
    "1738281600",
    "2024-02-29",
]
NUMBERS = ["1", "-1", "1.5", "1e5", "0", ".5", "1e400", "nan", "inf", "-inf", "0.1", "123456789.123456789", "+3"]


@pytest.fixture(scope="module")
def typist() -> Typist:
    return Typist(EVENT_SCHEMA)


def typed(typist: Typist, column: str, *values: str) -> TypedRows:
    return typist.type_rows(pa.table({"x": pa.array(values, pa.string())}), {column: "x"})


@pytest.mark.parametrize(("column", "value"), [(c.OCCURRED_AT, m) for m in MOMENTS] + [(c.AMOUNT, n) for n in NUMBERS])
def test_a_value_means_the_same_beside_one_that_cannot_be_read(typist: Typist, column: str, value: str) -> None:
    alone = typed(typist, column, value)
    beside = typed(typist, column, value, "garbage")
    assert beside.unreadable[column].to_pylist()[1] is True
    first = beside.values.column(column).slice(0, 1).to_pylist()
    assert str(first) == str(alone.values.column(column).to_pylist())  # as text: NaN equals NaN
    assert (column in alone.unreadable) == beside.unreadable[column].to_pylist()[0]


def test_values_that_are_no_times(typist: Typist) -> None:
    words = ["yesterday", "2025-02-30", "infinity", "epoch", "now", "2025-13-01", "31/01/2025", "12:00", "-"]
    found = typed(typist, c.OCCURRED_AT, *words)
    assert found.unreadable[c.OCCURRED_AT].to_pylist() == [True] * len(words)


def test_null_and_empty_are_absent_and_not_unreadable(typist: Typist) -> None:
    rows = pa.table({"x": pa.array([None, "", " ", "7"])})
    found = typist.type_rows(rows, {c.AMOUNT: "x", c.ITEM_ID: "x"})
    assert found.values.column(c.AMOUNT).to_pylist() == [None, None, None, 7.0]
    assert found.values.column(c.ITEM_ID).to_pylist() == [None, None, " ", "7"]
    assert found.unreadable == {}
