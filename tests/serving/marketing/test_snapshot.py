from datetime import UTC, datetime

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.errors import BundleError, InputError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from serving.marketing import Cursor, ListFilter, latest_snapshot, open_snapshot, save_snapshot
from serving.marketing.churn_list import churn_page, delta
from serving.marketing.columns import CHANGE, PROBABILITY, SNAPSHOT_SCHEMA
from serving.marketing.holdout import in_holdout
from tests.serving.marketing.conftest import Save, row


def test_a_snapshot_comes_back_most_likely_to_leave_first(home: Home, save: Save) -> None:
    info = save([row("a", 0.2), row("b", 0.9), row("c", 0.5)])
    snapshot = open_snapshot(home)
    assert snapshot.info == info
    assert (info.count, info.model_version, info.horizon_days) == (3, "m1", 90)
    assert snapshot.rows[c.USER_ID].to_pylist() == ["b", "c", "a"]
    found = snapshot.user("c")
    assert found is not None
    assert found[PROBABILITY] == 0.5
    assert snapshot.user("nobody") is None


def test_an_empty_snapshot_is_one(home: Home, save: Save) -> None:
    save([])
    snapshot = open_snapshot(home)
    assert churn_page(snapshot, ListFilter()).total == 0
    assert snapshot.user("a") is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("a", 0.1), row("a", 0.2)], "twice"),
        ([row("a", float("nan"))], "probability"),
        ([row("a", 1.5)], "between"),
    ],
)
def test_rows_that_cannot_be_are_refused_whole(
    home: Home, save: Save, rows: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        save(rows)
    assert latest_snapshot(home) is None


def test_no_snapshot_and_unknown_ones_are_told_apart(home: Home, save: Save) -> None:
    with pytest.raises(MissingStateError, match="mallard score"):
        open_snapshot(home)
    save([row("a", 0.1)])
    for unknown in ("20260101T000000Z-00000000", "../churn", "latest"):
        with pytest.raises(UnknownNameError, match="no risk snapshot"):
            open_snapshot(home, unknown)


def test_damage_is_noticed(home: Home, save: Save) -> None:
    info = save([row("a", 0.1)])
    file = home.snapshots / "churn" / info.id / "scores.arrow"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(BundleError, match=r"scores\.arrow"):
        open_snapshot(home)


def test_pages_cover_the_list_once_while_newer_snapshots_come(home: Home, save: Save) -> None:
    first = save([row(f"u{n:03}", (n % 10) / 10) for n in range(95)])
    seen: list[str] = []
    cursor: Cursor | None = Cursor(first.id, None, 0)
    while cursor is not None:
        cursor = Cursor.decode(cursor.encode())
        page = churn_page(open_snapshot(home, cursor.snapshot), ListFilter(), position=cursor.position, limit=20)
        seen += page.rows[c.USER_ID].to_pylist()
        assert page.total == 95
        cursor = page.next
        save([row("x", 0.5)])
    assert len(seen) == len(set(seen)) == 95


def test_filters_restrict_the_list_and_pages_go_on_inside_it(home: Home, save: Save) -> None:
    rows = [row(f"u{n}", n / 100, tier="red" if n % 2 else "blue", segment="active", value=float(n)) for n in range(10)]
    save([*rows, row("poor", 0.9, tier="red", segment=None, value=None)])
    snapshot = open_snapshot(home)
    page = churn_page(snapshot, ListFilter(tier="red", min_value=3), limit=2)
    assert page.total == 4
    assert page.rows[c.USER_ID].to_pylist() == ["u9", "u7"]
    assert page.next is not None
    rest = churn_page(snapshot, ListFilter(tier="red", min_value=3), position=page.next.position)
    assert rest.rows[c.USER_ID].to_pylist() == ["u5", "u3"]
    assert churn_page(snapshot, ListFilter(segment="active", tier="blue")).total == 5
    assert churn_page(snapshot, ListFilter(tier="green")).total == 0


@pytest.mark.parametrize(
    "text", ["", "x", "é", "W10=", "WzEsMiwzXQ", "bnVsbA", "WyJhIixudWxsLC0xXQ", "WyJhIixudWxsLHRydWVd"]
)
def test_foreign_cursors_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        Cursor.decode(text)


def test_a_delta_takes_the_older_list_to_the_newer_one(home: Home, save: Save) -> None:
    older = save(
        [row("stays", 0.5), row("moves", 0.4, tier="blue"), row("leaves", 0.3), row("unrated", 0.2, segment=None)]
    )
    save([row("stays", 0.51), row("moves", 0.8, tier="red"), row("comes", 0.7), row("unrated", 0.2, segment=None)])
    changes = delta(open_snapshot(home), open_snapshot(home, older.id), ListFilter())
    told = dict(zip(changes[c.USER_ID].to_pylist(), changes[CHANGE].to_pylist(), strict=True))
    assert told == {"moves": "changed", "comes": "added", "leaves": "removed"}


def test_a_delta_of_a_filtered_list_is_about_that_list(home: Home, save: Save) -> None:
    older = save([row("a", 0.9, tier="red"), row("b", 0.1, tier="blue")])
    save([row("a", 0.1, tier="blue"), row("b", 0.9, tier="red")])
    changes = delta(open_snapshot(home), open_snapshot(home, older.id), ListFilter(tier="red"))
    told = dict(zip(changes[c.USER_ID].to_pylist(), changes[CHANGE].to_pylist(), strict=True))
    assert told == {"a": "removed", "b": "added"}


def test_the_holdout_is_stable_and_of_its_size() -> None:
    users = [f"u{n}" for n in range(20_000)]
    held = {u for u in users if in_holdout(u, 0.05, "salt")}
    assert 0.04 < len(held) / len(users) < 0.06
    assert held <= {u for u in users if in_holdout(u, 0.2, "salt")}
    assert held != {u for u in users if in_holdout(u, 0.05, "other")}
    assert not any(in_holdout(u, 0.0, "salt") for u in users[:100])


def test_wrong_columns_are_refused(home: Home) -> None:

    with pytest.raises(InputError, match="columns"):
        save_snapshot(
            home,
            pa.table({c.USER_ID: ["a"]}),
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
            model_version="m",
            tag_spec="",
            horizon_days=90,
        )
    assert SNAPSHOT_SCHEMA.names[0] == c.USER_ID


def test_nothing_half_written_remains(home: Home, save: Save) -> None:
    save([row("a", 0.1)])
    names = {p.name for p in (home.snapshots / "churn").iterdir()}
    assert all(not name.startswith(".") for name in names)
