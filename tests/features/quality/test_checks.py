"""The conformance suite of checks: it finds them all, feeds each its bad rows and all of them good ones."""

import pkgutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from features.contracts import columns as c
from features.contracts.events import EVENT_TYPES
from features.quality import CHECKS, Check, QualityConfig, RowScreener
from features.quality import checks as folder
from features.quality.check import registered

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {
    c.EVENT_ID: "e1",
    c.EVENT_TYPE: "purchase",
    c.USER_ID: "u1",
    c.ITEM_ID: "i1",
    c.OCCURRED_AT: "2025-06-01T08:00:00+08:00",
    c.RECEIVED_AT: "2025-06-01T00:00:01Z",
    c.QUANTITY: 2,
    c.AMOUNT: 19.9,
    c.CURRENCY: "CNY",
    c.PROPERTIES: {"color": "红", "sizes": 3, "gift": True, "note": None, "text": 'a "quoted" \\ {brace}'},
}
BAD = [(check, row) for check in CHECKS.values() for row in check.bad_rows]


@pytest.fixture(scope="module")
def screener() -> RowScreener:
    return RowScreener()


def test_every_file_of_the_folder_holds_a_check_that_is_found() -> None:
    modules = [m.name for m in pkgutil.iter_modules(folder.__path__)]
    homes = {type(check).__module__.rsplit(".", 1)[-1] for check in CHECKS.values()}
    assert set(modules) == homes
    assert list(CHECKS) == sorted(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: str(check.name))
def test_a_check_says_what_it_means_and_gives_examples(check: Check) -> None:
    assert check.bad_rows
    assert check.meaning
    assert any("\u4e00" <= letter <= "\u9fff" for letter in check.meaning_zh)


@pytest.mark.parametrize(("check", "row"), BAD, ids=[f"{check.name}-{n}" for n, (check, _) in enumerate(BAD)])
def test_a_bad_row_is_found_by_its_check_alone(screener: RowScreener, check: Check, row: Mapping[str, Any]) -> None:
    found = screener.screen([GOOD, {**GOOD, **row}, GOOD], now=NOW)
    first, error, last = found.errors
    assert first is None
    assert last is None
    assert error is not None
    assert error.check == check.name
    assert error.field in {*row, c.USER_ID}
    assert error.field in error.message or "event type" in error.message
    assert len(found.accepted) == 2


@pytest.mark.parametrize(
    "row",
    [
        *({c.EVENT_TYPE: kind} for kind in EVENT_TYPES),
        {c.QUANTITY: 0},
        {c.QUANTITY: None, c.AMOUNT: None, c.ITEM_ID: None, c.PROPERTIES: None},
        {c.EVENT_TYPE: "refund", c.AMOUNT: -3},
        {c.USER_ID: None, c.ANONYMOUS_ID: "device"},
        {c.PROPERTIES: "{}"},
        {c.PROPERTIES: ' {"a" : -1.5e3 , "b":"\\u4e2d"} '},
        {c.OCCURRED_AT: "2026-01-01T23:00:00Z"},
        {c.USER_ID: 12},
        {c.USER_ID: "用户"},
    ],
    ids=str,
)
def test_good_rows_pass(screener: RowScreener, row: Mapping[str, Any]) -> None:
    assert screener.screen([{**GOOD, **row}], now=NOW).errors == (None,)


def test_the_limits_come_from_the_configuration() -> None:
    strict = RowScreener(QualityConfig(max_id_bytes=3, future_days=0))
    found = strict.screen([{**GOOD, c.CURRENCY: "EURO"}, {**GOOD, c.OCCURRED_AT: "2026-01-01T00:00:01Z"}], now=NOW)
    assert [e.check for e in found.errors if e] == ["bad_id", "impossible_date"]


def test_two_checks_of_one_name_are_refused() -> None:
    twin = type("Twin", (Check,), {"name": "bad_id", "find": lambda self, batch: iter(())})
    try:
        with pytest.raises(ValueError, match="bad_id"):
            registered()
    finally:
        twin.name = "twin_of_a_test"
